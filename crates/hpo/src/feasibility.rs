//! Constraints of trials, and which trial is best under them.

use std::sync::Arc;

use crate::{FrozenTrial, StudyView, TrialState};

/// Optuna 4's key: a list of numbers.
const LIST_KEY: &str = "constraints";
/// Optuna 5's prefix: one number under each key.
const PREFIX: &str = "constraints:";

/// The constraints noted on a trial, in the order of their keys; above 0 is violated. A note that is no number counts as NaN.
pub(crate) fn constraints(trial: &FrozenTrial) -> Vec<f64> {
    let mut all = Vec::new();
    if let Some(list) = trial.system_attributes.get(LIST_KEY)
        && list.as_str().trim() != "null"
    {
        all.extend(list.numbers().unwrap_or_else(|| vec![f64::NAN]));
    }
    let by_key =
        trial.system_attributes.range(PREFIX.to_owned()..).take_while(|(key, _)| key.starts_with(PREFIX));
    all.extend(by_key.map(|(_, value)| value.number().unwrap_or(f64::NAN)));
    all
}

/// By how much a trial violates its constraints: the sum of those that are violated, 0 for a trial that violates none or has
/// none. A constraint of NaN says nothing about how far it is from being met, so it counts as infinitely violated.
#[must_use]
pub fn violation(trial: &FrozenTrial) -> f64 {
    let size = |value: f64| if value.is_nan() { f64::INFINITY } else { value.max(0.0) };
    constraints(trial).into_iter().map(size).sum()
}

/// The complete trial with the best first objective among those that violate nothing; the earliest of equals. `None` when
/// there is none.
#[must_use]
pub fn best_trial(view: StudyView<'_>) -> Option<Arc<FrozenTrial>> {
    let direction = *view.study.directions.first()?;
    let mut best: Option<(f64, &Arc<FrozenTrial>)> = None;
    for trial in view.history.in_state(TrialState::Complete) {
        let Some(value) = trial.values.as_ref().and_then(|values| values.first()) else { continue };
        let loss = direction.loss(*value);
        if best.is_none_or(|(least, _)| loss < least) && violation(trial) <= 0.0 {
            best = Some((loss, trial));
        }
    }
    best.map(|(_, trial)| trial.clone())
}
