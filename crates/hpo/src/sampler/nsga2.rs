//! NSGA-II: a population that moves towards the front.

mod crowding;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use garde::{Error, Path, Report};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::crowding::crowding;
use super::generations::{Generations, numbers};
use super::intersection::Intersection;
use super::{JointSample, Sampler, uniform};
use crate::feasibility::violation;
use crate::{
    Attributes, Direction, Distribution, FrozenTrial, HpoError, RawJson, SearchSpace, StudyView, TrialRandom,
    pareto,
};

/// The system attribute of a trial that holds its generation.
const GENERATION: &str = "tapeline:nsga2:generation";
/// Trials of a generation; Optuna's.
pub const DEFAULT_POPULATION: usize = 50;
/// How often a child has two parents and not one; the paper's.
pub const DEFAULT_CROSSOVER: f64 = 0.9;
/// How often a child of two has a parameter of the second.
pub const DEFAULT_SWAPPING: f64 = 0.5;

/// [`Nsga2Sampler`] as a user writes it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Nsga2Spec {
    /// Trials of a generation, at least 2.
    pub population: usize,
    /// The probability that a child has two parents and not one.
    pub crossover: f64,
    /// The probability that a child of two has a parameter of the second.
    pub swapping: f64,
    /// The probability that a parameter is drawn anew, at random. Left out: one parameter of a child in the mean.
    pub mutation: Option<f64>,
}

impl Default for Nsga2Spec {
    fn default() -> Self {
        Self {
            population: DEFAULT_POPULATION,
            crossover: DEFAULT_CROSSOVER,
            swapping: DEFAULT_SWAPPING,
            mutation: None,
        }
    }
}

impl Nsga2Spec {
    /// The sampler that this describes.
    ///
    /// # Errors
    /// Every fault, with its path relative to the sampler's section.
    pub fn check(&self) -> Result<Nsga2Sampler, Report> {
        let mut report = Report::new();
        if self.population < 2 {
            report.append(Path::new("population"), Error::new("must be at least 2: a child has two parents"));
        }
        let shares = [
            ("crossover", Some(self.crossover)),
            ("swapping", Some(self.swapping)),
            ("mutation", self.mutation),
        ];
        for (name, share) in shares {
            if share.is_some_and(|share| !(0.0..=1.0).contains(&share)) {
                report.append(Path::new(name), Error::new("must be from 0 to 1"));
            }
        }
        if report.is_empty() {
            Ok(Nsga2Sampler { spec: *self, ..Nsga2Sampler::default() })
        } else {
            Err(report)
        }
    }
}

/// Breeds trials from the best of earlier generations (Deb et al., "A fast and elitist multiobjective genetic algorithm:
/// NSGA-II", 2002), for one or several objectives.
///
/// A generation is drawn from the best of the one before and of its parents together: by rank, and within a rank by how lonely
/// a trial is on the front. Any trial that violates no constraint is better than one that does; among these less violation is
/// better. The first generation is drawn at random; complete trials that are in the study already are part of it. Pruned and
/// failed trials have no children.
///
/// Its state is nowhere stored: trials carry the number of their generation, and the parents follow from the trials.
#[derive(Default)]
pub struct Nsga2Sampler {
    spec: Nsga2Spec,
    intersection: Intersection,
    lineage: Option<Lineage>,
}

/// The parents of each generation but the first.
struct Lineage {
    generations: Generations,
    /// Per closed generation the numbers of its trials, and who has children in the next.
    parents: Vec<(Vec<u64>, Vec<Parent>)>,
}

/// A trial that has children.
#[derive(Clone)]
struct Parent {
    trial: Arc<FrozenTrial>,
    losses: Vec<f64>,
    violation: f64,
}

impl Parent {
    fn of(trial: &Arc<FrozenTrial>, directions: &[Direction]) -> Self {
        let losses = pareto::losses(trial.values.as_deref().unwrap_or_default(), directions);
        Self { trial: Arc::clone(trial), losses, violation: violation(trial) }
    }

    /// Whether it is better than another under constraints.
    fn beats(&self, other: &Self) -> bool {
        match (self.violation > 0.0, other.violation > 0.0) {
            (false, false) => pareto::dominates(&self.losses, &other.losses),
            (false, true) => true,
            (true, false) => false,
            (true, true) => self.violation < other.violation,
        }
    }
}

impl Lineage {
    fn take_in(&mut self, view: StudyView<'_>, population: usize) {
        let directions = &view.study.directions;
        let has_all = |trial: &FrozenTrial| {
            trial
                .values
                .as_ref()
                .is_some_and(|values| values.len() == directions.len() && !values.iter().any(|v| v.is_nan()))
        };
        let changed = self.generations.take_in(view, has_all);
        let mut generation = self.parents.len().min(changed as usize);
        while let Some(members) = self.generations.closed(generation, population) {
            let numbers = numbers(members);
            if self.parents.get(generation).is_none_or(|(known, _)| *known != numbers) {
                // Whatever was derived from an earlier state of this generation is void.
                self.parents.truncate(generation);
                let before = generation.checked_sub(1).map_or(&[][..], |before| &self.parents[before].1);
                let candidates =
                    members.iter().map(|trial| Parent::of(trial, directions)).chain(before.iter().cloned());
                let best = best_of(&candidates.collect::<Vec<_>>(), population);
                self.parents.push((numbers, best));
            }
            generation += 1;
        }
    }
}

/// The best `count`, by rank, and the loneliest of the last rank that fits.
fn best_of(candidates: &[Parent], count: usize) -> Vec<Parent> {
    let losses: Vec<Vec<f64>> = candidates.iter().map(|parent| parent.losses.clone()).collect();
    let violations: Vec<f64> = candidates.iter().map(|parent| parent.violation).collect();
    let mut by_rank: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (index, rank) in pareto::ranks_under_constraints(&losses, &violations).into_iter().enumerate() {
        by_rank.entry(rank).or_default().push(index);
    }
    let mut chosen = Vec::with_capacity(count);
    for mut rank in by_rank.into_values() {
        let open = count - chosen.len();
        if rank.len() > open {
            let points: Vec<&[f64]> = rank.iter().map(|index| losses[*index].as_slice()).collect();
            let mut lonely: Vec<(f64, usize)> = crowding(&points).into_iter().zip(rank).collect();
            lonely.sort_by(|left, right| right.0.total_cmp(&left.0));
            rank = lonely.into_iter().take(open).map(|(_, index)| index).collect();
        }
        chosen.extend(rank.into_iter().map(|index| candidates[index].clone()));
        if chosen.len() == count {
            break;
        }
    }
    chosen
}

impl Nsga2Sampler {
    /// The better of two that are picked at random.
    fn pick<'a>(among: &[&'a Parent], random: &mut TrialRandom) -> Option<&'a Parent> {
        let first = *among.get(random.below(among.len()))?;
        let second = *among.get(random.below(among.len()))?;
        Some(if first.beats(second) { first } else { second })
    }

    fn child(
        &self,
        parents: &[Parent],
        space: &SearchSpace,
        random: &mut TrialRandom,
    ) -> BTreeMap<String, f64> {
        let all: Vec<&Parent> = parents.iter().collect();
        let (first, second) = if random.unit() < self.spec.crossover {
            let first = Self::pick(&all, random);
            let others: Vec<&Parent> = all
                .into_iter()
                .filter(|other| first.is_none_or(|first| first.trial.number != other.trial.number))
                .collect();
            (first, Self::pick(&others, random))
        } else {
            (all.get(random.below(all.len())).copied(), None)
        };
        let mutation = self.spec.mutation.unwrap_or(1.0 / space.len().max(1) as f64);
        let mut child = BTreeMap::new();
        for (name, distribution) in space {
            let swapped = random.unit() < self.spec.swapping;
            let parent = if swapped { second.or(first) } else { first };
            let value = parent.and_then(|parent| parent.trial.params.get(name)).map(|param| param.value);
            // What is left out is drawn alone, at random: mutations, and what a queue entry fixed outside of the space.
            if random.unit() >= mutation {
                child.extend(
                    value.filter(|value| distribution.contains(*value)).map(|value| (name.clone(), value)),
                );
            }
        }
        child
    }
}

impl Sampler for Nsga2Sampler {
    fn name(&self) -> &'static str {
        "nsga2"
    }

    fn joint_space(&mut self, view: StudyView<'_>, _: &FrozenTrial) -> SearchSpace {
        let mut space = self.intersection.of(view);
        space.retain(|_, distribution| !distribution.is_single());
        space
    }

    fn sample_joint(
        &mut self,
        view: StudyView<'_>,
        _: &FrozenTrial,
        space: &SearchSpace,
        random: &mut TrialRandom,
    ) -> Result<JointSample, HpoError> {
        let lineage = match self.lineage.take().filter(|lineage| lineage.generations.precedes(view)) {
            Some(lineage) => lineage,
            // Trials without a note are the first generation: random ones, and those of other samplers.
            None => Lineage {
                generations: Generations::new(GENERATION, Some(0), view.history.line()),
                parents: Vec::new(),
            },
        };
        let lineage = self.lineage.insert(lineage);
        lineage.take_in(view, self.spec.population);
        let generation = lineage.parents.len();
        let attributes =
            Attributes::from([(GENERATION.to_owned(), RawJson::from_text(generation.to_string()))]);
        let lineage = self.lineage.as_ref();
        let parents =
            lineage.and_then(|lineage| lineage.parents.last()).map(|(_, parents)| parents.as_slice());
        let values = parents.map_or_else(BTreeMap::new, |parents| self.child(parents, space, random));
        Ok(JointSample { values, attributes })
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
