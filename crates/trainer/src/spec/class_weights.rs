//! `tasks.regime_detection.class_weights`: what a sample of each class counts for in training.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a sample of each class counts for in training. Validation losses and scores count every sample alike.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ClassWeightsSpec {
    /// The same for all.
    #[default]
    None,
    /// N / (K·nₖ): every class weighs as much as every other.
    Balanced,
    /// In proportion to (1 − β) / (1 − β^nₖ), the inverse of the effective number of samples (Cui et al. 2019).
    EffectiveNumber {
        /// How much samples of a class repeat each other, in [0, 1): 0 is the same for all, near 1 is `balanced`.
        beta: f64,
    },
}

impl ClassWeightsSpec {
    /// The weight of each class of which `counts` train samples were seen, with a mean of 1 over those samples. A class that
    /// was not seen is taken to have been seen once.
    #[must_use]
    pub fn weights(self, counts: &[u64]) -> Vec<f64> {
        let seen: Vec<f64> = counts.iter().map(|&count| count.max(1) as f64).collect();
        let raw: Vec<f64> = seen
            .iter()
            .map(|&count| match self {
                Self::None => 1.0,
                Self::Balanced => count.recip(),
                // (1 − β^n) by exp_m1: exact for β near 1 too, where the power is.
                Self::EffectiveNumber { beta } => (1.0 - beta) / -(count * beta.ln()).exp_m1(),
            })
            .collect();
        let total: f64 = seen.iter().sum();
        let mean = raw.iter().zip(&seen).map(|(weight, count)| weight * count).sum::<f64>() / total;
        raw.into_iter().map(|weight| weight / mean).collect()
    }
}

#[cfg(test)]
mod tests;
