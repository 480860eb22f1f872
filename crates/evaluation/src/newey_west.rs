//! The t value of a mean of autocorrelated numbers (Newey and West 1987).

use crate::correlation::Deviations;

/// The mean of `values`, which are in order of time, over its standard error
/// √([γ₀ + 2 Σ_{k ≤ lag} (1 − k/(lag+1)) γ_k] / n), γ_k the autocovariance (divisor n). `None` where the values do not vary or that is not above 0.
///
/// For labels that overlap over h periods the lag is 2h; see [`CrossSectionIc::newey_west_t`](crate::ic::CrossSectionIc).
#[must_use]
pub fn t_value(values: &[f64], lag: usize) -> Option<f64> {
    let centre = Deviations::of(values)?.mean;
    let rows = values.len() as f64;
    let deviations: Vec<f64> = values.iter().map(|value| value - centre).collect();
    let covariance =
        |k: usize| deviations.iter().zip(&deviations[k..]).map(|(a, b)| a * b).sum::<f64>() / rows;
    let lag = lag.min(values.len() - 1);
    let weighted = |k: usize| (1.0 - k as f64 / (lag + 1) as f64) * covariance(k);
    let variance = covariance(0) + 2.0 * (1..=lag).map(weighted).sum::<f64>();
    // With a lag as long as the sample the weights cancel, but for rounding.
    (variance > 8.0 * f64::EPSILON * covariance(0)).then(|| centre / (variance / rows).sqrt())
}
