//! Every parameter at random, uniform on its axis.

#[cfg(test)]
mod tests;

use super::{JointSample, Sampler};
use crate::{Distribution, FrozenTrial, HpoError, SearchSpace, StudyView, TrialRandom};

/// Every parameter at random: uniform on its axis, in the logarithm where that is its axis.
#[derive(Clone, Copy, Debug, Default)]
pub struct RandomSampler;

impl Sampler for RandomSampler {
    fn name(&self) -> &'static str {
        "random"
    }

    fn looks_back(&self) -> bool {
        false
    }

    fn joint_space(&mut self, _: StudyView<'_>, _: &FrozenTrial) -> SearchSpace {
        SearchSpace::new()
    }

    fn sample_joint(
        &mut self,
        _: StudyView<'_>,
        _: &FrozenTrial,
        _: &SearchSpace,
        _: &mut TrialRandom,
    ) -> Result<JointSample, HpoError> {
        Ok(JointSample::default())
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

/// A value uniform on the axis of `distribution`. Grids are widened by half a step on both sides first, so that their ends
/// come up as often as the other points.
pub(crate) fn uniform(distribution: &Distribution, random: &mut TrialRandom) -> f64 {
    let mut between = |low: f64, high: f64| low + (high - low) * random.unit();
    match distribution {
        Distribution::Float(float) => match (float.log, float.step) {
            (true, _) => between(float.low.ln(), float.high.ln()).exp().clamp(float.low, float.high),
            (false, None) => between(float.low, float.high).clamp(float.low, float.high),
            (false, Some(step)) => {
                to_grid(between(float.low - step / 2.0, float.high + step / 2.0), float.low, float.high, step)
            }
        },
        Distribution::Int(int) => {
            let (low, high, step) = (int.low as f64, int.high as f64, int.step as f64);
            let (from, to) = (low - step / 2.0, high + step / 2.0);
            let value = if int.log { between(from.ln(), to.ln()).exp() } else { between(from, to) };
            to_grid(value, low, high, step)
        }
        Distribution::Categorical(categories) => random.below(categories.choices.len()) as f64,
    }
}

/// The point of the grid that is nearest to `value`.
pub(crate) fn to_grid(value: f64, low: f64, high: f64, step: f64) -> f64 {
    (low + ((value - low) / step).round_ties_even() * step).clamp(low, high)
}
