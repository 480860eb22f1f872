//! Where a run comes from: everything that two runs must share to be the same run.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tapeline_data_pipeline::{DataSpec, LabelSpec, SplitInstants};
use tapeline_models::NetworkSpec;

use crate::error::TrainError;
use crate::spec::{TasksSpec, TrainingSpec};

/// The libtorch that this release is built against.
pub const LIBTORCH: &str = "2.11.0";

/// What decides every bit of a run. Saved with each checkpoint; a resume with another lineage is refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lineage {
    /// This crate's version.
    pub tapeline: String,
    /// The libtorch that computed it.
    pub libtorch: String,
    /// `cpu`, `cuda:0`, …
    pub device: String,
    /// Threads that share a batch, on the CPU: sums over samples are cut by it, so it moves the last bits.
    pub threads: usize,
    /// The root of all randomness.
    pub seed: u64,
    /// BLAKE3 of the bars.
    pub data: String,
    /// What was made of them: features, windows, scaling, split. Where the bars lie is no part of it.
    pub pipeline: DataSpec,
    /// The instants the spans begin.
    pub split: SplitInstants,
    /// What is forecast.
    pub labels: Vec<LabelSpec>,
    /// Which of it is learned, how a miss is counted and how much it weighs.
    pub tasks: TasksSpec,
    /// Which network.
    pub network: NetworkSpec,
    /// How it is trained.
    pub training: TrainingSpec,
}

impl Lineage {
    /// Whether the same run gives the same bits each time: on the CPU always, on a GPU where it was asked for.
    #[must_use]
    pub fn is_deterministic(&self) -> bool {
        self.device == "cpu" || self.training.deterministic
    }

    /// The parts in which `self` differs from `other`, as `path: other's → self's`; how often to save is no part
    /// of it, nor is where the bars lie.
    #[must_use]
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let mut differences = Vec::new();
        compare("", &comparable(other), &comparable(self), &mut differences);
        differences
    }

    /// Whether this is the run that `other` was, which it must be to go on with it or to speak for it.
    ///
    /// # Errors
    /// What [`differences`](Self::differences) names.
    pub fn ensure_is(&self, other: &Self) -> Result<(), TrainError> {
        let differences = self.differences(other);
        if differences.is_empty() { Ok(()) } else { Err(TrainError::Lineage { differences }) }
    }
}

fn comparable(lineage: &Lineage) -> Value {
    let mut lineage = lineage.clone();
    lineage.pipeline.source.path = None;
    let metric = lineage.training.checkpointing.metric;
    lineage.training.checkpointing = crate::spec::CheckpointingSpec { metric, ..Default::default() };
    serde_json::to_value(lineage).unwrap_or(Value::Null)
}

fn compare(path: &str, old: &Value, new: &Value, differences: &mut Vec<String>) {
    match (old, new) {
        (Value::Object(a), Value::Object(b)) => {
            for key in a.keys().chain(b.keys().filter(|key| !a.contains_key(*key))) {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                let side =
                    |map: &serde_json::Map<String, Value>| map.get(key).cloned().unwrap_or(Value::Null);
                compare(&path, &side(a), &side(b), differences);
            }
        }
        _ if old == new => {}
        _ => differences.push(format!("{path}: {old} → {new}")),
    }
}
