//! How good the features before the heads are.

use tapeline_artefact::Rows;
use tapeline_evaluation::representation::{DEAD_VARIANCE, MAX_DIMENSIONS, feature_quality};

use crate::error::TrainError;
use crate::scorecard::FeatureScore;

/// Measures `features`. Wider than [`MAX_DIMENSIONS`], they have no effective rank: it would take too long.
pub(super) fn score(features: &Rows) -> Result<FeatureScore, TrainError> {
    let (variance, effective_rank) = if features.width > MAX_DIMENSIONS {
        (variances(features), None)
    } else {
        let quality = feature_quality(&features.values, features.width)?;
        (quality.variance, quality.effective_rank)
    };
    let dimensions = variance.len();
    Ok(FeatureScore {
        dimensions,
        mean_variance: (dimensions > 0).then(|| variance.iter().sum::<f64>() / dimensions as f64),
        dead: variance.iter().filter(|&&variance| variance < DEAD_VARIANCE).count(),
        effective_rank,
    })
}

/// How many dimensions hardly vary.
pub(super) fn dead(features: &Rows) -> usize {
    variances(features).iter().filter(|&&variance| variance < DEAD_VARIANCE).count()
}

/// The variance of each dimension over samples (divisor n); all 0 without samples.
fn variances(features: &Rows) -> Vec<f64> {
    let rows = || features.values.chunks_exact(features.width);
    let samples = rows().len().max(1) as f64;
    let mut mean = vec![0.0; features.width];
    for row in rows() {
        mean.iter_mut().zip(row).for_each(|(mean, &value)| *mean += f64::from(value) / samples);
    }
    let mut variance = vec![0.0; features.width];
    for row in rows() {
        let deviations = row.iter().zip(&mean).map(|(&value, mean)| f64::from(value) - mean);
        variance.iter_mut().zip(deviations).for_each(|(sum, by)| *sum += by * by / samples);
    }
    variance
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Dimension d of sample i is d·i, and 1 in the last dimension.
    fn features(width: usize) -> Rows {
        let cell = |at: usize| if at % width == width - 1 { 1.0 } else { (at % width * (at / width)) as f32 };
        Rows { width, values: (0..4 * width).map(cell).collect() }
    }

    #[test]
    fn features_too_wide_for_a_spectrum_are_measured_without_it() {
        let width = MAX_DIMENSIONS + 1;
        let wide = score(&features(width)).unwrap();
        // The variance of 0, 1, 2, 3 is 1.25; dimension 0 and the last one stand still.
        let expected = (0..width - 1).map(|d| 1.25 * (d * d) as f64).sum::<f64>() / width as f64;
        assert!((wide.mean_variance.unwrap() - expected).abs() < 1e-9 * expected);
        assert_eq!((wide.dimensions, wide.dead, wide.effective_rank), (width, 2, None));
    }

    #[test]
    fn both_ways_of_measuring_agree() {
        let narrow = features(7);
        let quality = feature_quality(&narrow.values, 7).unwrap();
        for (own, expected) in variances(&narrow).iter().zip(&quality.variance) {
            assert!((own - expected).abs() <= 1e-12 * expected, "{own} and {expected}");
        }
        assert_eq!(score(&narrow).unwrap().effective_rank, quality.effective_rank);
    }
}
