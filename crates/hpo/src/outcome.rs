//! How a trial ended.

/// How a trial ended, in the words of its objective.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// One value per objective. Infinities are values; with a NaN among them, or too few, or too many, the trial has failed.
    Values(Vec<f64>),
    /// Given up early, as [`crate::Trial::should_prune`] said or for a reason of its own.
    Pruned,
    /// It went wrong: the reason, noted as the user attribute `fail_reason`.
    Failed(String),
}

impl From<f64> for Outcome {
    fn from(value: f64) -> Self {
        Self::Values(vec![value])
    }
}

impl From<Vec<f64>> for Outcome {
    fn from(values: Vec<f64>) -> Self {
        Self::Values(values)
    }
}

impl<const N: usize> From<[f64; N]> for Outcome {
    fn from(values: [f64; N]) -> Self {
        Self::Values(values.to_vec())
    }
}
