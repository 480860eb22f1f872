//! Asynchronous successive halving.

use super::{HalvingSpec, Pruner};
use crate::{Attributes, Direction, FrozenTrial, RawJson, StudyView, TrialState};

/// What a rung is called among a trial's system attributes; its number follows. Optuna's name, so that trials of both compete.
const RUNG_PREFIX: &str = "completed_rung_";
/// The automatic least resource is this share of what the first complete trial used.
const SHARE_OF_RESOURCE: i64 = 100;

/// At steps that grow by a factor, the *rungs*, only the best of all that came so far go on (Li et al., "A system for massively
/// parallel hyperparameter tuning", 2020). No trial waits for another.
///
/// A trial's value at a rung is noted as `completed_rung_<k>`, which trials in any state leave for the others.
///
/// NaN: a trial whose value at a rung is NaN is given up, and leaves nothing for the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HalvingPruner {
    /// `None`: found from the first complete trial.
    min_resource: Option<i64>,
    factor: i64,
    skipped_rungs: u32,
    bootstrap_trials: usize,
}

impl HalvingPruner {
    pub(super) const fn of(spec: &HalvingSpec) -> Self {
        Self {
            min_resource: match spec.min_resource {
                Some(steps) => Some(steps as i64),
                None => None,
            },
            factor: spec.reduction_factor as i64,
            skipped_rungs: spec.skipped_rungs,
            bootstrap_trials: spec.bootstrap_trials,
        }
    }

    pub(super) const fn bracket(
        min_resource: i64,
        factor: i64,
        bracket: u32,
        bootstrap_trials: usize,
    ) -> Self {
        Self { min_resource: Some(min_resource), factor, skipped_rungs: bracket, bootstrap_trials }
    }

    /// The verdict among those of `view`'s trials whose number `competes`.
    pub(super) fn verdict_among(
        &self,
        view: StudyView<'_>,
        trial: &FrozenTrial,
        competes: &dyn Fn(u64) -> bool,
    ) -> (bool, Attributes) {
        let mut notes = Attributes::new();
        let (Some((step, value)), Some(direction)) =
            (trial.intermediate.last_key_value(), view.study.directions.first())
        else {
            return (false, notes);
        };
        let first = self.min_resource.or_else(|| {
            let steps = first_complete_trial(view)?.last_step()?;
            Some((steps / SHARE_OF_RESOURCE).max(1))
        });
        let Some(first) = first else { return (false, notes) };

        let mut rung: u32 = 0;
        while trial.system_attributes.contains_key(&rung_key(rung)) {
            rung += 1;
        }
        loop {
            let threshold =
                self.factor.checked_pow(self.skipped_rungs + rung).and_then(|times| first.checked_mul(times));
            if threshold.is_none_or(|threshold| *step < threshold) {
                return (false, notes);
            }
            if value.is_nan() {
                return (true, notes);
            }
            let key = rung_key(rung);
            let others = view.history.trials().iter().filter(|other| other.number != trial.number);
            let mut competing: Vec<f64> = others
                .filter(|other| competes(other.number))
                .filter_map(|other| other.system_attributes.get(&key)?.number())
                .filter(|value| !value.is_nan())
                .chain([*value])
                .map(|value| direction.loss(value))
                .collect();
            notes.insert(key, RawJson::from_number(*value));
            if competing.len() <= self.bootstrap_trials
                || !self.is_promoted(*value, *direction, &mut competing)
            {
                return (true, notes);
            }
            rung += 1;
        }
    }

    /// Whether `value` is among the best of `competing` losses: one in `factor`, and at least one. Ties pass.
    fn is_promoted(&self, value: f64, direction: Direction, competing: &mut [f64]) -> bool {
        competing.sort_by(f64::total_cmp);
        let promoted = (competing.len() / self.factor as usize).max(1);
        direction.loss(value) <= competing[promoted - 1]
    }
}

impl Pruner for HalvingPruner {
    fn name(&self) -> &'static str {
        "successive_halving"
    }

    fn verdict(&self, view: StudyView<'_>, trial: &FrozenTrial) -> (bool, Attributes) {
        self.verdict_among(view, trial, &|_| true)
    }
}

/// The complete trial with reports that was finished first, by the storage's clock: the same one for every worker and at any
/// time, so that what is derived from it never changes within a study.
pub(super) fn first_complete_trial<'a>(view: StudyView<'a>) -> Option<&'a FrozenTrial> {
    let with_reports =
        view.history.in_state(TrialState::Complete).filter(|trial| !trial.intermediate.is_empty());
    // Those whose time is unknown come last; equal times are told apart by number.
    let first = with_reports.min_by_key(|trial| (trial.completed.is_none(), trial.completed, trial.number));
    first.map(std::ops::Deref::deref)
}

fn rung_key(rung: u32) -> String {
    format!("{RUNG_PREFIX}{rung}")
}
