//! Bayesian optimisation with a Gaussian process: what a few dozen trials say about the whole space.

mod fit;
mod improvement;
mod process;
#[cfg(test)]
mod tests;
mod warp;

use std::collections::BTreeMap;

use process::{Process, Told};

use super::axis::Axis;
use super::normal::cut_quantile;
use super::uniform;
use crate::{Distribution, FrozenTrial, SearchSpace, StudyView, TrialRandom, TrialState, joint, violation};

/// One axis of the space as the process sees it: a place between 0 and 1, or the number of a choice.
enum Side {
    Number(Axis),
    Choice(usize),
}

/// The space as the process sees it.
struct Cube<'a> {
    space: &'a SearchSpace,
    sides: Vec<Side>,
}

impl<'a> Cube<'a> {
    fn new(space: &'a SearchSpace) -> Self {
        let side = |distribution: &Distribution| match (Axis::of(distribution), distribution) {
            (Some(axis), _) => Side::Number(axis),
            (None, Distribution::Categorical(categories)) => Side::Choice(categories.choices.len()),
            (None, _) => Side::Choice(1),
        };
        Self { space, sides: space.values().map(side).collect() }
    }

    fn place(&self, axis: usize, value: f64) -> f64 {
        match &self.sides[axis] {
            Side::Number(axis) => axis.place(value),
            Side::Choice(_) => value,
        }
    }

    fn value(&self, axis: usize, place: f64) -> f64 {
        match &self.sides[axis] {
            Side::Number(axis) => axis.value(place),
            Side::Choice(_) => place,
        }
    }

    /// `None` if a parameter is missing, or where the space does not reach.
    fn point(&self, value: impl Fn(&str, &Distribution) -> Option<f64>) -> Option<Vec<f64>> {
        self.space
            .iter()
            .enumerate()
            .map(|(axis, (name, distribution))| {
                let value = value(name, distribution).filter(|value| distribution.contains(*value))?;
                Some(self.place(axis, value))
            })
            .collect()
    }
}

impl improvement::Region for Cube<'_> {
    fn axes(&self) -> usize {
        self.sides.len()
    }

    fn anywhere(&self, axis: usize, random: &mut TrialRandom) -> f64 {
        let distribution = self.space.values().nth(axis);
        distribution.map_or(0.0, |distribution| self.place(axis, uniform(distribution, random)))
    }

    fn near(&self, axis: usize, place: f64, distance: f64, random: &mut TrialRandom) -> f64 {
        match &self.sides[axis] {
            Side::Choice(count) => random.below(*count) as f64,
            Side::Number(number) => {
                let off = cut_quantile(random.unit(), -place / distance, (1.0 - place) / distance);
                let next = self.place(axis, number.value(place + off * distance));
                if next != place {
                    return next;
                }
                // On a grid that is wider than the distance: a neighbour.
                let aside = if random.unit() < 0.5 { -1.0 } else { 1.0 };
                let mut reach = distance;
                while reach < 1.0 {
                    reach *= 2.0;
                    let next = self.place(axis, number.value((place + aside * reach).clamp(0.0, 1.0)));
                    if next != place {
                        return next;
                    }
                }
                place
            }
        }
    }
}

/// What is told of a trial that went wrong lies as far beyond the worst value as a share of how far values reach.
const BEYOND: f64 = 0.1;

/// What finished trials tell, less being better. One that was pruned is no better than half of the complete ones; one that
/// failed is as bad as the worst of them, so that nobody goes where everything fails; those that violate constraints are worse,
/// the more the worse.
fn losses(view: StudyView<'_>, cube: &Cube<'_>) -> Vec<(f64, Vec<f64>)> {
    let Some(direction) = view.study.directions.first() else { return Vec::new() };
    let value = |trial: &FrozenTrial| {
        trial.values.as_ref().and_then(|values| values.first()).map(|value| direction.loss(*value))
    };
    let is_complete = |trial: &FrozenTrial| trial.state == TrialState::Complete && violation(trial) <= 0.0;
    let mut complete: Vec<f64> = view
        .history
        .trials()
        .iter()
        .filter(|trial| is_complete(trial))
        .filter_map(|trial| value(trial))
        .collect();
    complete.sort_by(f64::total_cmp);
    let finite = || complete.iter().copied().filter(|loss| loss.is_finite());
    let (least, most) = (finite().next().unwrap_or(0.0), finite().next_back().unwrap_or(0.0));
    let middle = complete.get(complete.len() / 2).copied().unwrap_or(0.0);
    let largest = view
        .history
        .trials()
        .iter()
        .map(|trial| violation(trial))
        .filter(|size| size.is_finite())
        .fold(0.0, f64::max);
    let beyond = if most > least { most - least } else { 1.0 };
    let loss = |trial: &FrozenTrial| {
        let violated = violation(trial);
        Some(match trial.state {
            TrialState::Waiting | TrialState::Running => return None,
            _ if violated > 0.0 => {
                most + beyond * (BEYOND + if largest > 0.0 { (violated / largest).min(1.0) } else { 1.0 })
            }
            TrialState::Complete => value(trial)?,
            TrialState::Pruned => value(trial).unwrap_or(most).max(middle),
            TrialState::Fail => most,
        })
    };
    let told = view.history.trials().iter().filter_map(|trial| {
        let loss = loss(trial).filter(|loss| !loss.is_nan())?;
        Some((loss, cube.point(|name, _| trial.params.get(name).map(|param| param.value))?))
    });
    told.collect()
}

/// A point of `space` that a process of at most `most` trials finds promising: the best of them and the latest. `None` if the
/// trials say too little.
pub(super) fn propose(
    view: StudyView<'_>,
    trial: &FrozenTrial,
    space: &SearchSpace,
    most: usize,
    random: &mut TrialRandom,
) -> Option<BTreeMap<String, f64>> {
    let cube = Cube::new(space);
    let mut told = losses(view, &cube);
    if told.len() > most {
        let latest = told.split_off(told.len() - most / 3);
        told.sort_by(|a, b| a.0.total_cmp(&b.0));
        told.truncate(most - latest.len());
        told.extend(latest);
    }
    let (losses, mut points): (Vec<f64>, Vec<Vec<f64>>) = told.into_iter().unzip();
    let mut values = warp::warp(&losses);
    let unordered: Vec<bool> = cube.sides.iter().map(|side| matches!(side, Side::Choice(_))).collect();
    let likeness = fit::most_probable(&points, &values, &unordered)?;
    let mut order: Vec<usize> = (0..points.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));

    // What is under way is told as what the process expects of it, so that nobody tries the same.
    let running = view
        .history
        .unfinished()
        .filter(|other| other.state == TrialState::Running && other.number != trial.number);
    let open: Vec<Vec<f64>> = running
        .filter_map(|other| {
            let noted = joint::read(other);
            cube.point(|name, distribution| match &noted {
                Some(noted) => distribution.internal(noted.get(name)?),
                None => other.params.get(name).map(|param| param.value),
            })
        })
        .collect();
    let mut room = Vec::new();
    let process =
        Process::new(Told { points: &points, values: &values, unordered: &unordered }, likeness.clone())?;
    let best = points.iter().map(|point| process.at(point, &mut room).0).fold(f64::INFINITY, f64::min);
    let expected: Vec<f64> = open.iter().map(|point| process.at(point, &mut room).0).collect();
    drop(process);
    points.extend(open);
    values.extend(expected);
    let process = Process::new(Told { points: &points, values: &values, unordered: &unordered }, likeness)?;
    let best_first: Vec<&[f64]> = order.iter().map(|place| points[*place].as_slice()).collect();
    let point = improvement::most_promising(&process, &cube, best, &best_first, &points, random)?;
    let named = space.keys().zip(point).enumerate();
    Some(named.map(|(axis, (name, place))| (name.clone(), cube.value(axis, place))).collect())
}
