//! The sampler for who does not want to choose one.

#[cfg(test)]
mod tests;

use super::{JointSample, Kernels, Sampler, TpeSampler, gaussian};
use crate::{Distribution, FrozenTrial, HpoError, SearchSpace, StudyView, TrialRandom, joint};

/// With so many trials a Gaussian process begins; as many are drawn at random.
const PROCESS_FROM: usize = 10;

/// From so many on it ends: by then it has found what it finds, and others cost less.
const PROCESS_UP_TO: usize = 200;

/// A process is told of so many trials at most, the best and the latest; its cost grows with their third power.
const TOLD: usize = 100;

/// With more parameters there are too many lengths to be told from each other.
const MOST_AXES: usize = 20;

/// One in so many trials is TPE's while the process lasts: what the one takes for done the other still tries. With fewer of
/// TPE's a process that has lost its way in eight dimensions does not find out of it.
const OTHERS_TURN: u64 = 2;

/// Chooses by what there is to search.
///
/// With one objective and up to 20 parameters that every trial has, every second one of trials 10 to 200 comes from a Gaussian
/// process, and all others from TPE; with conditions, several objectives or more parameters all come from TPE. TPE's
/// kernels span parts of the space that are always there together ([`Kernels::Groups`]), and with several objectives one
/// parameter each.
#[derive(Clone, Debug)]
pub struct AutoSampler {
    tpe: TpeSampler,
}

impl Default for AutoSampler {
    fn default() -> Self {
        Self { tpe: TpeSampler::with_kernels(Kernels::Groups) }
    }
}

impl AutoSampler {
    fn is_turn_of_process(&mut self, view: StudyView<'_>, trial: &FrozenTrial, space: &SearchSpace) -> bool {
        let (trials, parts) = self.tpe.outline(view);
        view.study.directions.len() == 1
            && parts == 1
            && space.len() <= MOST_AXES
            && (PROCESS_FROM..PROCESS_UP_TO).contains(&trials)
            && trial.number % OTHERS_TURN != OTHERS_TURN - 1
    }
}

impl Sampler for AutoSampler {
    fn name(&self) -> &'static str {
        "auto"
    }

    fn joint_space(&mut self, view: StudyView<'_>, trial: &FrozenTrial) -> SearchSpace {
        if view.study.directions.len() > 1 && self.tpe.kernels == Kernels::Groups {
            self.tpe = TpeSampler::default();
        }
        self.tpe.joint_space(view, trial)
    }

    fn sample_joint(
        &mut self,
        view: StudyView<'_>,
        trial: &FrozenTrial,
        space: &SearchSpace,
        random: &mut TrialRandom,
    ) -> Result<JointSample, HpoError> {
        if self.is_turn_of_process(view, trial, space)
            && let Some(values) = gaussian::propose(view, trial, space, TOLD, random)
        {
            let attributes = joint::note(space, &values);
            return Ok(JointSample { values, attributes });
        }
        self.tpe.sample_joint(view, trial, space, random)
    }

    fn sample_alone(
        &mut self,
        view: StudyView<'_>,
        trial: &FrozenTrial,
        name: &str,
        distribution: &Distribution,
        random: &mut TrialRandom,
    ) -> Result<f64, HpoError> {
        self.tpe.sample_alone(view, trial, name, distribution, random)
    }
}
