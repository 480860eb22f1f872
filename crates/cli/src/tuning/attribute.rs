//! What is noted beside a study and its trials, by key, as JSON that every tool of Optuna's shows.

use serde_json::Value;
use tapeline_hpo::{Attributes, RawJson};

/// Of a study: its configuration, YAML with every default spelled out.
pub(crate) const CONFIG: &str = "tapeline:config";
/// Of a study, as Optuna writes it: the names of its objectives.
pub(crate) const METRIC_NAMES: &str = "study:metric_names";
/// Of a trial: that it is the configuration as it stands.
pub(crate) const DEFAULT: &str = "default";
/// Of a trial: which bars its validation span is of.
pub(crate) const DATA: &str = "data";
/// Of a trial: the folder of its run.
pub(crate) const RUN: &str = "run";
/// Of a trial: who is on it, as `host:process#trial`.
pub(crate) const WORKER: &str = "worker";
/// Of a trial: seconds from its first step to its last.
pub(crate) const SECONDS: &str = "seconds";
/// Of a trial: scalars that its network learns.
pub(crate) const PARAMETERS: &str = "parameters";
/// Of a trial: the epoch whose score it has, counted from 1.
pub(crate) const BEST_EPOCH: &str = "best_epoch";
/// Of a trial that is scored on folds: what its first objective was on each, in their order.
pub(crate) const FOLDS: &str = "folds";
/// Of a trial: the standard deviation that its score would have if there were nothing to find.
pub(crate) const NULL_DEVIATION: &str = "null_deviation";
/// Of a trial that failed: why.
pub(crate) const FAIL_REASON: &str = "fail_reason";

/// `value` to be noted.
pub(crate) fn json(value: impl Into<Value>) -> RawJson {
    RawJson::from_text(value.into().to_string())
}

/// The text noted under `key`.
pub(crate) fn text(attributes: &Attributes, key: &str) -> Option<String> {
    match serde_json::from_str(attributes.get(key)?.as_str()) {
        Ok(Value::String(text)) => Some(text),
        _ => None,
    }
}

/// The number noted under `key`.
pub(crate) fn number(attributes: &Attributes, key: &str) -> Option<f64> {
    attributes.get(key)?.number()
}
