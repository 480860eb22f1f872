//! Is a trial among the better ones at this step?

use super::cadence::Cadence;
use super::{MedianSpec, PercentileSpec, Pruner};
use crate::{Attributes, Direction, FrozenTrial, StudyView, TrialState};

/// Gives up on a trial whose best value so far is worse than a percentile of what complete trials reported at this very step.
///
/// NaN: a report that is NaN is ignored, its own and others'. A trial that reported nothing but NaN is given up as soon as
/// there is something to compare with; where the others have only NaN at a step, the trial goes on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PercentilePruner {
    name: &'static str,
    /// The share of trials that goes on, in percent.
    percentile: f64,
    startup_trials: usize,
    min_trials: usize,
    cadence: Cadence,
}

impl PercentilePruner {
    pub(super) const fn median(spec: &MedianSpec) -> Self {
        Self {
            name: "median",
            percentile: 50.0,
            startup_trials: spec.startup_trials,
            min_trials: spec.min_trials,
            cadence: Cadence { warmup_steps: spec.warmup_steps as i64, interval: spec.interval as i64 },
        }
    }

    pub(super) const fn of(spec: &PercentileSpec) -> Self {
        Self {
            name: "percentile",
            percentile: spec.percentile,
            startup_trials: spec.startup_trials,
            min_trials: spec.min_trials,
            cadence: Cadence { warmup_steps: spec.warmup_steps as i64, interval: spec.interval as i64 },
        }
    }
}

impl Pruner for PercentilePruner {
    fn name(&self) -> &'static str {
        self.name
    }

    fn verdict(&self, view: StudyView<'_>, trial: &FrozenTrial) -> (bool, Attributes) {
        (self.is_behind(view, trial), Attributes::new())
    }
}

impl PercentilePruner {
    fn is_behind(&self, view: StudyView<'_>, trial: &FrozenTrial) -> bool {
        let (Some(step), Some(direction)) = (trial.last_step(), view.study.directions.first()) else {
            return false;
        };
        let complete: Vec<_> = view.history.in_state(TrialState::Complete).collect();
        if complete.len() < self.startup_trials.max(1) || !self.cadence.strikes(trial, step) {
            return false;
        }
        let own = trial.intermediate.values().map(|value| direction.loss(*value)).fold(f64::NAN, f64::min);
        if own.is_nan() {
            return true;
        }
        let mut values: Vec<f64> =
            complete.iter().filter_map(|other| other.intermediate.get(&step).copied()).collect();
        if values.len() < self.min_trials {
            return false;
        }
        values.retain(|value| !value.is_nan());
        let share = match direction {
            Direction::Minimize => self.percentile,
            Direction::Maximize => 100.0 - self.percentile,
        };
        // Comparisons with NaN, for want of values, are false.
        own > direction.loss(percentile(&mut values, share))
    }
}

/// The percentile between the two nearest of `values`, in proportion (Hyndman and Fan's seventh definition); NaN if there are
/// none. Computed from the nearer of the two, as NumPy does, so that ties stay ties.
fn percentile(values: &mut [f64], percent: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let Some(last) = values.len().checked_sub(1) else { return f64::NAN };
    let place = last as f64 * (percent / 100.0);
    let below = place.floor() as usize;
    let (low, high) = (values[below], values[(below + 1).min(last)]);
    let share = place - place.floor();
    if share >= 0.5 { high - (high - low) * (1.0 - share) } else { low + (high - low) * share }
}
