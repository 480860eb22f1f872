//! Who gives up on a trial early.

mod cadence;
mod halving;
mod hyperband;
mod patient;
mod percentile;
mod spec;
#[cfg(test)]
mod tests;
mod threshold;
mod wilcoxon;

pub use halving::HalvingPruner;
pub use hyperband::HyperbandPruner;
pub use patient::PatientPruner;
pub use percentile::PercentilePruner;
pub use spec::{
    DEFAULT_HALVING_FACTOR, DEFAULT_HYPERBAND_FACTOR, DEFAULT_P_THRESHOLD, DEFAULT_STARTUP_STEPS,
    DEFAULT_STARTUP_TRIALS, HalvingSpec, HyperbandSpec, MedianSpec, NopSpec, PatientSpec, PercentileSpec,
    PrunerSpec, ThresholdSpec, WilcoxonSpec,
};
pub use threshold::ThresholdPruner;
pub use wilcoxon::WilcoxonPruner;

use crate::{Attributes, FrozenTrial, StudyView};

/// Decides whether a trial is given up, from what it and others reported. A function of its arguments.
pub trait Pruner: Send + Sync {
    /// Its name in messages, such as `median`.
    fn name(&self) -> &'static str;

    /// Whether `trial` is given up at its last reported step, and system attributes to note on it either way. A trial that
    /// reported nothing is never given up.
    fn verdict(&self, view: StudyView<'_>, trial: &FrozenTrial) -> (bool, Attributes);

    /// The trials that `trial` is compared with and that its sampler learns from; all of them, unless the pruner runs several
    /// races at once.
    fn siblings(&self, _view: StudyView<'_>, _trial: &FrozenTrial) -> Option<Vec<u64>> {
        None
    }
}

/// Gives up on nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NopPruner;

impl Pruner for NopPruner {
    fn name(&self) -> &'static str {
        "nop"
    }

    fn verdict(&self, _: StudyView<'_>, _: &FrozenTrial) -> (bool, Attributes) {
        (false, Attributes::new())
    }
}
