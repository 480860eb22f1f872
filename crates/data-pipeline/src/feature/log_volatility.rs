//! Variances become logarithms of volatilities.

use crate::price::VARIANCE_FLOOR;

/// How many bars estimators of volatility look back on unless told otherwise: enough for an error of a sixth in the
/// close-to-close volatility, few enough to follow a day's changes on 5-minute bars.
pub const VOLATILITY_BARS: usize = 20;

/// ln of the root of `variance`, not less than half the logarithm of [`VARIANCE_FLOOR`]: prices that stood still have the
/// floor's volatility, not −∞. What is not a number stays so.
pub(super) fn log_volatility(variance: f64) -> f64 {
    if variance.is_nan() { f64::NAN } else { 0.5 * variance.max(VARIANCE_FLOOR).ln() }
}
