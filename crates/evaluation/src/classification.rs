//! How good forecasts of a class are, all from one table of counts.

use serde::{Deserialize, Serialize};

use crate::error::{EvaluationError, check_classes, check_equal_lengths, check_shape};
use crate::pairs::{mean, ratio};

/// How often each class was forecast when each came true.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Confusion {
    classes: usize,
    /// Row-major `[actual, predicted]`. Counts are `f64` because a bootstrap adds them up as differences of sums.
    counts: Vec<f64>,
}

/// What the table says of one class.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassScore {
    /// Of the rows forecast as this class, the share that is; `None` where none was.
    pub precision: Option<f64>,
    /// Of the rows of this class, the share forecast as such; `None` where there is none.
    pub recall: Option<f64>,
    /// 2·TP / (2·TP + FP + FN); `None` where the class was neither forecast nor came true.
    pub f1: Option<f64>,
}

impl Confusion {
    /// Counts rows of classes in `0..classes`.
    ///
    /// # Errors
    /// [`EvaluationError::UnequalLengths`] and [`EvaluationError::UnknownClass`].
    pub fn new(classes: usize, predicted: &[u32], actual: &[u32]) -> Result<Self, EvaluationError> {
        check_equal_lengths(("predicted", predicted.len()), ("actual", actual.len()))?;
        check_classes("predicted", predicted, classes)?;
        check_classes("actual", actual, classes)?;
        let mut counts = vec![0.0; classes * classes];
        for (&predicted, &actual) in predicted.iter().zip(actual) {
            counts[actual as usize * classes + predicted as usize] += 1.0;
        }
        Ok(Self { classes, counts })
    }

    /// A table from its counts, row-major `[actual, predicted]`: what [`TimeSums`](crate::TimeSums) of width `classes`² hold.
    ///
    /// # Errors
    /// [`EvaluationError::WrongShape`].
    pub fn from_counts(classes: usize, counts: &[f64]) -> Result<Self, EvaluationError> {
        check_shape("counts", counts.len(), (classes, classes))?;
        Ok(Self { classes, counts: counts.to_vec() })
    }

    /// How many classes there are.
    #[must_use]
    pub const fn classes(&self) -> usize {
        self.classes
    }

    /// How often `predicted` was forecast when `actual` came true.
    #[must_use]
    pub fn count(&self, actual: usize, predicted: usize) -> f64 {
        self.counts[actual * self.classes + predicted]
    }

    /// How many rows there are.
    #[must_use]
    pub fn rows(&self) -> f64 {
        self.counts.iter().sum()
    }

    /// The share of rows forecast right.
    #[must_use]
    pub fn accuracy(&self) -> Option<f64> {
        ratio(self.correct(), self.rows())
    }

    /// Precision, recall and F1 of each class.
    #[must_use]
    pub fn by_class(&self) -> Vec<ClassScore> {
        let score = |class: usize| {
            let (right, predicted, actual) =
                (self.count(class, class), self.predicted(class), self.actual(class));
            ClassScore {
                precision: ratio(right, predicted),
                recall: ratio(right, actual),
                f1: ratio(2.0 * right, predicted + actual),
            }
        };
        (0..self.classes).map(score).collect()
    }

    /// The mean F1 over the classes that were forecast or came true.
    #[must_use]
    pub fn macro_f1(&self) -> Option<f64> {
        mean(self.by_class().iter().filter_map(|class| class.f1))
    }

    /// Matthews' correlation for K classes (Gorodkin 2004): (c·s − Σpₖtₖ) / √((s² − Σpₖ²)(s² − Σtₖ²)), c right, s all, pₖ
    /// forecast and tₖ true rows of class k. `None` where all forecasts or all outcomes are one class.
    #[must_use]
    pub fn mcc(&self) -> Option<f64> {
        let rows = self.rows();
        let sum = |of: &dyn Fn(usize) -> f64| (0..self.classes).map(of).sum::<f64>();
        let both = sum(&|class| self.predicted(class) * self.actual(class));
        let predicted = rows * rows - sum(&|class| self.predicted(class).powi(2));
        let actual = rows * rows - sum(&|class| self.actual(class).powi(2));
        ratio(self.correct() * rows - both, (predicted * actual).max(0.0).sqrt())
    }

    /// The share of rows of which each class came true; `None` without rows.
    #[must_use]
    pub fn actual_shares(&self) -> Option<Vec<f64>> {
        (0..self.classes).map(|class| ratio(self.actual(class), self.rows())).collect()
    }

    /// The share of rows for which each class was forecast; `None` without rows.
    #[must_use]
    pub fn predicted_shares(&self) -> Option<Vec<f64>> {
        (0..self.classes).map(|class| ratio(self.predicted(class), self.rows())).collect()
    }

    fn correct(&self) -> f64 {
        (0..self.classes).map(|class| self.count(class, class)).sum()
    }

    fn actual(&self, class: usize) -> f64 {
        (0..self.classes).map(|predicted| self.count(class, predicted)).sum()
    }

    fn predicted(&self, class: usize) -> f64 {
        (0..self.classes).map(|actual| self.count(actual, class)).sum()
    }
}
