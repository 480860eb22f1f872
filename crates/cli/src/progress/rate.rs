//! How fast steps go by, over the last while.

use std::collections::VecDeque;
use std::time::Duration;

use super::Plan;

/// Time between two marks.
const BETWEEN_MARKS: Duration = Duration::from_secs(1);
/// Marks that are remembered; the rate is that of about as many seconds.
const MARKS: usize = 30;

/// Times at which steps were done, the newest last.
#[derive(Default)]
pub(crate) struct Rate {
    marks: VecDeque<(Duration, u64)>,
    now: Option<(Duration, u64)>,
}

impl Rate {
    /// `step` steps were done after `elapsed`. The first call is the beginning: nothing before it counts.
    pub(crate) fn mark(&mut self, elapsed: Duration, step: u64) {
        self.now = Some((elapsed, step));
        let due = self.marks.back().is_none_or(|(last, _)| elapsed.saturating_sub(*last) >= BETWEEN_MARKS);
        if due {
            self.marks.push_back((elapsed, step));
            if self.marks.len() > MARKS {
                self.marks.pop_front();
            }
        }
    }

    /// Steps per second. `None` before there are two moments to compare.
    pub(crate) fn steps_per_second(&self) -> Option<f64> {
        let (first, first_step) = self.marks.front()?;
        let (last, last_step) = self.now?;
        let seconds = last.saturating_sub(*first).as_secs_f64();
        (seconds > 0.0 && last_step > *first_step).then(|| (last_step - first_step) as f64 / seconds)
    }

    /// Time until the last step of `plan` at this rate.
    pub(crate) fn left(&self, plan: &Plan) -> Option<Duration> {
        let (_, step) = self.now?;
        let seconds = plan.steps.saturating_sub(step) as f64 / self.steps_per_second()?;
        Duration::try_from_secs_f64(seconds).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_that_of_the_last_while() {
        let plan = Plan { steps_per_epoch: 100, num_epochs: 10, steps: 1_000, train_samples: 3_200 };
        let mut rate = Rate::default();
        rate.mark(Duration::ZERO, 500);
        assert_eq!(rate.steps_per_second(), None);
        for second in 1..=100 {
            rate.mark(Duration::from_secs(second), 500 + second * 2);
        }
        assert_eq!(rate.steps_per_second(), Some(2.0));
        assert_eq!(rate.left(&plan), Some(Duration::from_secs(150)));
        for second in 101..=140 {
            rate.mark(Duration::from_secs(second), 700 + (second - 100) * 5);
        }
        assert_eq!(rate.steps_per_second(), Some(5.0), "what is long ago no longer counts");
    }
}
