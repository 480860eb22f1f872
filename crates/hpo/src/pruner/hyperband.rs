//! Several races of successive halving at once.

use super::halving::{HalvingPruner, first_complete_trial};
use super::{HyperbandSpec, Pruner};
use crate::{Attributes, FrozenTrial, StudyView};

/// Successive halving with several first rungs at once, the *brackets*, since nobody knows how early a curve tells (Li et al.,
/// "Hyperband: a novel bandit-based approach to hyperparameter optimization", 2018). A trial's bracket follows from the study's
/// name and its number, by Optuna's rule, so that workers of both agree.
///
/// NaN: as in [`HalvingPruner`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HyperbandPruner {
    min_resource: i64,
    /// `None`: one more than the last step of the first complete trial; nobody is given up before there is one.
    max_resource: Option<i64>,
    factor: i64,
    bootstrap_trials: usize,
}

impl HyperbandPruner {
    pub(super) const fn of(spec: &HyperbandSpec) -> Self {
        Self {
            min_resource: spec.min_resource as i64,
            max_resource: match spec.max_resource {
                Some(steps) => Some(steps as i64),
                None => None,
            },
            factor: spec.reduction_factor as i64,
            bootstrap_trials: spec.bootstrap_trials,
        }
    }

    /// How many of the trials each bracket gets, in proportion; empty while that is unknown, or if the largest resource is
    /// less than the least.
    fn budgets(&self, view: StudyView<'_>) -> Vec<u64> {
        let most =
            self.max_resource.or_else(|| Some(first_complete_trial(view)?.last_step()?.saturating_add(1)));
        let Some(most) = most.filter(|most| *most >= self.min_resource) else { return Vec::new() };
        let factor = self.factor as f64;
        // As floats, with their rounding: workers of Optuna compute the same.
        let brackets = ((most as f64 / self.min_resource as f64).ln() / factor.ln()).floor() as i32 + 1;
        let budget = |bracket: i32| {
            let left = brackets - bracket;
            (f64::from(brackets) * factor.powi(left - 1) / f64::from(left)).ceil() as u64
        };
        (0..brackets).map(budget).collect()
    }

    fn bracket(view: StudyView<'_>, number: u64, budgets: &[u64]) -> usize {
        let total: u128 = budgets.iter().map(|budget| u128::from(*budget)).sum();
        let name = format!("{}_{number}", view.study.name);
        let mut place = u128::from(crc32fast::hash(name.as_bytes())) % total.max(1);
        for (bracket, budget) in budgets.iter().enumerate() {
            if place < u128::from(*budget) {
                return bracket;
            }
            place -= u128::from(*budget);
        }
        0
    }
}

impl Pruner for HyperbandPruner {
    fn name(&self) -> &'static str {
        "hyperband"
    }

    fn verdict(&self, view: StudyView<'_>, trial: &FrozenTrial) -> (bool, Attributes) {
        let budgets = self.budgets(view);
        if budgets.is_empty() {
            return (false, Attributes::new());
        }
        let bracket = Self::bracket(view, trial.number, &budgets);
        let halving =
            HalvingPruner::bracket(self.min_resource, self.factor, bracket as u32, self.bootstrap_trials);
        halving.verdict_among(view, trial, &|number| Self::bracket(view, number, &budgets) == bracket)
    }

    fn siblings(&self, view: StudyView<'_>, trial: &FrozenTrial) -> Option<Vec<u64>> {
        let budgets = self.budgets(view);
        if budgets.is_empty() {
            return None;
        }
        let bracket = Self::bracket(view, trial.number, &budgets);
        let numbers = view.history.trials().iter().map(|other| other.number);
        Some(numbers.filter(|number| Self::bracket(view, *number, &budgets) == bracket).collect())
    }
}
