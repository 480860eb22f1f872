//! A numeric parameter as a place between 0 and 1.

use super::random::to_grid;
use crate::Distribution;

/// The axis of a numeric parameter, logarithmic where that is its scale. Grids are widened by half a step on both sides, so
/// that each of their points has an equal share of a linear axis.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Axis {
    low: f64,
    high: f64,
    log: bool,
    /// Lowest point, highest point and distance of a grid; a float without a step has the distance 0.
    grid: (f64, f64, f64),
}

impl Axis {
    /// `None` for a parameter without an order.
    pub(super) fn of(distribution: &Distribution) -> Option<Self> {
        let (low, high, step, log) = match distribution {
            Distribution::Float(float) => (float.low, float.high, float.step.unwrap_or(0.0), float.log),
            Distribution::Int(int) => (int.low as f64, int.high as f64, int.step as f64, int.log),
            Distribution::Categorical(_) => return None,
        };
        let scale = |end: f64| if log { end.ln() } else { end };
        let (from, to) = (scale(low - step / 2.0), scale(high + step / 2.0));
        Some(Self { low: from, high: to, log, grid: (low, high, step) })
    }

    /// Where a value is; the middle if there is only one.
    pub(super) fn place(&self, value: f64) -> f64 {
        if self.low == self.high {
            return 0.5;
        }
        let value = if self.log { value.ln() } else { value };
        (value - self.low) / (self.high - self.low)
    }

    /// The value at a place, or the nearest that the parameter can have.
    pub(super) fn value(&self, place: f64) -> f64 {
        let on_axis = self.low + (self.high - self.low) * place;
        let value = if self.log { on_axis.exp() } else { on_axis };
        let (low, high, step) = self.grid;
        if step == 0.0 { value.clamp(low, high) } else { to_grid(value, low, high, step) }
    }
}
