//! What is known of some parameters: a mixture of the good trials and one of the others.

use std::collections::{BTreeMap, BTreeSet};

use super::axis::Axis;
use super::mixture::{Mixture, Weighting};
use super::split::Ranking;
use crate::{Distribution, FrozenTrial, History, SearchSpace, TrialRandom, joint};

/// What is known of the parameters of a space.
#[derive(Clone, Debug)]
pub(super) struct Model {
    pub(super) space: SearchSpace,
    axes: Vec<Axis>,
    below: Mixture,
    above: Mixture,
    /// The good trials, those among them that lack a parameter included.
    good: Vec<u64>,
    /// How many finished trials of the history are in one of the two.
    taken_in: usize,
    /// The running trials that are in `above`, and where they are.
    liars: BTreeMap<u64, Vec<f64>>,
}

impl Model {
    pub(super) fn new(space: SearchSpace, several_objectives: bool) -> Self {
        let axes: Vec<Axis> = space.values().map(Axis::of).collect();
        let weighting = if several_objectives { Weighting::Equal } else { Weighting::LatestMost };
        let (below, above) = (Mixture::new(&axes, weighting), Mixture::new(&axes, Weighting::LatestMost));
        Self { space, axes, below, above, good: Vec::new(), taken_in: 0, liars: BTreeMap::new() }
    }

    /// Brings it up to `history`, whose good trials are `good`, ascending. `running` are trials that are under way.
    pub(super) fn update(
        &mut self,
        history: &History,
        good: &[u64],
        objectives: usize,
        running: Vec<(u64, Vec<f64>)>,
    ) {
        let running: BTreeMap<u64, Vec<f64>> = running.into_iter().collect();
        let gone: Vec<u64> = self
            .liars
            .iter()
            .filter(|(number, at)| running.get(*number) != Some(*at))
            .map(|(number, _)| *number)
            .collect();
        for number in gone {
            self.liars.remove(&number);
            self.above.remove(number);
        }
        let (mut to_below, mut to_above) = (Vec::new(), Vec::new());
        let row = |number: u64| history.trial(number).and_then(|trial| Some((number, self.places(trial)?)));
        let was: BTreeSet<u64> = self.good.iter().copied().collect();
        let is: BTreeSet<u64> = good.iter().copied().collect();
        to_above.extend(was.difference(&is).filter_map(|number| row(*number)));
        for number in is.difference(&was) {
            to_below.extend(row(*number));
        }
        let news = history.finished_since(self.taken_in).filter(|trial| Ranking::counts(trial, objectives));
        to_above
            .extend(news.filter(|trial| !is.contains(&trial.number)).filter_map(|trial| row(trial.number)));
        to_above.sort_unstable_by_key(|(number, _)| *number);
        to_above.dedup_by_key(|(number, _)| *number);
        for number in was.difference(&is) {
            self.below.remove(*number);
        }
        for (number, _) in &to_below {
            self.above.remove(*number);
        }
        to_above.extend(
            running
                .iter()
                .filter(|(number, _)| !self.liars.contains_key(number))
                .map(|(n, at)| (*n, at.clone())),
        );
        self.below.insert(to_below);
        self.above.insert(to_above);
        self.liars = running;
        self.good = good.to_vec();
        self.taken_in = history.finished_count();
    }

    /// Where a finished trial is on the axes; `None` if it lacks a parameter.
    fn places(&self, trial: &FrozenTrial) -> Option<Vec<f64>> {
        let place = |(name, axis): (&String, &Axis)| axis.place(trial.params.get(name)?.value);
        self.space.keys().zip(&self.axes).map(place).collect()
    }

    /// Where a running trial is, as its joint sample says, or its parameters if it shows none: what is in its joint sample
    /// never changes, so that a draw that saw it can be repeated.
    pub(super) fn places_of_running(&self, trial: &FrozenTrial) -> Option<Vec<f64>> {
        let Some(noted) = joint::read(trial) else { return self.places(trial) };
        let place = |((name, distribution), axis): ((&String, &Distribution), &Axis)| {
            axis.place(distribution.internal(noted.get(name)?)?)
        };
        self.space.iter().zip(&self.axes).map(place).collect()
    }

    /// The best of `candidates` draws from the good trials: the one that is most more likely among them than among the others.
    pub(super) fn propose(&self, candidates: usize, random: &mut TrialRandom) -> Vec<f64> {
        let mut points = self.below.draw(candidates.max(1), random);
        let (below, above) = (self.below.log_densities(&points), self.above.log_densities(&points));
        let mut best = 0;
        let gain = |place: usize| below[place] - above[place];
        for place in 1..points.len() {
            if gain(place) > gain(best) {
                best = place;
            }
        }
        points.swap_remove(best)
    }
}
