//! Typed values to a [`RunConfig`], by serde, with every fault and not just the first.

use figment::value::Value;
use serde::Deserialize;

use super::fault::{Fault, Origin};
use super::key_path::{KeyPath, Step};
use super::layers::Layers;
use super::run::RunConfig;

/// Deserialises `value`. Serde stops at the first fault, so that value is taken out and the rest is tried again until all
/// are known; the configuration that comes with faults has defaults in their place.
///
/// `left_out` names the items that are missing from lists already.
pub(crate) fn run_config(
    layers: &Layers,
    mut value: Value,
    mut left_out: Vec<KeyPath>,
) -> (Option<RunConfig>, Vec<Fault>) {
    let mut faults = Vec::new();
    loop {
        let error = match RunConfig::deserialize(&value) {
            Ok(config) => return (Some(config), faults),
            Err(error) => error,
        };
        let path = written_path(&value, &error.path, &left_out);
        let origin = layers.nearest_origin(&path).unwrap_or(Origin::Default);
        faults.push(Fault { origin, path: path.clone(), message: error.kind.to_string(), help: None });
        if !take_out(&mut value, &error.path) {
            return (None, faults);
        }
        if matches!(path.steps().last(), Some(Step::Index(_))) {
            left_out.push(path);
        }
    }
}

/// The path in the configuration as it was written of what is at `path` in `value`, whose lists have lost the items
/// `left_out`.
fn written_path(value: &Value, path: &[String], left_out: &[KeyPath]) -> KeyPath {
    let mut written = KeyPath::root();
    let mut value = Some(value);
    for key in path {
        let step = match (value, key.parse::<usize>()) {
            (Some(Value::Array(_, items)), Ok(index)) => {
                value = items.get(index);
                Step::Index(written_index(index, &written, left_out))
            }
            (Some(Value::Dict(_, entries)), _) => {
                value = entries.get(key);
                Step::Key(key.clone())
            }
            _ => Step::Key(key.clone()),
        };
        written = written.then(step);
    }
    written
}

fn written_index(index: usize, list: &KeyPath, left_out: &[KeyPath]) -> usize {
    let mut missing: Vec<usize> = left_out
        .iter()
        .filter(|path| path.parent() == *list)
        .filter_map(
            |path| if let Some(Step::Index(index)) = path.steps().last() { Some(*index) } else { None },
        )
        .collect();
    missing.sort_unstable();
    missing.iter().fold(index, |index, missing| if *missing <= index { index + 1 } else { index })
}

/// Removes the value at `path`, or the innermost one around it that exists. False when there is none.
fn take_out(value: &mut Value, path: &[String]) -> bool {
    let Some((key, rest)) = path.split_first() else { return false };
    match value {
        Value::Dict(_, entries) => match entries.get_mut(key) {
            Some(below) => take_out(below, rest) || entries.remove(key).is_some(),
            None => false,
        },
        Value::Array(_, items) => match key.parse::<usize>().ok().filter(|index| *index < items.len()) {
            Some(index) => {
                if !take_out(&mut items[index], rest) {
                    items.remove(index);
                }
                true
            }
            None => false,
        },
        _ => false,
    }
}
