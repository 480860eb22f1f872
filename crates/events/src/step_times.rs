//! Where the time of steps went.

use serde::{Deserialize, Serialize};

use crate::number;

/// Seconds of the steps of an epoch by what they were spent on.
///
/// On a GPU work is handed over and done later: `forward`, `backward` and `update` are the time it takes to hand it over, and
/// the GPU's own time is a part of `wait`. Where several threads share a batch, `forward` and `backward` are those of one
/// thread, their mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StepTimes {
    /// How many steps these are.
    pub steps: u64,
    /// Making batches.
    #[serde(with = "number")]
    pub data: f64,
    /// The network and its losses.
    #[serde(with = "number")]
    pub forward: f64,
    /// Gradients.
    #[serde(with = "number")]
    pub backward: f64,
    /// Unscaling, clipping, moving the weights.
    #[serde(with = "number")]
    pub update: f64,
    /// The rest: for slower threads, for a GPU, for whoever listens.
    #[serde(with = "number")]
    pub wait: f64,
}

impl StepTimes {
    /// Seconds in all.
    #[must_use]
    pub fn total(&self) -> f64 {
        self.stages().iter().map(|(_, seconds)| seconds).sum()
    }

    /// Each stage by its name, in the order of a step.
    #[must_use]
    pub const fn stages(&self) -> [(&'static str, f64); 5] {
        let Self { data, forward, backward, update, wait, .. } = *self;
        [("data", data), ("forward", forward), ("backward", backward), ("update", update), ("wait", wait)]
    }

    /// Each stage by its name: seconds of a step, the mean.
    #[must_use]
    pub fn per_step(&self) -> [(&'static str, f64); 5] {
        self.stages().map(|(stage, seconds)| (stage, seconds / self.steps.max(1) as f64))
    }

    /// The share of the time in which nothing was learned: data was made, or somebody waited.
    #[must_use]
    pub fn stall_share(&self) -> f64 {
        (self.data + self.wait) / self.total()
    }
}
