//! Limits that no report may cross.

use super::cadence::Cadence;
use super::{Pruner, ThresholdSpec};
use crate::{Attributes, FrozenTrial, StudyView};

/// Gives up on a trial whose last report is outside of limits. It compares with no other trial.
///
/// NaN: is outside.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ThresholdPruner {
    lower: f64,
    upper: f64,
    cadence: Cadence,
}

impl ThresholdPruner {
    pub(super) const fn of(spec: &ThresholdSpec) -> Self {
        Self {
            lower: match spec.lower {
                Some(lower) => lower,
                None => f64::NEG_INFINITY,
            },
            upper: match spec.upper {
                Some(upper) => upper,
                None => f64::INFINITY,
            },
            cadence: Cadence { warmup_steps: spec.warmup_steps as i64, interval: spec.interval as i64 },
        }
    }
}

impl Pruner for ThresholdPruner {
    fn name(&self) -> &'static str {
        "threshold"
    }

    fn verdict(&self, _: StudyView<'_>, trial: &FrozenTrial) -> (bool, Attributes) {
        let outside = trial.intermediate.last_key_value().is_some_and(|(step, value)| {
            self.cadence.strikes(trial, *step) && !(self.lower <= *value && *value <= self.upper)
        });
        (outside, Attributes::new())
    }
}
