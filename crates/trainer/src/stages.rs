//! What the steps of an epoch spent their time on.

use std::ops::Add;
use std::time::Duration;

use tapeline_events::StepTimes;

/// What a thread spent on the samples of its part.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Spent {
    pub(crate) forward: Duration,
    pub(crate) backward: Duration,
}

impl Add for Spent {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { forward: self.forward + other.forward, backward: self.backward + other.backward }
    }
}

/// Time since it was last taken.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Stages {
    pub(crate) steps: u64,
    /// Of whole steps, everything included.
    pub(crate) total: Duration,
    pub(crate) data: Duration,
    /// Of one thread, where several share a batch.
    pub(crate) spent: Spent,
    pub(crate) update: Duration,
}

impl Stages {
    /// The times, and a new beginning; `None` where no time has passed, since nothing was done or the clock stands still.
    pub(crate) fn take(&mut self) -> Option<StepTimes> {
        let Self { steps, total, data, spent, update } = std::mem::take(self);
        let wait = total.saturating_sub(data + spent.forward + spent.backward + update);
        (!total.is_zero()).then_some(StepTimes {
            steps,
            data: data.as_secs_f64(),
            forward: spent.forward.as_secs_f64(),
            backward: spent.backward.as_secs_f64(),
            update: update.as_secs_f64(),
            wait: wait.as_secs_f64(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_stage_was_waited_for() {
        let milliseconds = Duration::from_millis;
        let spent = Spent { forward: milliseconds(20), backward: milliseconds(30) };
        let mut stages = Stages {
            steps: 2,
            total: milliseconds(100),
            data: milliseconds(10),
            spent,
            update: milliseconds(15),
        };
        let times = stages.take().unwrap();
        assert_eq!((times.steps, times.wait), (2, 0.025));
        assert!((times.total() - 0.1).abs() < 1e-12 && (times.stall_share() - 0.35).abs() < 1e-12);
        assert_eq!(stages.take(), None, "a new beginning");
    }
}
