//! Who proposes parameters.

mod auto;
mod axis;
mod cma_es;
mod gaussian;
mod generations;
mod grid;
mod intersection;
#[cfg(test)]
mod landscapes;
mod normal;
mod nsga2;
mod qmc;
mod random;
mod spec;
mod tpe;

use std::collections::BTreeMap;

pub use auto::AutoSampler;
pub use cma_es::{CmaEsSampler, CmaEsSpec, DEFAULT_CMA_STARTUP_TRIALS};
pub use grid::{GridSampler, GridSpec};
pub use nsga2::{DEFAULT_CROSSOVER, DEFAULT_POPULATION, DEFAULT_SWAPPING, Nsga2Sampler, Nsga2Spec};
pub use qmc::{QmcSampler, QmcSpec};
pub use random::RandomSampler;
pub(crate) use random::uniform;
pub use spec::{NothingToSet, SamplerSpec, TpeSpec};
pub use tpe::{Kernels, TpeSampler};

use crate::{Attributes, Distribution, FrozenTrial, HpoError, SearchSpace, StudyView, TrialRandom};

/// What a sampler proposes for several parameters at once.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JointSample {
    /// A value by the name of its parameter. What is missing is sampled alone.
    pub values: BTreeMap<String, f64>,
    /// System attributes to note on the trial. If there are any, other workers see them before the trial goes on; so return
    /// none where nobody needs them.
    pub attributes: Attributes,
}

/// Proposes the parameters of trials.
///
/// A trial's joint sample is taken at its first suggestion; whatever is not in it is sampled alone when it is asked for, with
/// the history that the joint sample saw. A sampler may remember what it computed from a history (see
/// [`crate::History::line`]), but its answers are a function of the history, the trial and `random` alone: a worker that
/// starts late answers as one that was there from the start.
pub trait Sampler: Send {
    /// Its name in messages, such as `tpe`.
    fn name(&self) -> &'static str;

    /// False if it never looks at other trials; what it could have seen is then not noted on a trial.
    fn looks_back(&self) -> bool {
        true
    }

    /// True if it must see every trial, such as a grid, which tries nothing twice. Otherwise a pruner that runs several races at
    /// once shows it those of the trial's own race.
    fn sees_all(&self) -> bool {
        false
    }

    /// The parameters that are sampled together.
    fn joint_space(&mut self, view: StudyView<'_>, trial: &FrozenTrial) -> SearchSpace;

    /// One value for each parameter of `space`, which [`Sampler::joint_space`] returned; or fewer, and the rest is sampled
    /// alone.
    ///
    /// # Errors
    /// When the study cannot be searched this way.
    fn sample_joint(
        &mut self,
        view: StudyView<'_>,
        trial: &FrozenTrial,
        space: &SearchSpace,
        random: &mut TrialRandom,
    ) -> Result<JointSample, HpoError>;

    /// A value for a parameter that is in no joint sample. `random` is a stream of this trial and parameter.
    ///
    /// # Errors
    /// When the study cannot be searched this way.
    fn sample_alone(
        &mut self,
        view: StudyView<'_>,
        trial: &FrozenTrial,
        name: &str,
        distribution: &Distribution,
        random: &mut TrialRandom,
    ) -> Result<f64, HpoError>;

    /// Whether the search is over, such as a grid of which everything was tried.
    fn is_exhausted(&mut self, _view: StudyView<'_>) -> bool {
        false
    }
}
