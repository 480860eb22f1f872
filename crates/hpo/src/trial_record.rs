//! A trial as a storage holds it.

use std::collections::BTreeMap;

use crate::{Attributes, Distribution};

/// A trial's key within its storage; it grows with time within a study.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TrialId(pub i64);

/// Where a trial is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TrialState {
    /// Queued: the first worker that asks takes it.
    Waiting,
    /// A worker is on it.
    Running,
    /// It has its values.
    Complete,
    /// Given up early.
    Pruned,
    /// It went wrong, or its values were not numbers.
    Fail,
}

impl TrialState {
    /// True when nothing of the trial changes any more.
    #[must_use]
    pub const fn is_finished(self) -> bool {
        matches!(self, Self::Complete | Self::Pruned | Self::Fail)
    }
}

/// A point in time: microseconds since 1970-01-01 UTC, by the storage's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(pub i64);

/// A parameter that a trial was given.
#[derive(Clone, Debug, PartialEq)]
pub struct Param {
    /// What it could have been.
    pub distribution: Distribution,
    /// What it is, as a number; see [`Distribution`].
    pub value: f64,
}

/// All that is known of a trial.
#[derive(Clone, Debug, PartialEq)]
pub struct FrozenTrial {
    /// Its key within the storage.
    pub id: TrialId,
    /// Its place in the study, counted from 0 without gaps.
    pub number: u64,
    /// Where it is in its life.
    pub state: TrialState,
    /// One per objective when it is complete; infinities are allowed, NaN is not. A pruned trial has its last reported value,
    /// if that is a number.
    pub values: Option<Vec<f64>>,
    /// What it was given, by name.
    pub params: BTreeMap<String, Param>,
    /// What it reported on the way, by step; any float.
    pub intermediate: BTreeMap<i64, f64>,
    /// What users noted.
    pub user_attributes: Attributes,
    /// What samplers, pruners and tools noted.
    pub system_attributes: Attributes,
    /// When a worker took it.
    pub started: Option<Timestamp>,
    /// When it was finished.
    pub completed: Option<Timestamp>,
}

impl FrozenTrial {
    /// The largest step that was reported.
    #[must_use]
    pub fn last_step(&self) -> Option<i64> {
        self.intermediate.last_key_value().map(|(step, _)| *step)
    }
}
