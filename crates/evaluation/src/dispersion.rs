//! How a score spreads over folds or seeds, and over runs on data with nothing to find.

use serde::{Deserialize, Serialize};

use crate::bootstrap::student_quantile;

/// Fewer null runs than these say nothing of a band.
pub const MIN_NULL_RUNS: usize = 3;

/// The mean and the spread of those values that are defined.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dispersion {
    /// How many values are defined.
    pub defined: usize,
    /// How many are not.
    pub undefined: usize,
    /// Their mean; `None` without any.
    pub mean: Option<f64>,
    /// Their standard deviation, divisor n − 1; `None` below two.
    pub std: Option<f64>,
    /// The least.
    pub min: Option<f64>,
    /// The greatest.
    pub max: Option<f64>,
}

impl Dispersion {
    /// Of `values`, where `None` and what is not finite are undefined.
    #[must_use]
    pub fn of(values: impl IntoIterator<Item = Option<f64>>) -> Self {
        let (mut defined, mut undefined) = (Vec::new(), 0);
        for value in values {
            match value.filter(|value| value.is_finite()) {
                Some(value) => defined.push(value),
                None => undefined += 1,
            }
        }
        let count = defined.len() as f64;
        let mean = (!defined.is_empty()).then(|| defined.iter().sum::<f64>() / count);
        let squares = |mean: f64| defined.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
        Self {
            defined: defined.len(),
            undefined,
            mean,
            std: mean.filter(|_| defined.len() > 1).map(|mean| (squares(mean) / (count - 1.0)).sqrt()),
            min: defined.iter().copied().reduce(f64::min),
            max: defined.iter().copied().reduce(f64::max),
        }
    }
}

/// A score beside what the same pipeline reaches where there is nothing to find.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct NullBand {
    /// The null runs.
    pub nulls: Dispersion,
    /// Where one more null run would lie with a confidence of 95 %: m ± t·s·√(1 + 1/n), t the quantile of Student's
    /// distribution with n − 1 degrees of freedom (a prediction interval; it takes scores to be about normal). `None` under
    /// [`MIN_NULL_RUNS`] runs.
    pub band: Option<(f64, f64)>,
    /// The place of the real score among itself and the null runs, the best being 1; a tie counts against it. `None` where
    /// it is undefined.
    pub rank: Option<usize>,
}

impl NullBand {
    /// `real` beside `nulls`. `higher_is_better` says which way a score is good.
    #[must_use]
    pub fn of(real: Option<f64>, nulls: &[Option<f64>], higher_is_better: bool) -> Self {
        let spread = Dispersion::of(nulls.iter().copied());
        let count = spread.defined;
        let band = spread.mean.zip(spread.std).filter(|_| count >= MIN_NULL_RUNS).map(|(mean, std)| {
            let n = count as f64;
            let reach = student_quantile(n - 1.0) * std * (1.0 + 1.0 / n).sqrt();
            (mean - reach, mean + reach)
        });
        let defined = || nulls.iter().flatten().filter(|value| value.is_finite());
        let as_good =
            |real: f64| move |null: &&f64| if higher_is_better { **null >= real } else { **null <= real };
        Self {
            nulls: spread,
            band,
            rank: real
                .filter(|real| real.is_finite())
                .map(|real| 1 + defined().filter(as_good(real)).count()),
        }
    }

    /// Whether `real` lies within the band, its ends included; `None` where there is no band.
    #[must_use]
    pub fn covers(&self, real: f64) -> Option<bool> {
        self.band.map(|(low, high)| low <= real && real <= high)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn undefined_values_are_counted_and_left_out() {
        let spread = Dispersion::of([Some(1.0), None, Some(4.0), Some(f64::NAN), Some(1.0)]);
        assert_eq!((spread.defined, spread.undefined), (3, 2));
        assert_eq!((spread.mean, spread.min, spread.max), (Some(2.0), Some(1.0), Some(4.0)));
        assert!((spread.std.unwrap() - 3.0_f64.sqrt()).abs() < 1e-15);
        assert_eq!(Dispersion::of([None]).mean, None);
        assert_eq!(Dispersion::of([Some(2.0)]).std, None);
    }

    #[test]
    fn a_band_is_students_prediction_interval() {
        // t(0.975, 9) = 2.262157; s of 1..10 = 3.027650; √1.1 = 1.048809: ± 7.183267.
        let nulls: Vec<Option<f64>> = (1..=10).map(|n| Some(f64::from(n))).collect();
        let beside = NullBand::of(Some(9.0), &nulls, true);
        let (low, high) = beside.band.unwrap();
        assert!((low + 1.683_267).abs() < 2e-3 && (high - 12.683_267).abs() < 2e-3, "{low} {high}");
        assert_eq!((beside.rank, NullBand::of(Some(9.0), &nulls, false).rank), (Some(3), Some(10)));
        assert_eq!((beside.covers(12.0), beside.covers(13.0)), (Some(true), Some(false)));
        let few = NullBand::of(None, &nulls[..2], true);
        assert_eq!((few.band, few.rank, few.covers(1.0)), (None, None, None));
    }
}
