//! The axis on which a parameter's kernels stand.

use crate::Distribution;
use crate::sampler::random::to_grid;

/// The axis on which a parameter's kernels stand: its logarithm where it has a log axis; a grid is half a step wider at both
/// ends.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Axis {
    /// Numbers.
    Number(NumberAxis),
    /// So many choices.
    Choice(usize),
}

/// The axis of numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct NumberAxis {
    /// Its ends, where kernels are cut.
    pub(super) low: f64,
    pub(super) high: f64,
    log: bool,
    /// Least and largest value and the step, outside of the logarithm.
    grid: Option<(f64, f64, f64)>,
    /// Least and largest value, outside of the logarithm.
    ends: (f64, f64),
}

impl Axis {
    pub(super) fn of(distribution: &Distribution) -> Self {
        let number = |low: f64, high: f64, log: bool, step: Option<f64>| {
            let half = step.unwrap_or(0.0) / 2.0;
            let place = |value: f64| if log { value.ln() } else { value };
            Self::Number(NumberAxis {
                low: place(low - half),
                high: place(high + half),
                log,
                grid: step.map(|step| (low, high, step)),
                ends: (low, high),
            })
        };
        match distribution {
            Distribution::Float(float) => number(float.low, float.high, float.log, float.step),
            Distribution::Int(int) => number(int.low as f64, int.high as f64, int.log, Some(int.step as f64)),
            Distribution::Categorical(categories) => Self::Choice(categories.choices.len()),
        }
    }

    /// Where `value` is on the axis; `None` if it is nowhere on it.
    pub(super) fn place(&self, value: f64) -> Option<f64> {
        match self {
            Self::Number(axis) => Some(axis.place(value)).filter(|place| place.is_finite()),
            Self::Choice(count) => (value >= 0.0 && value < *count as f64).then_some(value),
        }
    }
}

impl NumberAxis {
    pub(super) fn place(&self, value: f64) -> f64 {
        if self.log { value.ln() } else { value }
    }

    /// The value that is nearest to a point of the axis.
    pub(super) fn value(&self, place: f64) -> f64 {
        let value = if self.log { place.exp() } else { place };
        match self.grid {
            Some((low, high, step)) => to_grid(value, low, high, step),
            None => value.clamp(self.ends.0, self.ends.1),
        }
    }

    /// Of a grid, the part of the axis that belongs to `value`: half a step to both sides.
    pub(super) fn cell(&self, value: f64) -> Option<(f64, f64)> {
        let (_, _, step) = self.grid?;
        Some((self.place(value - step / 2.0), self.place(value + step / 2.0)))
    }

    pub(super) const fn is_grid(&self) -> bool {
        self.grid.is_some()
    }

    pub(super) fn range(&self) -> f64 {
        self.high - self.low
    }
}
