//! How much the price moved lately.

use super::{Channel, Feature, Stretch, Unit};
use crate::price::VARIANCE_FLOOR;

/// How many returns the realised volatility looks back on.
pub const REALIZED_VOLATILITY_BARS: usize = 20;

/// ln of the root mean square of the last [`REALIZED_VOLATILITY_BARS`] log returns, not less than half the logarithm of
/// [`VARIANCE_FLOOR`]: prices that stood still have the floor's volatility, not −∞.
pub(super) struct RealizedVolatility;

impl Feature for RealizedVolatility {
    fn channels(&self) -> &'static [Channel] {
        &[Channel { name: "realized_volatility", unit: Unit::LogVolatility }]
    }

    fn warm_up(&self) -> usize {
        REALIZED_VOLATILITY_BARS
    }

    /// Each row sums its own returns afresh. A running sum would carry the rounding of all earlier rows along.
    fn compute(&self, bars: &Stretch<'_>, out: &mut [f64]) {
        let squares: Vec<f64> = bars.close.windows(2).map(|pair| (pair[1] / pair[0]).ln().powi(2)).collect();
        let means = squares.windows(REALIZED_VOLATILITY_BARS).map(|recent| {
            let sum: f64 = recent.iter().sum();
            sum / REALIZED_VOLATILITY_BARS as f64
        });
        for (mean, value) in means.zip(out.iter_mut().skip(REALIZED_VOLATILITY_BARS)) {
            *value = if mean.is_nan() { f64::NAN } else { 0.5 * mean.max(VARIANCE_FLOOR).ln() };
        }
    }
}
