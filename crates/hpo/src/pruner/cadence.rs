//! At which reports a pruner speaks.

use crate::FrozenTrial;

/// The reports at which a pruner looks at a trial: the first one in each interval of steps, after a warm-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cadence {
    pub(super) warmup_steps: i64,
    /// At least 1.
    pub(super) interval: i64,
}

impl Cadence {
    /// Whether the last report, at `step`, is one of them. The report before counts from -1 on, so reports at negative steps
    /// never open an interval.
    pub(super) fn strikes(self, trial: &FrozenTrial, step: i64) -> bool {
        if step < self.warmup_steps {
            return false;
        }
        let opened = (step - self.warmup_steps) / self.interval * self.interval + self.warmup_steps;
        let before = trial.intermediate.range(..step).next_back().map_or(-1, |(before, _)| (*before).max(-1));
        before < opened
    }
}
