//! Is a trial worse than the best one, step by step?

mod signed_rank;

pub(super) use signed_rank::upper_tail;

use super::{Pruner, WilcoxonSpec};
use crate::{Attributes, FrozenTrial, StudyView, best_trial};

/// Fewer pairs than these say nothing, whatever a user asks for.
const FEWEST_PAIRS: usize = 2;

/// Gives up on a trial that a one-sided signed-rank test finds worse than the best trial, over the steps that both reported.
/// It is for steps that are repetitions, such as folds or seeds, in any order, and not for learning curves.
///
/// A trial whose mean is not worse than the best one's goes on whatever the test says.
///
/// NaN: if either trial reported anything that is not finite, the trial goes on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WilcoxonPruner {
    p_threshold: f64,
    startup_steps: usize,
}

impl WilcoxonPruner {
    pub(super) const fn of(spec: &WilcoxonSpec) -> Self {
        Self { p_threshold: spec.p_threshold, startup_steps: spec.startup_steps }
    }

    fn is_worse(&self, view: StudyView<'_>, trial: &FrozenTrial) -> bool {
        let (Some(best), Some(direction)) = (best_trial(view), view.study.directions.first()) else {
            return false;
        };
        let all_finite = |trial: &FrozenTrial| {
            !trial.intermediate.is_empty() && trial.intermediate.values().all(|value| value.is_finite())
        };
        if !all_finite(trial) || !all_finite(&best) {
            return false;
        }
        let differences: Vec<f64> = trial
            .intermediate
            .iter()
            .filter_map(|(step, value)| {
                Some(direction.loss(*value) - direction.loss(*best.intermediate.get(step)?))
            })
            .collect();
        if differences.len() < self.startup_steps.max(FEWEST_PAIRS) {
            return false;
        }
        let mean = |trial: &FrozenTrial| {
            let total: f64 = trial.intermediate.values().map(|value| direction.loss(*value)).sum();
            total / trial.intermediate.len() as f64
        };
        upper_tail(&differences) < self.p_threshold && mean(trial) > mean(&best)
    }
}

impl Pruner for WilcoxonPruner {
    fn name(&self) -> &'static str {
        "wilcoxon"
    }

    fn verdict(&self, view: StudyView<'_>, trial: &FrozenTrial) -> (bool, Attributes) {
        (self.is_worse(view, trial), Attributes::new())
    }
}
