//! Importance as the share of variance that a parameter explains alone.
//!
//! F. Hutter, H. Hoos and K. Leyton-Brown, "An efficient approach for assessing hyperparameter importance" (2014).

mod marginal;

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) use self::marginal::Leaves;
use super::forest::grow;
use crate::{Distribution, FrozenTrial, SearchSpace, StudyView, TrialRandom};

/// Trees of a forest; Optuna's.
pub const DEFAULT_TREES: usize = 64;
/// Splits on the way to a leaf, at most; Optuna's.
pub const DEFAULT_DEPTH: usize = 64;

/// Settings of fANOVA.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FanovaSpec {
    /// Trees of the forest.
    pub trees: usize,
    /// Splits on the way to a leaf, at most.
    pub depth: usize,
    /// What the samples of the trees are drawn from.
    pub seed: u64,
}

impl Default for FanovaSpec {
    fn default() -> Self {
        Self { trees: DEFAULT_TREES, depth: DEFAULT_DEPTH, seed: 0 }
    }
}

/// The importance of each parameter that all complete trials have, not normalised: the mean over trees of the share of variance.
pub(super) fn evaluate(
    view: StudyView<'_>,
    spec: &FanovaSpec,
    trials: &[(Arc<FrozenTrial>, Vec<f64>)],
) -> BTreeMap<String, f64> {
    let space = intersection(view);
    let mut importances: BTreeMap<String, f64> = space.keys().map(|name| (name.clone(), 0.0)).collect();
    let varying: SearchSpace =
        space.into_iter().filter(|(_, distribution)| !distribution.is_single()).collect();
    if trials.len() < 2 || varying.is_empty() {
        return importances;
    }
    let rows: Vec<Vec<f64>> = trials.iter().map(|(trial, _)| row(&varying, trial)).collect();
    let targets: Vec<f64> = trials.iter().map(|(_, losses)| losses[0]).collect();
    let mut bounds = Vec::new();
    let mut columns = Vec::new();
    for distribution in varying.values() {
        let first = bounds.len();
        bounds.extend(column_bounds(distribution));
        columns.push(first..bounds.len());
    }
    let (mut counted, mut sums) = (0, vec![0.0; columns.len()]);
    for tree in 0..spec.trees {
        let tree = grow(&rows, &targets, spec.depth, &mut TrialRandom::of(spec.seed, tree as u64));
        let leaves = Leaves::of(&tree, &bounds);
        let variance = leaves.variance();
        if variance > 0.0 {
            counted += 1;
            for (sum, columns) in sums.iter_mut().zip(&columns) {
                *sum += leaves.marginal_variance(columns.clone()).max(0.0) / variance;
            }
        }
    }
    for (name, sum) in varying.keys().zip(sums) {
        importances.insert(name.clone(), if counted == 0 { 0.0 } else { sum / f64::from(counted) });
    }
    importances
}

/// The parameters that all complete trials have, with equal distributions.
fn intersection(view: StudyView<'_>) -> SearchSpace {
    let mut trials = view.history.in_state(crate::TrialState::Complete);
    let Some(first) = trials.next() else { return SearchSpace::new() };
    let params = first.params.iter();
    let mut space: SearchSpace =
        params.map(|(name, param)| (name.clone(), param.distribution.clone())).collect();
    for trial in trials {
        space.retain(|name, distribution| {
            trial.params.get(name).is_some_and(|param| param.distribution == *distribution)
        });
    }
    space
}

/// A trial's values: a number as it is, a choice as one column each.
fn row(space: &SearchSpace, trial: &FrozenTrial) -> Vec<f64> {
    let mut row = Vec::new();
    for (name, distribution) in space {
        let value = trial.params.get(name).map_or(0.0, |param| param.value);
        match distribution {
            Distribution::Categorical(categories) => {
                row.extend(
                    (0..categories.choices.len()).map(|choice| f64::from(u8::from(choice as f64 == value))),
                );
            }
            Distribution::Float(_) | Distribution::Int(_) => row.push(value),
        }
    }
    row
}

fn column_bounds(distribution: &Distribution) -> Vec<(f64, f64)> {
    match distribution {
        Distribution::Float(float) => vec![(float.low, float.high)],
        Distribution::Int(int) => vec![(int.low as f64, int.high as f64)],
        Distribution::Categorical(categories) => vec![(0.0, 1.0); categories.choices.len()],
    }
}
