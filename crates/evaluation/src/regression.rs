//! How far forecasts are from what came true. Every function is `None` on no rows.

use crate::pairs::{Pairs, mean, ratio};

/// Mean absolute error.
#[must_use]
pub fn mae(pairs: Pairs<'_>) -> Option<f64> {
    mean(pairs.iter().map(|(forecast, realised)| (realised - forecast).abs()))
}

/// Mean squared error.
#[must_use]
pub fn mse(pairs: Pairs<'_>) -> Option<f64> {
    mean(pairs.iter().map(|(forecast, realised)| (realised - forecast).powi(2)))
}

/// Root of the mean squared error, in the unit of the outcomes.
#[must_use]
pub fn rmse(pairs: Pairs<'_>) -> Option<f64> {
    mse(pairs).map(f64::sqrt)
}

/// Mean Huber loss (Huber 1964): e²/2 where |e| ≤ `delta`, else `delta`·(|e| − `delta`/2). `delta` has the unit of the
/// outcomes: give it and the columns in standardised units, or it is the mean squared error by another name.
#[must_use]
pub fn huber(pairs: Pairs<'_>, delta: f64) -> Option<f64> {
    mean(pairs.iter().map(|(forecast, realised)| {
        let error = (realised - forecast).abs();
        if error <= delta { 0.5 * error * error } else { delta * (error - 0.5 * delta) }
    }))
}

/// 1 − Σ(y−ŷ)²/Σy²: the gain over forecasting 0 (Gu, Kelly and Xiu 2020). Negative is normal. `None` where every outcome is 0.
#[must_use]
pub fn r2_zero(pairs: Pairs<'_>) -> Option<f64> {
    r2_mean(pairs, 0.0)
}

/// 1 − Σ(y−ŷ)²/Σ(y−μ)², μ the mean of the *train* outcomes: the gain over forecasting what was known before. Negative is
/// normal. `None` where every outcome equals μ.
#[must_use]
pub fn r2_mean(pairs: Pairs<'_>, train_mean: f64) -> Option<f64> {
    let (residual, naive) = pairs.iter().fold((0.0, 0.0), |(residual, naive), (forecast, realised)| {
        (residual + (realised - forecast).powi(2), naive + (realised - train_mean).powi(2))
    });
    ratio(residual, naive).map(|share| 1.0 - share)
}
