//! Who proposes parameters.

use std::collections::BTreeMap;

use crate::{Attributes, Distribution, FrozenTrial, HpoError, SearchSpace, StudyView, TrialRandom};

/// Proposes the parameters of trials.
///
/// A trial's joint sample is taken at its first suggestion; whatever is not in it is sampled alone when it is asked for. A
/// sampler may remember what it computed from a history, but its answers are a function of the history, the trial's number
/// and `random` alone: a worker that starts late answers as one that was there from the start.
pub trait Sampler: Send {
    /// Its name in messages, such as `tpe`.
    fn name(&self) -> &'static str;

    /// Called when a trial begins, before anything is suggested. Returns system attributes to note on the trial.
    ///
    /// # Errors
    /// When the study cannot be searched this way.
    fn begin(
        &mut self,
        _view: StudyView<'_>,
        _trial: &FrozenTrial,
        _random: &mut TrialRandom,
    ) -> Result<Attributes, HpoError> {
        Ok(Attributes::new())
    }

    /// The parameters that are sampled together.
    fn joint_space(&mut self, view: StudyView<'_>, trial: &FrozenTrial) -> SearchSpace;

    /// One value for each parameter of `space`, which [`Sampler::joint_space`] returned; or fewer, and the rest is sampled
    /// alone. With it come system attributes to note on the trial.
    ///
    /// # Errors
    /// When the study cannot be searched this way.
    fn sample_joint(
        &mut self,
        view: StudyView<'_>,
        trial: &FrozenTrial,
        space: &SearchSpace,
        random: &mut TrialRandom,
    ) -> Result<(BTreeMap<String, f64>, Attributes), HpoError>;

    /// A value for a parameter that is in no joint sample.
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
