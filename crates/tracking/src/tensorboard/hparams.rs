//! The values that runs are compared by, in the HParams view: one session per run.

use std::collections::BTreeMap;

use prost::Message as _;
use serde_json::Value as Json;

use super::event::of_plugin;
use super::message::{
    Dimension, Experiment, FLOAT, HPARAM_KINDS, HparamInfo, HparamKind, HparamValue, HparamsData,
    HparamsKind, MetricInfo, MetricName, SessionEnd, SessionStart, Shape, Shown, Tensor, Value,
};
use crate::RunFacts;

/// Sections of the configuration that say how a run is trained; the others say where it lies and who hears of it.
const COMPARED: [&str; 4] = ["data", "tasks", "model", "training"];

/// What is among them and says where bars come from. The view sorts by name, and these would stand before all others.
const NOT_COMPARED: [&str; 3] = ["data.audit", "data.repair", "data.source"];

/// Said at the start of a run.
pub(super) fn start(facts: &RunFacts, at: f64) -> Vec<Value> {
    let hparams = hparams(&facts.config);
    let info = |(name, value): (&String, &HparamValue)| {
        let (text, bool, number) = HPARAM_KINDS;
        let kind = match value.kind {
            Some(HparamKind::Number(_)) => number,
            Some(HparamKind::Bool(_)) => bool,
            _ => text,
        };
        HparamInfo { name: name.clone(), kind }
    };
    let experiment = Experiment {
        created: at,
        hparams: hparams.iter().map(info).collect(),
        metrics: vec![MetricInfo { name: Some(MetricName { tag: "validation/loss".into() }) }],
        name: facts.experiment.clone(),
    };
    let start = SessionStart { hparams, group: facts.run_id.clone(), at };
    vec![
        value("_hparams_/experiment", HparamsKind::Experiment(experiment)),
        value("_hparams_/session_start_info", HparamsKind::Start(start)),
    ]
}

/// Said at the end of a run.
pub(super) fn end(status: i32, at: f64) -> Value {
    value("_hparams_/session_end_info", HparamsKind::End(SessionEnd { status, at }))
}

fn value(tag: &str, data: HparamsKind) -> Value {
    let content = HparamsData { data: Some(data) }.encode_to_vec();
    // The view wants a tensor, and looks into the metadata alone.
    let empty = Shape { dim: vec![Dimension { size: 0 }] };
    let tensor = Tensor { kind: FLOAT, shape: Some(empty), text: Vec::new() };
    Value {
        tag: tag.into(),
        shown: Some(Shown::Tensor(tensor)),
        metadata: Some(of_plugin("hparams", content)),
    }
}

fn hparams(config: &Json) -> BTreeMap<String, HparamValue> {
    let mut hparams = BTreeMap::new();
    for section in COMPARED {
        if let Some(value) = config.get(section) {
            collect(section.into(), value, &mut hparams);
        }
    }
    hparams
}

fn collect(path: String, value: &Json, hparams: &mut BTreeMap<String, HparamValue>) {
    if NOT_COMPARED.contains(&path.as_str()) {
        return;
    }
    let kind = match value {
        Json::Object(section) => {
            section.iter().for_each(|(name, value)| collect(format!("{path}.{name}"), value, hparams));
            return;
        }
        Json::Null => return,
        Json::Bool(value) => HparamKind::Bool(*value),
        Json::Number(value) => HparamKind::Number(value.as_f64().unwrap_or(f64::NAN)),
        Json::String(text) => HparamKind::Text(text.clone()),
        Json::Array(_) => HparamKind::Text(value.to_string()),
    };
    hparams.insert(path, HparamValue { kind: Some(kind) });
}
