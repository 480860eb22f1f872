//! CMA-ES: a normal distribution that learns the shape of the valley.

mod strategy;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use garde::{Error, Path, Report};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::strategy::Strategy;
use super::axis::Axis;
use super::generations::{Generations, numbers};
use super::intersection::Intersection;
use super::{JointSample, Sampler, uniform};
use crate::feasibility::violation;
use crate::{
    Attributes, Distribution, FrozenTrial, HpoError, RawJson, SearchSpace, StudyView, TrialRandom, TrialState,
};

/// The system attribute of a trial that holds its generation. Not Optuna's key, which comes with a pickled optimizer.
const GENERATION: &str = "tapeline:cma:generation";
/// Width of the first distribution: the box reaches three standard deviations to both sides.
const FIRST_SIGMA: f64 = 1.0 / 6.0;
/// Complete trials before the strategy begins: one tells the parameters.
pub const DEFAULT_CMA_STARTUP_TRIALS: usize = 1;

/// [`CmaEsSampler`] as a user writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CmaEsSpec {
    /// Complete trials before the strategy begins, at least 1; they are drawn at random.
    pub startup_trials: usize,
}

impl Default for CmaEsSpec {
    fn default() -> Self {
        Self { startup_trials: DEFAULT_CMA_STARTUP_TRIALS }
    }
}

impl CmaEsSpec {
    /// The sampler that this describes.
    ///
    /// # Errors
    /// Every fault, with its path relative to the sampler's section.
    pub fn check(&self) -> Result<CmaEsSampler, Report> {
        if self.startup_trials == 0 {
            let mut report = Report::new();
            report.append(
                Path::new("startup_trials"),
                Error::new("must be at least 1: a trial tells the parameters"),
            );
            return Err(report);
        }
        Ok(CmaEsSampler { startup_trials: self.startup_trials, ..CmaEsSampler::default() })
    }
}

/// Moves a normal distribution over the numeric parameters, generation by generation, towards where losses were least, and
/// learns its shape on the way (Hansen and Ostermeier, 2001; see the tutorial arXiv 1604.00772).
///
/// Parameters without an order, and those that not every trial has, are drawn alone, at random. Of trials that violate
/// constraints less violation is better, and any of them is worse than one that violates none. Pruned and failed trials teach
/// it nothing.
///
/// Its state is nowhere stored: trials carry the number of their generation, and the state follows from the trials. A
/// generation is closed by the first trials of it that are complete; what comes later is left out, so that a slow worker holds
/// up nobody.
pub struct CmaEsSampler {
    startup_trials: usize,
    intersection: Intersection,
    replay: Option<Replay>,
}

impl Default for CmaEsSampler {
    fn default() -> Self {
        Self {
            startup_trials: DEFAULT_CMA_STARTUP_TRIALS,
            intersection: Intersection::default(),
            replay: None,
        }
    }
}

/// What the trials so far taught.
struct Replay {
    space: SearchSpace,
    axes: Vec<Axis>,
    generations: Generations,
    strategy: Strategy,
    /// The numbers of the trials that each closed generation was made of.
    learned: Vec<Vec<u64>>,
}

impl Replay {
    fn new(space: &SearchSpace, view: StudyView<'_>) -> Self {
        let axes: Vec<Axis> = space.values().filter_map(Axis::of).collect();
        Self {
            space: space.clone(),
            generations: Generations::new(GENERATION, None, view.history.line()),
            strategy: first_strategy(axes.len()),
            learned: Vec::new(),
            axes,
        }
    }

    fn take_in(&mut self, view: StudyView<'_>) {
        // What a queue entry fixed outside of the box is no step of the strategy.
        let space = &self.space;
        let is_inside = |trial: &FrozenTrial| {
            let mut params = space.iter();
            params.all(|(name, distribution)| {
                trial.params.get(name).is_some_and(|param| distribution.contains(param.value))
            })
        };
        let changed = self.generations.take_in(view, is_inside);
        // A trial that the clock puts before others can change what a closed generation was made of.
        let mut generation = self.learned.len().min(changed as usize);
        while let Some(members) = self.generations.closed(generation, self.strategy.population()) {
            match self.learned.get(generation) {
                Some(learned) if *learned == numbers(members) => generation += 1,
                Some(_) => {
                    self.strategy = first_strategy(self.axes.len());
                    self.learned.clear();
                    generation = 0;
                }
                None => {
                    let points = best_first(view, members, &self.space, &self.axes);
                    self.strategy.learn(&points.iter().map(Vec::as_slice).collect::<Vec<_>>());
                    self.learned.push(numbers(members));
                    generation += 1;
                }
            }
        }
    }
}

/// The places of the members of a generation. Of those that violate constraints less violation is better, and none is as good
/// as one that violates none.
fn best_first(
    view: StudyView<'_>,
    members: &[Arc<FrozenTrial>],
    space: &SearchSpace,
    axes: &[Axis],
) -> Vec<Vec<f64>> {
    let loss = |trial: &FrozenTrial| {
        let value = trial.values.as_ref().and_then(|values| values.first()).copied();
        view.study
            .directions
            .first()
            .zip(value)
            .map_or(f64::INFINITY, |(direction, value)| direction.loss(value))
    };
    let mut ranked: Vec<(f64, f64, &FrozenTrial)> =
        members.iter().map(|trial| (violation(trial), loss(trial), trial.as_ref())).collect();
    ranked.sort_by(|left, right| left.0.total_cmp(&right.0).then(left.1.total_cmp(&right.1)));
    let place = |trial: &FrozenTrial| {
        let values = space.keys().filter_map(|name| trial.params.get(name));
        values.zip(axes).map(|(param, axis)| axis.place(param.value)).collect()
    };
    ranked.into_iter().map(|(_, _, trial)| place(trial)).collect()
}

fn first_strategy(dimensions: usize) -> Strategy {
    Strategy::new(vec![0.5; dimensions], FIRST_SIGMA)
}

impl Sampler for CmaEsSampler {
    fn name(&self) -> &'static str {
        "cma_es"
    }

    fn joint_space(&mut self, view: StudyView<'_>, _: &FrozenTrial) -> SearchSpace {
        let mut space = self.intersection.of(view);
        space.retain(|_, distribution| !distribution.is_single() && Axis::of(distribution).is_some());
        space
    }

    fn sample_joint(
        &mut self,
        view: StudyView<'_>,
        _: &FrozenTrial,
        space: &SearchSpace,
        random: &mut TrialRandom,
    ) -> Result<JointSample, HpoError> {
        if view.study.directions.len() != 1 {
            let fault = "it has several objectives; use nsga2, tpe or random".to_owned();
            return Err(HpoError::Sampler { sampler: self.name(), fault });
        }
        if view.history.in_state(TrialState::Complete).take(self.startup_trials).count() < self.startup_trials
        {
            return Ok(JointSample::default());
        }
        let replay = match self
            .replay
            .take()
            .filter(|replay| replay.space == *space && replay.generations.precedes(view))
        {
            Some(replay) => replay,
            None => Replay::new(space, view),
        };
        let replay = self.replay.insert(replay);
        replay.take_in(view);
        let point = replay.strategy.draw(random);
        let values = space
            .keys()
            .zip(&replay.axes)
            .zip(point)
            .map(|((name, axis), place)| (name.clone(), axis.value(place)));
        let generation = RawJson::from_text(replay.learned.len().to_string());
        Ok(JointSample {
            values: values.collect(),
            attributes: Attributes::from([(GENERATION.to_owned(), generation)]),
        })
    }

    fn sample_alone(
        &mut self,
        _: StudyView<'_>,
        _: &FrozenTrial,
        _: &str,
        distribution: &Distribution,
        random: &mut TrialRandom,
    ) -> Result<f64, HpoError> {
        Ok(uniform(distribution, random))
    }
}
