//! CMA-ES: a normal distribution that learns the shape of the valley.

mod strategy;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use garde::{Error, Path, Report};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::strategy::Strategy;
use super::axis::Axis;
use super::intersection::Intersection;
use super::{JointSample, Sampler, uniform};
use crate::feasibility::violation;
use crate::{
    Attributes, Distribution, FrozenTrial, HpoError, RawJson, SearchSpace, StudyView, Timestamp, TrialRandom, TrialState,
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
            report.append(Path::new("startup_trials"), Error::new("must be at least 1: a trial tells the parameters"));
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
/// generation is closed by the first trials of it that are complete, by the storage's clock (by number where there is none);
/// what comes later is left out, so that a slow worker holds up nobody.
pub struct CmaEsSampler {
    startup_trials: usize,
    intersection: Intersection,
    replay: Option<Replay>,
}

impl Default for CmaEsSampler {
    fn default() -> Self {
        Self { startup_trials: DEFAULT_CMA_STARTUP_TRIALS, intersection: Intersection::default(), replay: None }
    }
}

/// What the trials so far taught.
struct Replay {
    space: SearchSpace,
    axes: Vec<Axis>,
    /// The history it was computed from, and how many of its finished trials are in it.
    line: u64,
    taken_in: usize,
    complete: usize,
    generations: BTreeMap<u32, Vec<Member>>,
    strategy: Strategy,
    /// The numbers of the trials that each closed generation was made of.
    learned: Vec<Vec<u64>>,
}

/// A complete trial of a generation.
struct Member {
    order: (bool, Option<Timestamp>, u64),
    violation: f64,
    loss: f64,
    point: Vec<f64>,
}

impl Replay {
    fn new(space: &SearchSpace, line: u64) -> Self {
        let axes: Vec<Axis> = space.values().filter_map(Axis::of).collect();
        Self {
            space: space.clone(),
            line,
            taken_in: 0,
            complete: 0,
            generations: BTreeMap::new(),
            strategy: first_strategy(axes.len()),
            learned: Vec::new(),
            axes,
        }
    }

    fn fits(&self, space: &SearchSpace, view: StudyView<'_>) -> bool {
        self.space == *space && self.line == view.history.line() && self.taken_in <= view.history.finished_count()
    }

    fn take_in(&mut self, view: StudyView<'_>) {
        let mut earliest = u32::MAX;
        for trial in view.history.finished_since(self.taken_in) {
            if trial.state != TrialState::Complete {
                continue;
            }
            self.complete += 1;
            let generation = trial.system_attributes.get(GENERATION).and_then(|noted| noted.as_str().parse().ok());
            if let Some(generation) = generation
                && let Some(member) = self.member(view, trial)
            {
                earliest = earliest.min(generation);
                let members: &mut Vec<Member> = self.generations.entry(generation).or_default();
                let place = members.partition_point(|earlier| earlier.order < member.order);
                members.insert(place, member);
            }
        }
        self.taken_in = view.history.finished_count();

        // A trial that another machine's clock puts before others can change what a closed generation was made of.
        let mut generation = earliest.min(self.learned.len() as u32) as usize;
        let population = self.strategy.population();
        while let Some(chosen) = chosen(&self.generations, generation, population) {
            let numbers: Vec<u64> = chosen.iter().map(|member| member.order.2).collect();
            match self.learned.get(generation) {
                Some(learned) if *learned == numbers => {}
                Some(_) => {
                    self.strategy = first_strategy(self.axes.len());
                    self.learned.clear();
                    generation = 0;
                    continue;
                }
                None => {
                    let points: Vec<&[f64]> = chosen.iter().map(|member| member.point.as_slice()).collect();
                    self.strategy.learn(&points);
                    self.learned.push(numbers);
                }
            }
            generation += 1;
        }
    }

    fn member(&self, view: StudyView<'_>, trial: &FrozenTrial) -> Option<Member> {
        let loss = view.study.directions.first()?.loss(*trial.values.as_ref()?.first()?);
        let place = |((name, distribution), axis): ((&String, &Distribution), &Axis)| {
            let value = trial.params.get(name)?.value;
            // What a queue entry fixed outside of the box is no step of the strategy.
            distribution.contains(value).then(|| axis.place(value))
        };
        let point = self.space.iter().zip(&self.axes).map(place).collect::<Option<_>>()?;
        let order = (trial.completed.is_none(), trial.completed, trial.number);
        Some(Member { order, violation: violation(trial), loss, point })
    }
}

/// The trials of a whole generation, best first.
fn chosen(generations: &BTreeMap<u32, Vec<Member>>, generation: usize, population: usize) -> Option<Vec<&Member>> {
    let mut chosen: Vec<&Member> = generations.get(&(generation as u32))?.get(..population)?.iter().collect();
    chosen.sort_by(|left, right| left.violation.total_cmp(&right.violation).then(left.loss.total_cmp(&right.loss)));
    Some(chosen)
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
        let replay = match self.replay.take().filter(|replay| replay.fits(space, view)) {
            Some(replay) => replay,
            None => Replay::new(space, view.history.line()),
        };
        let replay = self.replay.insert(replay);
        replay.take_in(view);
        if replay.complete < self.startup_trials {
            return Ok(JointSample::default());
        }
        let point = replay.strategy.draw(random);
        let values = space.keys().zip(&replay.axes).zip(point).map(|((name, axis), place)| (name.clone(), axis.value(place)));
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
