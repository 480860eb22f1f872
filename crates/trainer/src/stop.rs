//! When to give up: a pure function from the metric's history to a verdict.

use crate::metric::Direction;
use crate::spec::EarlyStoppingSpec;

/// The best epoch of a history and how long ago it was.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// The first epoch whose value was better than all before it by more than `min_delta`.
    pub best_epoch: Option<usize>,
    /// Its value.
    pub best: Option<f64>,
    /// Epochs since then.
    pub stale: usize,
}

impl Progress {
    /// Reads a history with one entry per finished epoch. An undefined or non-finite value is no improvement.
    #[must_use]
    pub fn of(history: &[Option<f64>], direction: Direction, min_delta: f64) -> Self {
        let mut progress = Self { best_epoch: None, best: None, stale: 0 };
        for (epoch, &value) in history.iter().enumerate() {
            if direction.improves(progress.best, value, min_delta) {
                progress = Self { best_epoch: Some(epoch), best: value, stale: 0 };
            } else {
                progress.stale += 1;
            }
        }
        progress
    }

    /// True when the patience of `spec` is used up.
    #[must_use]
    pub fn exhausted(&self, spec: &EarlyStoppingSpec) -> bool {
        self.stale >= spec.patience
    }
}

#[cfg(test)]
mod tests {
    use super::Progress;
    use crate::metric::Direction::{Maximise, Minimise};
    use crate::spec::EarlyStoppingSpec;

    #[test]
    fn the_first_of_equal_values_is_the_best() {
        let history = [Some(0.5), Some(0.4), Some(0.4), Some(0.45)];
        let expected = Progress { best_epoch: Some(1), best: Some(0.4), stale: 2 };
        assert_eq!(Progress::of(&history, Minimise, 0.0), expected);
        let negated = history.map(|value| value.map(|value: f64| -value));
        assert_eq!(Progress::of(&negated, Maximise, 0.0), Progress { best: Some(-0.4), ..expected });
    }

    #[test]
    fn small_gains_do_not_count_until_they_add_up() {
        let history = [Some(1.0), Some(0.95), Some(0.9), Some(0.85)];
        let progress = Progress::of(&history, Minimise, 0.12);
        assert_eq!(progress, Progress { best_epoch: Some(3), best: Some(0.85), stale: 0 });
        assert_eq!(Progress::of(&history[..3], Minimise, 0.12).stale, 2);
    }

    #[test]
    fn what_is_undefined_or_not_finite_is_no_improvement() {
        let history = [None, Some(f64::NAN), Some(f64::NEG_INFINITY), Some(2.0), None, Some(f64::NAN)];
        let progress = Progress::of(&history, Minimise, 0.0);
        assert_eq!(progress, Progress { best_epoch: Some(3), best: Some(2.0), stale: 2 });
        assert_eq!(
            Progress::of(&history[..3], Minimise, 0.0),
            Progress { best_epoch: None, best: None, stale: 3 }
        );
        assert_eq!(Progress::of(&[], Minimise, 0.0).stale, 0);
    }

    #[test]
    fn patience_is_the_number_of_epochs_that_are_borne() {
        let spec = EarlyStoppingSpec { patience: 2, ..EarlyStoppingSpec::default() };
        let stale = |stale| Progress { best_epoch: None, best: None, stale };
        assert!(!stale(1).exhausted(&spec));
        assert!(stale(2).exhausted(&spec));
    }
}
