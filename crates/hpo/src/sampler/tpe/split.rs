//! Which trials are good, and which are not: the split into below and above.

use std::cmp::Ordering;

use crate::pareto::{greedy_subset, losses, ranks};
use crate::{Direction, FrozenTrial, TrialState, violation};

/// One in ten is good.
const GOOD_SHARE: f64 = 0.1;

/// With one objective, so many at most are good: later ones would make the good side as wide as the other.
const MOST_GOOD: usize = 25;

/// The reference point of a hypervolume is where nothing is worse than this many times the worst.
const REFERENCE: (f64, f64) = (1.1, 0.9);

/// Stands in for a reference of 0, of which no multiple is any worse.
const TINY: f64 = 1e-12;

/// The finished trials that say something, from the best on. Kept up as trials finish.
#[derive(Clone, Debug)]
pub(super) struct Ranking {
    directions: Vec<Direction>,
    /// Complete ones that violate nothing: one objective's loss, or all of them.
    complete: Vec<Ranked<Vec<f64>>>,
    /// Pruned ones: the further the better, then the lower the better.
    pruned: Vec<Ranked<(f64, f64)>>,
    /// Those that violate something: the less the better.
    infeasible: Vec<Ranked<f64>>,
}

#[derive(Clone, Debug)]
struct Ranked<K> {
    key: K,
    number: u64,
}

impl Ranking {
    pub(super) fn new(directions: &[Direction]) -> Self {
        Self {
            directions: directions.to_vec(),
            complete: Vec::new(),
            pruned: Vec::new(),
            infeasible: Vec::new(),
        }
    }

    /// How many trials are in it.
    pub(super) fn len(&self) -> usize {
        self.complete.len() + self.pruned.len() + self.infeasible.len()
    }

    /// Whether a trial is one that says something: complete or pruned.
    pub(super) fn counts(trial: &FrozenTrial, objectives: usize) -> bool {
        match trial.state {
            TrialState::Pruned => true,
            TrialState::Complete => trial.values.as_ref().is_some_and(|values| {
                values.len() == objectives && !values.iter().any(|value| value.is_nan())
            }),
            TrialState::Waiting | TrialState::Running | TrialState::Fail => false,
        }
    }

    /// Takes in a finished trial, if it says something.
    pub(super) fn take_in(&mut self, trial: &FrozenTrial) {
        if !Self::counts(trial, self.directions.len()) {
            return;
        }
        let number = trial.number;
        let violation = violation(trial);
        if violation > 0.0 {
            insert(&mut self.infeasible, violation, number, f64::total_cmp);
        } else if trial.state == TrialState::Complete {
            let losses = losses(trial.values.as_deref().unwrap_or_default(), &self.directions);
            if self.directions.len() > 1 {
                // Their order is that of their numbers; ranks are computed when they are asked for.
                let at = self.complete.partition_point(|known| known.number < number);
                self.complete.insert(at, Ranked { key: losses, number });
            } else {
                insert(&mut self.complete, losses, number, |a, b| compare(a[0], b[0]));
            }
        } else {
            let key = pruned_key(trial, self.directions.first().copied().unwrap_or(Direction::Minimize));
            insert(&mut self.pruned, key, number, |a, b| compare(a.0, b.0).then(compare(a.1, b.1)));
        }
    }

    /// The numbers of the good trials, ascending.
    pub(super) fn below(&self) -> Vec<u64> {
        let share = (GOOD_SHARE * self.len() as f64).ceil() as usize;
        let mut wanted = if self.directions.len() > 1 { share } else { share.min(MOST_GOOD) };
        let mut below = self.best_complete(wanted);
        wanted -= below.len();
        below.extend(self.pruned.iter().take(wanted).map(|trial| trial.number));
        wanted -= wanted.min(self.pruned.len());
        below.extend(self.infeasible.iter().take(wanted).map(|trial| trial.number));
        below.sort_unstable();
        below
    }

    fn best_complete(&self, wanted: usize) -> Vec<u64> {
        let numbers = self.complete.iter().map(|trial| trial.number);
        if self.directions.len() == 1 || wanted >= self.complete.len() {
            return numbers.take(wanted).collect();
        }
        // Whole ranks as long as they fit; of the one that does not, those that span the largest volume.
        let points: Vec<Vec<f64>> = self.complete.iter().map(|trial| trial.key.clone()).collect();
        let ranks = ranks(&points);
        let mut below = Vec::with_capacity(wanted);
        for rank in 0.. {
            let here: Vec<usize> = (0..points.len()).filter(|place| ranks[*place] == rank).collect();
            let room = wanted - below.len();
            if room == 0 || here.is_empty() {
                break;
            }
            if here.len() <= room {
                below.extend(here);
                continue;
            }
            let front: Vec<Vec<f64>> = here.iter().map(|place| points[*place].clone()).collect();
            below
                .extend(greedy_subset(&front, room, &reference(&front)).into_iter().map(|place| here[place]));
        }
        below.into_iter().map(|place| self.complete[place].number).collect()
    }
}

/// A point that is a little worse than the worst in every objective.
fn reference(front: &[Vec<f64>]) -> Vec<f64> {
    let objectives = front.first().map_or(0, Vec::len);
    let worst =
        (0..objectives).map(|axis| front.iter().map(|point| point[axis]).fold(f64::NEG_INFINITY, f64::max));
    worst
        .map(|worst| (REFERENCE.0 * worst).max(REFERENCE.1 * worst))
        .map(|limit| if limit == 0.0 { TINY } else { limit })
        .collect()
}

/// The further a trial came the smaller its key; then the better its last report, NaN last. One without a report is last.
fn pruned_key(trial: &FrozenTrial, direction: Direction) -> (f64, f64) {
    match trial.intermediate.last_key_value() {
        None => (1.0, 0.0),
        Some((step, value)) if value.is_nan() => (-(*step as f64), f64::INFINITY),
        Some((step, value)) => (-(*step as f64), direction.loss(*value)),
    }
}

/// -0 and 0 are equal; there is no NaN.
fn compare(a: f64, b: f64) -> Ordering {
    a.partial_cmp(&b).unwrap_or(Ordering::Equal)
}

/// Inserts behind what is better or equal and has a smaller number.
fn insert<K>(into: &mut Vec<Ranked<K>>, key: K, number: u64, order: impl Fn(&K, &K) -> Ordering) {
    let at = into.partition_point(|known| order(&known.key, &key).then(known.number.cmp(&number)).is_lt());
    into.insert(at, Ranked { key, number });
}
