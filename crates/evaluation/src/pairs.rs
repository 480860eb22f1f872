//! Forecasts beside what came true.

use crate::error::{EvaluationError, check_equal_lengths, check_finite};

/// Two columns of equal length whose numbers are all finite: checked once, so that no metric has to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pairs<'a> {
    forecast: &'a [f64],
    realised: &'a [f64],
}

impl<'a> Pairs<'a> {
    /// Row `i` pairs `forecast[i]` with `realised[i]`.
    ///
    /// # Errors
    /// [`EvaluationError::UnequalLengths`] and [`EvaluationError::NotFinite`].
    pub fn new(forecast: &'a [f64], realised: &'a [f64]) -> Result<Self, EvaluationError> {
        check_equal_lengths(("forecast", forecast.len()), ("realised", realised.len()))?;
        check_finite("forecast", forecast)?;
        check_finite("realised", realised)?;
        Ok(Self { forecast, realised })
    }

    /// For columns that were checked when they were stored.
    pub(crate) const fn checked(forecast: &'a [f64], realised: &'a [f64]) -> Self {
        Self { forecast, realised }
    }

    /// The forecasts.
    #[must_use]
    pub const fn forecast(self) -> &'a [f64] {
        self.forecast
    }

    /// What came true.
    #[must_use]
    pub const fn realised(self) -> &'a [f64] {
        self.realised
    }

    /// How many rows there are.
    #[must_use]
    pub const fn len(self) -> usize {
        self.forecast.len()
    }

    /// True without a row.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.forecast.is_empty()
    }

    /// The rows as (forecast, realised).
    pub(crate) fn iter(self) -> impl Iterator<Item = (f64, f64)> + 'a {
        self.forecast.iter().copied().zip(self.realised.iter().copied())
    }
}

/// The mean of `values`, `None` without any or where the sum leaves the range of `f64`.
pub(crate) fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0_usize), |(sum, count), value| (sum + value, count + 1));
    ratio(sum, count as f64)
}

/// `part / whole`, `None` where the whole is 0 or the result is no finite number.
pub(crate) fn ratio(part: f64, whole: f64) -> Option<f64> {
    let ratio = part / whole;
    (whole != 0.0 && ratio.is_finite()).then_some(ratio)
}
