//! Everything a resume needs besides weights and the optimiser's tensors.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::guard::GuardMemory;
use crate::lineage::Lineage;
use crate::metric::Metric;
use crate::stop::Progress;

/// The layout of `state.json` that this release writes.
pub const STATE_VERSION: u32 = 3;

/// The oldest layout that this release reads. A field that came since then has a default, which means what a run without it
/// did.
pub const OLDEST_STATE_VERSION: u32 = 2;

/// Where a run is. A field that is added has `#[serde(default)]`, so that older checkpoints can be read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// [`STATE_VERSION`] when it was written.
    pub version: u32,
    /// Steps done, those that were skipped included.
    pub step: usize,
    /// Epochs finished.
    pub epoch: usize,
    /// Batches done in the epoch that is under way. A step is never cut, so none of them belongs to one that is not done.
    pub cursor: usize,
    /// The train loss of the epoch that is under way.
    pub running: RunningLoss,
    /// The steps that were skipped, in order: their gradient or their loss was not finite.
    #[serde(default)]
    pub skipped_steps: Vec<usize>,
    /// What the guards remember.
    #[serde(default)]
    pub guards: GuardMemory,
    /// Somebody wanted the epoch that ended last to be the last.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stopped: bool,
    /// What each finished epoch came to.
    pub history: Vec<EpochRecord>,
    /// Where the run comes from.
    pub lineage: Lineage,
}

/// Sums behind the train loss of an epoch.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunningLoss {
    /// Samples seen.
    pub samples: u64,
    /// Σ loss of a step × its samples.
    pub total: f64,
    /// The same for each task.
    pub tasks: BTreeMap<String, f64>,
}

impl RunningLoss {
    /// Adds a step on `samples` samples.
    pub(crate) fn add(&mut self, samples: usize, total: f64, tasks: &BTreeMap<String, f64>) {
        let weight = samples as f64;
        self.samples += samples as u64;
        self.total += weight * total;
        for (task, loss) in tasks {
            *self.tasks.entry(task.clone()).or_default() += weight * loss;
        }
    }

    /// The means as metrics of the train span.
    pub(crate) fn metrics(&self) -> BTreeMap<String, Option<f64>> {
        let mean = |sum: f64| (self.samples > 0).then(|| sum / self.samples as f64);
        let tasks = self.tasks.iter().map(|(task, sum)| (format!("train/{task}/loss"), mean(*sum)));
        tasks.chain([("train/loss".to_owned(), mean(self.total))]).collect()
    }
}

/// A finished epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EpochRecord {
    /// Its number, from 0.
    pub epoch: usize,
    /// Steps done at its end.
    pub step: usize,
    /// What it came to.
    pub metrics: BTreeMap<String, Option<f64>>,
}

impl State {
    /// The state before the first step.
    #[must_use]
    pub fn fresh(lineage: Lineage) -> Self {
        Self {
            version: STATE_VERSION,
            step: 0,
            epoch: 0,
            cursor: 0,
            running: RunningLoss::default(),
            skipped_steps: Vec::new(),
            guards: GuardMemory::default(),
            stopped: false,
            history: Vec::new(),
            lineage,
        }
    }

    /// The epoch of the last step, counted from 1.
    #[must_use]
    pub fn last_epoch(&self) -> u64 {
        self.epoch as u64 + u64::from(self.cursor > 0)
    }

    /// How many of the steps up to `step` were skipped.
    #[must_use]
    pub(crate) fn skipped_until(&self, step: usize) -> usize {
        self.skipped_steps.partition_point(|skipped| *skipped <= step)
    }

    /// A metric over the finished epochs.
    #[must_use]
    pub fn history_of(&self, metric: &str) -> Vec<Option<f64>> {
        self.history.iter().map(|record| record.metrics.get(metric).copied().flatten()).collect()
    }

    /// The epoch, counted from 1, that was the best by `metric`; the first of equals.
    #[must_use]
    pub fn epochs_to_best(&self, metric: &Metric) -> Option<usize> {
        let progress = Progress::of(&self.history_of(&metric.name), metric.direction, 0.0);
        progress.best_epoch.map(|epoch| epoch + 1)
    }
}
