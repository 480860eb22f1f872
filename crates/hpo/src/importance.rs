//! Which parameters matter.

mod fanova;
mod forest;
mod ped_anova;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use fanova::{DEFAULT_DEPTH, DEFAULT_TREES, FanovaSpec};
pub use ped_anova::{DEFAULT_TARGET_QUANTILE, PedAnovaSpec};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{FrozenTrial, HpoError, StudyView, TrialState};

/// How importance is measured.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Evaluator {
    /// How much the best trials' values of a parameter differ from those of all trials; also for parameters that not every
    /// trial has. Fast; what Optuna 5.0 does unless it is told otherwise.
    PedAnova(PedAnovaSpec),
    /// What share of the variance of the objective a parameter explains alone, by a random forest.
    Fanova(FanovaSpec),
}

impl Default for Evaluator {
    fn default() -> Self {
        Self::PedAnova(PedAnovaSpec::default())
    }
}

/// What a parameter contributes.
#[derive(Clone, Debug, PartialEq)]
pub struct Importance {
    /// The parameter.
    pub name: String,
    /// Its share; all shares of a study add up to 1.
    pub share: f64,
}

/// The importance of every parameter, the largest first, those of equal ones by name. Empty before the first complete trial; all
/// equal where nothing can be told apart.
///
/// It is measured for one `objective`; without one, for the only one there is, or for being near the front, which
/// [`Evaluator::PedAnova`] alone can say. Trials whose value is not finite are left out.
///
/// # Errors
/// [`HpoError::Objectives`] if there are several and the evaluator needs one, or none of that number.
pub fn importance(
    view: StudyView<'_>,
    evaluator: Evaluator,
    objective: Option<usize>,
) -> Result<Vec<Importance>, HpoError> {
    let objectives = view.study.directions.len();
    let wrong =
        |expected| HpoError::Objectives { study: view.study.name.clone(), found: objectives, expected };
    if let Some(objective) = objective.filter(|objective| *objective >= objectives) {
        return Err(wrong(objective + 1));
    }
    let trials = finite_trials(view, objective);
    let raw = match evaluator {
        Evaluator::PedAnova(spec) => ped_anova::evaluate(view, &spec, &trials),
        Evaluator::Fanova(_) if objective.is_none() && objectives != 1 => return Err(wrong(1)),
        Evaluator::Fanova(spec) => fanova::evaluate(view, &spec, &trials),
    };
    Ok(in_shares(raw))
}

/// The complete trials with their losses in the objectives that count, all of them finite.
fn finite_trials(view: StudyView<'_>, objective: Option<usize>) -> Vec<(Arc<FrozenTrial>, Vec<f64>)> {
    let directions = &view.study.directions;
    let with_losses = |trial: &Arc<FrozenTrial>| {
        let values = trial.values.as_deref().filter(|values| values.len() == directions.len())?;
        let mut losses = crate::pareto::losses(values, directions);
        if let Some(objective) = objective {
            losses = vec![losses[objective]];
        }
        losses.iter().all(|loss| loss.is_finite()).then(|| (Arc::clone(trial), losses))
    };
    view.history.in_state(TrialState::Complete).filter_map(with_losses).collect()
}

fn in_shares(raw: BTreeMap<String, f64>) -> Vec<Importance> {
    let (total, count) = (raw.values().sum::<f64>(), raw.len() as f64);
    let share = |value: f64| if total > 0.0 { value / total } else { 1.0 / count };
    let mut all: Vec<Importance> =
        raw.into_iter().map(|(name, value)| Importance { name, share: share(value) }).collect();
    all.sort_by(|left, right| right.share.total_cmp(&left.share));
    all
}
