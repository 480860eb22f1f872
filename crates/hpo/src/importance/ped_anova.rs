//! Importance as the distance between the best trials and all of them.
//!
//! S. Watanabe, A. Bansal and F. Hutter, "PED-ANOVA: efficiently quantifying hyperparameter importance in arbitrary subspaces"
//! (arXiv 2304.10255); for parameters that not every trial has, "Conditional PED-ANOVA" (arXiv 2601.20800), theorem 4.2.

mod density;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Distribution, FrozenTrial, StudyView, TrialState, pareto};

/// The best tenth: enough trials for a density, and few enough to be the good ones.
pub const DEFAULT_TARGET_QUANTILE: f64 = 0.1;
/// Added to densities, so that none is 0.
const FLOOR: f64 = 1e-12;
/// Fewer trials that share a distribution have no density.
const FEWEST: usize = 2;

/// Settings of PED-ANOVA.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PedAnovaSpec {
    /// The share of the trials that counts as best, from 0 to 1; with several objectives, by rank and hypervolume.
    pub target_quantile: f64,
}

impl Default for PedAnovaSpec {
    fn default() -> Self {
        Self { target_quantile: DEFAULT_TARGET_QUANTILE }
    }
}

/// The importance of each parameter that some complete trial has, not normalised.
pub(super) fn evaluate(
    view: StudyView<'_>,
    spec: &PedAnovaSpec,
    trials: &[(Arc<FrozenTrial>, Vec<f64>)],
) -> BTreeMap<String, f64> {
    let complete = view.history.in_state(TrialState::Complete);
    let mut importances: BTreeMap<String, f64> =
        complete.flat_map(|trial| trial.params.keys()).map(|name| (name.clone(), 0.0)).collect();
    if trials.len() < 2 {
        return importances;
    }
    let best = best(trials, spec.target_quantile);
    let (all_count, best_count) = (trials.len() as f64, best.len() as f64);
    for (name, importance) in &mut importances {
        // Trials by what the parameter could be; those that do not have it are one regime more.
        let mut regimes: Vec<(Option<&Distribution>, Vec<usize>)> = Vec::new();
        for (place, (trial, _)) in trials.iter().enumerate() {
            let distribution = trial.params.get(name).map(|param| &param.distribution);
            match regimes.iter_mut().find(|(known, _)| *known == distribution) {
                Some((_, members)) => members.push(place),
                None => regimes.push((distribution, vec![place])),
            }
        }
        for (distribution, members) in regimes {
            let good: Vec<usize> = members.iter().copied().filter(|place| best.contains(place)).collect();
            let Some(distribution) = distribution.filter(|distribution| !distribution.is_single()) else {
                continue;
            };
            if members.len() < FEWEST || good.is_empty() {
                continue;
            }
            let density = |places: &[usize]| {
                let values = places.iter().filter_map(|place| trials[*place].0.params.get(name));
                density::on_grid(distribution, values.map(|param| param.value))
            };
            let (good_share, share) = (good.len() as f64 / best_count, members.len() as f64 / all_count);
            *importance += good_share * good_share / share * divergence(&density(&good), &density(&members));
        }
        *importance *= (best_count / all_count).powi(2);
    }
    importances
}

/// Pearson's divergence of the first density from the second.
fn divergence(good: &[f64], all: &[f64]) -> f64 {
    good.iter()
        .zip(all)
        .map(|(good, all)| (good + FLOOR, all + FLOOR))
        .map(|(good, all)| all * (good / all - 1.0).powi(2))
        .sum()
}

/// The places of the best trials: with one objective all that are no worse than the last of the share, ties included.
fn best(trials: &[(Arc<FrozenTrial>, Vec<f64>)], share: f64) -> BTreeSet<usize> {
    let count = ((share * trials.len() as f64).ceil() as usize).clamp(1, trials.len());
    if trials[0].1.len() > 1 {
        let points: Vec<Vec<f64>> = trials.iter().map(|(_, losses)| losses.clone()).collect();
        return pareto::best_points(&points, count).into_iter().collect();
    }
    let mut losses: Vec<f64> = trials.iter().map(|(_, losses)| losses[0]).collect();
    losses.sort_by(f64::total_cmp);
    (0..trials.len()).filter(|place| trials[*place].1[0] <= losses[count - 1]).collect()
}
