//! Patience before a verdict.

use super::Pruner;
use crate::{Attributes, FrozenTrial, StudyView};

/// Lets another pruner speak only about trials that have not improved for a while; alone, it gives up on those.
///
/// Optuna's reading of patience: what counts as a while is the last `patience` + 1 reports, and they are compared with all that
/// came before.
///
/// NaN: a report that is NaN is ignored; where a trial's earlier or later reports are all NaN, it goes on.
pub struct PatientPruner {
    wrapped: Option<Box<dyn Pruner>>,
    patience: usize,
    min_delta: f64,
}

impl PatientPruner {
    pub(super) const fn around(wrapped: Option<Box<dyn Pruner>>, patience: usize, min_delta: f64) -> Self {
        Self { wrapped, patience, min_delta }
    }

    fn is_stuck(&self, view: StudyView<'_>, trial: &FrozenTrial) -> bool {
        let Some(direction) = view.study.directions.first() else { return false };
        let losses: Vec<f64> = trial.intermediate.values().map(|value| direction.loss(*value)).collect();
        let Some(earlier) = losses.len().checked_sub(self.patience + 1).filter(|earlier| *earlier > 0) else {
            return false;
        };
        let least = |losses: &[f64]| losses.iter().copied().fold(f64::NAN, f64::min);
        least(&losses[..earlier]) + self.min_delta < least(&losses[earlier..])
    }
}

impl Pruner for PatientPruner {
    fn name(&self) -> &'static str {
        "patient"
    }

    fn verdict(&self, view: StudyView<'_>, trial: &FrozenTrial) -> (bool, Attributes) {
        if !self.is_stuck(view, trial) {
            return (false, Attributes::new());
        }
        self.wrapped
            .as_ref()
            .map_or_else(|| (true, Attributes::new()), |wrapped| wrapped.verdict(view, trial))
    }

    fn siblings(&self, view: StudyView<'_>, trial: &FrozenTrial) -> Option<Vec<u64>> {
        self.wrapped.as_ref()?.siblings(view, trial)
    }
}
