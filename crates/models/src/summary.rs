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

/// The first segment of a weight's name, or the first two when the second is the number of a branch: `cnn.0.stem.weight` is
/// in `cnn.0`. The fusion's numbers are its layers, not parts.
fn part_of(name: &str) -> &str {
    let mut dots = name.match_indices('.').map(|(index, _)| index);
    let first = dots.next().unwrap_or(name.len());
    let second = dots.next().unwrap_or(name.len());
    let numbered = name.get(first + 1..second).is_some_and(|segment| segment.parse::<usize>().is_ok());
    &name[..if numbered && &name[..first] != "fuse" { second } else { first }]
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for PartSummary { name, parameters } in &self.parts {
            writeln!(f, "{name:<24} {parameters:>12}")?;
        }
        write!(f, "{:<24} {:>12}", "total", self.total)
    }
}
