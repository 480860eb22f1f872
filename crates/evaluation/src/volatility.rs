//! How good forecasts of variance are.

use crate::error::{EvaluationError, check_equal_lengths, check_finite};
use crate::pairs::{Pairs, mean, ratio};
use crate::regression::r2_mean;

/// Forecast variances beside realised ones, all above 0. Rows under the label's floor are masked (and counted) by whoever
/// makes the labels; they have no place here.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Variances<'a>(Pairs<'a>);

impl<'a> Variances<'a> {
    /// Row `i` pairs `forecast[i]` with `realised[i]`.
    ///
    /// # Errors
    /// [`EvaluationError::UnequalLengths`], [`EvaluationError::NotFinite`] and [`EvaluationError::NotPositive`].
    pub fn new(forecast: &'a [f64], realised: &'a [f64]) -> Result<Self, EvaluationError> {
        check_equal_lengths(("forecast", forecast.len()), ("realised", realised.len()))?;
        for (column, values) in [("forecast", forecast), ("realised", realised)] {
            check_finite(column, values)?;
            if let Some(row) = values.iter().position(|&value| value <= 0.0) {
                return Err(EvaluationError::NotPositive { column, row, value: values[row] });
            }
        }
        Ok(Self(Pairs::checked(forecast, realised)))
    }
}

/// Mean of RV/v − ln(RV/v) − 1 for forecasts v: 0 where all are right, and ranks forecasts rightly even when the realised
/// variance is a noisy proxy (Patton 2011).
#[must_use]
pub fn qlike(variances: Variances<'_>) -> Option<f64> {
    mean(variances.0.iter().map(|(forecast, realised)| qlike_loss(forecast, realised)))
}

/// The QLIKE loss of one row; both are above 0.
#[must_use]
pub fn qlike_loss(forecast: f64, realised: f64) -> f64 {
    let ratio = realised / forecast;
    ratio - ratio.ln() - 1.0
}

/// R² of the logarithms against `train_mean_log`, the mean of the *train* log variances; see [`r2_mean`].
#[must_use]
pub fn r2_log(variances: Variances<'_>, train_mean_log: f64) -> Option<f64> {
    let logs = |values: &[f64]| values.iter().map(|value| value.ln()).collect::<Vec<f64>>();
    r2_mean(Pairs::checked(&logs(variances.0.forecast()), &logs(variances.0.realised())), train_mean_log)
}

/// The mean forecast over the mean realised variance: 1 is unbiased, below 1 forecasts too little.
#[must_use]
pub fn bias_ratio(variances: Variances<'_>) -> Option<f64> {
    let forecast = mean(variances.0.forecast().iter().copied())?;
    ratio(forecast, mean(variances.0.realised().iter().copied())?)
}

/// The variance that a forecast `log_mean` of a log variance stands for, when its errors are normal with variance
/// `residual_variance` (from train rows): exp(μ + s²/2). exp(μ) alone is the median and too low.
#[must_use]
pub fn from_log(log_mean: f64, residual_variance: f64) -> f64 {
    (log_mean + 0.5 * residual_variance).exp()
}
