//! Pearson's and Spearman's correlation.

use serde::{Deserialize, Serialize};

use crate::pairs::Pairs;

/// Which correlation an information coefficient is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Correlation {
    /// Pearson's: the IC.
    Pearson,
    /// Pearson's of the average ranks (Spearman's): the rank IC.
    Rank,
}

impl Correlation {
    /// This correlation of `pairs`; see [`pearson`] and [`spearman`].
    #[must_use]
    pub fn of(self, pairs: Pairs<'_>) -> Option<f64> {
        match self {
            Self::Pearson => pearson(pairs),
            Self::Rank => spearman(pairs),
        }
    }
}

/// Pearson's correlation: Σ(x−x̄)(y−ȳ) / √(Σ(x−x̄)² Σ(y−ȳ)²). `None` where a column does not vary.
#[must_use]
pub fn pearson(pairs: Pairs<'_>) -> Option<f64> {
    let x = Deviations::of(pairs.forecast())?;
    let y = Deviations::of(pairs.realised())?;
    let product: f64 = pairs.iter().map(|(a, b)| (a - x.mean) * (b - y.mean)).sum();
    let correlation = product / (x.norm * y.norm);
    correlation.is_finite().then(|| correlation.clamp(-1.0, 1.0))
}

/// Spearman's correlation: Pearson's of the [average ranks](average_ranks). `None` where a column does not vary.
#[must_use]
pub fn spearman(pairs: Pairs<'_>) -> Option<f64> {
    let forecast = average_ranks(pairs.forecast());
    let realised = average_ranks(pairs.realised());
    pearson(Pairs::checked(&forecast, &realised))
}

/// Ranks from 1; equal values share the average of the ranks they would take. `values` are finite.
#[must_use]
pub fn average_ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    // Adding 0.0 makes -0.0 and 0.0 one value, as `==` has it.
    order.sort_unstable_by(|&a, &b| (values[a] + 0.0).total_cmp(&(values[b] + 0.0)));
    let mut ranks = vec![0.0; values.len()];
    let mut first = 0;
    for tied in order.chunk_by(|&a, &b| values[a] == values[b]) {
        let rank = first as f64 + (tied.len() + 1) as f64 / 2.0;
        for &row in tied {
            ranks[row] = rank;
        }
        first += tied.len();
    }
    ranks
}

/// How a column that varies is centred and scaled.
pub(crate) struct Deviations {
    /// Its mean.
    pub(crate) mean: f64,
    /// √Σ(x−x̄)².
    pub(crate) norm: f64,
}

impl Deviations {
    /// `None` where the column does not vary, or only within the rounding of its own mean: a constant is not made a signal
    /// by its last bit.
    pub(crate) fn of(values: &[f64]) -> Option<Self> {
        let rows = values.len() as f64;
        let rough = values.iter().sum::<f64>() / rows;
        // The mean of what is left corrects the drift of a long sum.
        let mean = rough + values.iter().map(|value| value - rough).sum::<f64>() / rows;
        let norm = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>().sqrt();
        let largest = values.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
        (norm > 8.0 * f64::EPSILON * largest * rows.sqrt() && norm.is_finite()).then_some(Self { mean, norm })
    }
}
