//! `training.average`: the mean of the weights over the last steps.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An exponential moving average of the weights. What is scored, kept as best and put into the artefact is the average.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AverageSpec {
    /// Share of the average that a step keeps, in [0, 1). Step number t keeps (1 + t)/(10 + t) of it at most, so that the
    /// start is forgotten.
    pub decay: f64,
}

impl Default for AverageSpec {
    /// A mean over about a thousand steps.
    fn default() -> Self {
        Self { decay: 0.999 }
    }
}
