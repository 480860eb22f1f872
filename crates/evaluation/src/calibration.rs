//! How good forecast class probabilities are.

use crate::error::{EvaluationError, check_classes, check_finite, check_shape};
use crate::pairs::{mean, ratio};

/// How many bins the expected calibration error has.
pub const BINS: usize = 15;

/// Probabilities count as at least this in the log likelihood, so that one certain and wrong row costs 34.5 and not infinity.
pub const PROBABILITY_FLOOR: f64 = 1e-15;

/// How far from 1 the probabilities of a row may sum: they come from an `f32` softmax.
const SUM_TOLERANCE: f64 = 1e-4;

/// A distribution over classes for each row, and the class that came true.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Probabilities<'a> {
    classes: usize,
    probabilities: &'a [f64],
    actual: &'a [u32],
}

impl<'a> Probabilities<'a> {
    /// `probabilities` is row-major `[row, class]`; `actual` holds a class in `0..classes` for each row.
    ///
    /// # Errors
    /// [`EvaluationError::WrongShape`], [`EvaluationError::NotFinite`], [`EvaluationError::NotADistribution`] and
    /// [`EvaluationError::UnknownClass`].
    pub fn new(classes: usize, probabilities: &'a [f64], actual: &'a [u32]) -> Result<Self, EvaluationError> {
        check_shape("probabilities", probabilities.len(), (actual.len(), classes))?;
        check_finite("probabilities", probabilities)?;
        check_classes("actual", actual, classes)?;
        let checked = Self { classes, probabilities, actual };
        for (row, (distribution, _)) in checked.iter().enumerate() {
            let (sum, least) =
                (distribution.iter().sum::<f64>(), distribution.iter().copied().fold(1.0, f64::min));
            if least < 0.0 || (sum - 1.0).abs() > SUM_TOLERANCE {
                return Err(EvaluationError::NotADistribution { row, least, sum });
            }
        }
        Ok(checked)
    }

    /// The most probable class of each row, the first of equals.
    #[must_use]
    pub fn predicted(&self) -> Vec<u32> {
        self.iter().map(|(distribution, _)| most_probable(distribution) as u32).collect()
    }

    fn iter(&self) -> impl Iterator<Item = (&'a [f64], usize)> + use<'a> {
        // One class at least, so that chunks are not empty; with none there are no rows either.
        self.probabilities
            .chunks_exact(self.classes.max(1))
            .zip(self.actual.iter().map(|&class| class as usize))
    }
}

fn most_probable(distribution: &[f64]) -> usize {
    (1..distribution.len())
        .fold(0, |best, class| if distribution[class] > distribution[best] { class } else { best })
}

/// Mean over rows of Σₖ(pₖ − 1{k is true})², in 0 to 2 (Brier 1950). `None` on no rows.
#[must_use]
pub fn brier(probabilities: &Probabilities<'_>) -> Option<f64> {
    mean(probabilities.iter().map(|(distribution, actual)| {
        let miss = |(class, p): (usize, &f64)| (p - f64::from(u8::from(class == actual))).powi(2);
        distribution.iter().enumerate().map(miss).sum()
    }))
}

/// Mean negative log likelihood, in nats; probabilities under [`PROBABILITY_FLOOR`] count as that. `None` on no rows.
#[must_use]
pub fn negative_log_likelihood(probabilities: &Probabilities<'_>) -> Option<f64> {
    mean(probabilities.iter().map(|(distribution, actual)| -distribution[actual].max(PROBABILITY_FLOOR).ln()))
}

/// Expected calibration error: Σ_b n_b/n·|accuracy_b − confidence_b| over [`BINS`] bins of equal mass, confidence being the
/// largest probability (Naeini 2015; equal mass: Nguyen and O'Connor 2015). Rows of equal confidence share their mean
/// accuracy, so that the order of rows does not decide which bin a tie falls into. `None` on no rows.
#[must_use]
pub fn expected_calibration_error(probabilities: &Probabilities<'_>) -> Option<f64> {
    let mut rows: Vec<(f64, f64)> = probabilities
        .iter()
        .map(|(distribution, actual)| {
            let predicted = most_probable(distribution);
            (distribution[predicted], f64::from(u8::from(predicted == actual)))
        })
        .collect();
    rows.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    for tied in rows.chunk_by_mut(|a, b| a.0 == b.0) {
        let accuracy = tied.iter().map(|row| row.1).sum::<f64>() / tied.len() as f64;
        tied.iter_mut().for_each(|row| row.1 = accuracy);
    }
    let edge = |bin: usize| bin * rows.len() / BINS;
    let gap = |bin: usize| {
        rows[edge(bin)..edge(bin + 1)].iter().map(|(sure, right)| right - sure).sum::<f64>().abs()
    };
    ratio((0..BINS).map(gap).sum(), rows.len() as f64)
}
