//! How large a network is, and where.

use std::fmt;

use crate::network::Network;

/// The number of weights of a network, part by part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The parts in order, such as `cnn.0`, `lstm`, `fuse`, and each head by its name.
    pub parts: Vec<PartSummary>,
    /// The sum over the parts.
    pub total: usize,
}

/// One part of a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartSummary {
    /// The part's name.
    pub name: String,
    /// How many numbers it learns.
    pub parameters: usize,
}

/// Counts the weights of `network`.
#[must_use]
pub fn summary(network: &dyn Network) -> Summary {
    let mut parts: Vec<PartSummary> = Vec::new();
    for (name, tensor) in network.parameters().iter() {
        let part = part_of(name);
        let parameters = tensor.numel();
        match parts.last_mut() {
            Some(last) if last.name == part => last.parameters += parameters,
            _ => parts.push(PartSummary { name: part.to_owned(), parameters }),
        }
    }
    Summary { parts, total: network.parameters().count() }
}

/// The first segment of a weight's name, or the first two when the second is a number of a list: `cnn.0.stem.weight` is in
/// `cnn.0`. The fusion's numbers are its layers, not parts.
fn part_of(name: &str) -> &str {
    let first = name.find('.').unwrap_or(name.len());
    if !name.starts_with("cnn.") {
        return &name[..first];
    }
    let second = name[first + 1..].find('.').map_or(name.len(), |length| first + 1 + length);
    &name[..second]
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for PartSummary { name, parameters } in &self.parts {
            writeln!(f, "{name:<24} {parameters:>12}")?;
        }
        write!(f, "{:<24} {:>12}", "total", self.total)
    }
}
