//! Values of the right type that cannot be: what the sections' own checks say, at the place where it was written.

use super::fault::{Fault, Origin};
use super::key_path::KeyPath;
use super::layers::Layers;
use super::run::RunConfig;

/// The faults of the sections' checks. One that may only follow from a `known` fault is left out: on a value that is at
/// fault itself, and on one that nobody gave beside one that is.
pub(crate) fn impossible_values(layers: &Layers, config: &RunConfig, known: &[Fault]) -> Vec<Fault> {
    let defaults = serde_json::to_value(RunConfig::default()).unwrap_or_default();
    let has_default = |path: &KeyPath| defaults.pointer(&format!("/{}", path.joined("/"))).is_some();
    let mut faults = Vec::new();
    for (path, message) in config.faults() {
        let given = layers.origin(&path);
        if known.iter().any(|fault| follows(&path, given.is_some(), fault)) {
            continue;
        }
        // A key that is missing and has no default is missing from the section around it.
        let around = || if has_default(&path) { None } else { layers.nearest_origin(&path) };
        let origin = given.or_else(around).unwrap_or(Origin::Default);
        faults.push(Fault { origin, path, message, help: None });
    }
    faults
}

fn follows(path: &KeyPath, given: bool, fault: &Fault) -> bool {
    if fault.path.is_root() {
        return matches!(fault.origin, Origin::File { .. });
    }
    let section = fault.path.parent();
    let beside = !section.is_root() && path.is_within(&section);
    path.is_within(&fault.path) || fault.path.is_within(path) || (beside && !given)
}
