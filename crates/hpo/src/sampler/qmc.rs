//! Quasi-random: points that fill the space more evenly than chance.

mod sobol;
#[cfg(test)]
mod tests;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::sobol::{MOST_DIMENSIONS, Sobol};
use super::axis::Axis;
use super::{JointSample, Sampler, uniform};
use crate::{Distribution, FrozenTrial, HpoError, SearchSpace, StudyView, TrialRandom, TrialState};

/// The system attribute of a study that holds its seed.
const SEED: &str = "tapeline:seed";

/// [`QmcSampler`] as a user writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct QmcSpec {
    /// Whether the points are scrambled, by the study's seed. Without it they are the same in every study, and the first one is
    /// the lowest corner of the space.
    pub scramble: bool,
}

impl Default for QmcSpec {
    fn default() -> Self {
        Self { scramble: true }
    }
}

/// Draws from Sobol's sequence, scrambled by Owen's method with the study's seed. The point is the one of the trial's number, so
/// any number of workers share one sequence and none draws a point twice.
///
/// Without a declared space, the parameters are those of the first trial, which is drawn at random, and the sequence begins with
/// the second. Parameters beyond the 256th, and those that are not in the space, are drawn alone, at random.
pub struct QmcSampler {
    scramble: bool,
    declared: Option<SearchSpace>,
    sequence: Option<Sequence>,
}

struct Sequence {
    dimensions: usize,
    seed: Option<u64>,
    points: Sobol,
}

impl Default for QmcSampler {
    fn default() -> Self {
        Self::new(QmcSpec::default(), None)
    }
}

impl QmcSampler {
    /// A sampler over `declared`, or over what the first trial is asked for.
    #[must_use]
    pub const fn new(spec: QmcSpec, declared: Option<SearchSpace>) -> Self {
        Self { scramble: spec.scramble, declared, sequence: None }
    }
}

impl Sampler for QmcSampler {
    fn name(&self) -> &'static str {
        "qmc"
    }

    fn looks_back(&self) -> bool {
        self.declared.is_none()
    }

    fn joint_space(&mut self, view: StudyView<'_>, _: &FrozenTrial) -> SearchSpace {
        let mut space = self.declared.clone().unwrap_or_else(|| {
            let mut trials = view.history.trials().iter();
            let first = trials.find(|trial| matches!(trial.state, TrialState::Complete | TrialState::Pruned));
            let params = first.map(|trial| &trial.params).into_iter().flatten();
            params.map(|(name, param)| (name.clone(), param.distribution.clone())).collect()
        });
        space.retain(|_, distribution| !distribution.is_single());
        space
    }

    fn sample_joint(
        &mut self,
        view: StudyView<'_>,
        trial: &FrozenTrial,
        space: &SearchSpace,
        _: &mut TrialRandom,
    ) -> Result<JointSample, HpoError> {
        let seed = self.scramble.then(|| {
            let noted = view.study.system_attributes.get(SEED).and_then(|seed| seed.as_str().parse().ok());
            noted.unwrap_or(0)
        });
        let dimensions = space.len().min(MOST_DIMENSIONS);
        let sequence =
            match self.sequence.take().filter(|known| (known.dimensions, known.seed) == (dimensions, seed)) {
                Some(known) => known,
                None => Sequence { dimensions, seed, points: Sobol::new(dimensions, seed) },
            };
        let skipped = u64::from(self.declared.is_none());
        let point = self.sequence.insert(sequence).points.point(trial.number.saturating_sub(skipped));
        let value = |((name, distribution), place): ((&String, &Distribution), f64)| {
            let value = match (distribution, Axis::of(distribution)) {
                (_, Some(axis)) => axis.value(place),
                (Distribution::Categorical(categories), _) => {
                    (place * categories.choices.len() as f64).floor()
                }
                (_, None) => return None,
            };
            Some((name.clone(), value))
        };
        Ok(JointSample {
            values: space.iter().zip(point).filter_map(value).collect(),
            ..JointSample::default()
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
