//! What is best when there are several objectives.
//!
//! Points are *losses* here: one number per objective, less is better in each ([`losses`] turns values around). None is NaN.

mod hypervolume;
mod subset;
#[cfg(test)]
mod tests;

pub use hypervolume::hypervolume;
pub use subset::{best_points, greedy_subset};

use std::cmp::Ordering;
use std::sync::Arc;

use crate::feasibility::violation;
use crate::{Direction, FrozenTrial, StudyView, TrialState};

/// A trial's values as losses: those that are to be large change their sign.
#[must_use]
pub fn losses(values: &[f64], directions: &[Direction]) -> Vec<f64> {
    values.iter().zip(directions).map(|(value, direction)| direction.loss(*value)).collect()
}

/// Whether `left` is nowhere worse than `right`, and somewhere better.
#[must_use]
pub fn dominates(left: &[f64], right: &[f64]) -> bool {
    let mut better = false;
    for (left, right) in left.iter().zip(right) {
        if left > right {
            return false;
        }
        better |= left < right;
    }
    better
}

/// The rank of each point: 0 for those that none dominates, 1 for those that only points of rank 0 dominate, and so on.
///
/// Points are taken in lexicographic order, in which none is dominated by a later one, and each is put into the first front that
/// does not dominate it, found by bisection (Zhang et al., "An efficient approach to nondominated sorting", 2015).
#[must_use]
pub fn ranks(points: &[Vec<f64>]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..points.len()).collect();
    order.sort_by(|left, right| lexicographic(&points[*left], &points[*right]));
    let mut ranks = vec![0; points.len()];
    let mut fronts: Vec<Vec<usize>> = Vec::new();
    for index in order {
        let point = &points[index];
        // With two objectives the last of a front has its least second loss, and alone decides; the same holds with one.
        let dominated = |front: &Vec<usize>| {
            let members = if point.len() <= 2 { &front[front.len() - 1..] } else { &front[..] };
            members.iter().rev().any(|member| dominates(&points[*member], point))
        };
        let rank = fronts.partition_point(dominated);
        if rank == fronts.len() {
            fronts.push(Vec::new());
        }
        fronts[rank].push(index);
        ranks[index] = rank;
    }
    ranks
}

/// [`ranks`] under constraints: first the points without a violation, by their losses; after them the others, by the size of
/// their violation alone (Deb et al., "A fast and elitist multiobjective genetic algorithm: NSGA-II", 2002).
#[must_use]
pub fn ranks_under_constraints(points: &[Vec<f64>], violations: &[f64]) -> Vec<usize> {
    let feasible: Vec<usize> = (0..points.len()).filter(|index| violations[*index] <= 0.0).collect();
    let feasible_ranks = ranks(&feasible.iter().map(|index| points[*index].clone()).collect::<Vec<_>>());
    let first_behind = feasible_ranks.iter().map(|rank| rank + 1).max().unwrap_or(0);
    let mut sizes: Vec<f64> = violations.iter().copied().filter(|size| *size > 0.0).collect();
    sizes.sort_by(f64::total_cmp);
    sizes.dedup();
    let mut all = vec![0; points.len()];
    for (index, rank) in feasible.into_iter().zip(feasible_ranks) {
        all[index] = rank;
    }
    for (rank, size) in all.iter_mut().zip(violations) {
        if *size > 0.0 {
            *rank = first_behind + sizes.partition_point(|smaller| smaller < size);
        }
    }
    all
}

/// The complete trials of a study that no other complete trial dominates, in the order of their numbers. Where trials carry
/// constraints, those that violate one are left out.
#[must_use]
pub fn front(view: StudyView<'_>) -> Vec<Arc<FrozenTrial>> {
    let directions = &view.study.directions;
    let (trials, points): (Vec<_>, Vec<_>) = view
        .history
        .in_state(TrialState::Complete)
        .filter(|trial| violation(trial) <= 0.0)
        .filter_map(|trial| {
            let values = trial.values.as_deref().filter(|values| values.len() == directions.len())?;
            Some((trial, losses(values, directions)))
        })
        .unzip();
    let ranks = ranks(&points);
    trials.into_iter().zip(ranks).filter(|(_, rank)| *rank == 0).map(|(trial, _)| trial.clone()).collect()
}

/// The order in which no point is dominated by a later one.
fn lexicographic(left: &[f64], right: &[f64]) -> Ordering {
    let unequal = left.iter().zip(right).find(|(left, right)| left != right);
    unequal.map_or(Ordering::Equal, |(left, right)| left.total_cmp(right))
}
