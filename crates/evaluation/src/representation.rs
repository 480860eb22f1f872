//! How much of its width a feature vector uses, what each dimension says, and whether two sets of features say the same.

mod agreement;
mod discovery;

use serde::{Deserialize, Serialize};

use crate::error::{EvaluationError, check_shape};
use crate::spectrum::eigenvalues;

pub use agreement::{drift, linear_cka};
pub use discovery::{DimensionIc, FALSE_DISCOVERIES, benjamini_hochberg, dimension_ic};

/// A unit whose variance over samples is below this carries nothing: its standard deviation is under 1e-5, where features are
/// of order 1.
pub const DEAD_VARIANCE: f64 = 1e-10;

/// The widest features a spectrum is computed for; the solver's time grows with the cube.
pub const MAX_DIMENSIONS: usize = 512;

/// What can be said of features without labels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FeatureQuality {
    /// The variance of each dimension over samples (divisor n).
    pub variance: Vec<f64>,
    /// The share of dimensions with a variance under [`DEAD_VARIANCE`]; `None` without dimensions or samples.
    pub dead_share: Option<f64>,
    /// exp(−Σ pᵢ ln pᵢ) with pᵢ = σᵢ/Σσ and σ the singular values of the features after each dimension's mean is taken out,
    /// that is the *roots* of the eigenvalues of their covariance (Roy and Vetterli 2007). In 1 to `dim`; `None` where nothing
    /// varies.
    pub effective_rank: Option<f64>,
    /// The mean of |Pearson's correlation| over all pairs of dimensions that are not dead; `None` where there is no pair.
    pub redundancy: Option<f64>,
}

/// Measures `features`, row-major `[sample, feature]` of `dim` features.
///
/// # Errors
/// [`EvaluationError::WrongShape`], [`EvaluationError::NotFinite`] and [`EvaluationError::TooManyDimensions`].
pub fn feature_quality(features: &[f32], dim: usize) -> Result<FeatureQuality, EvaluationError> {
    check_features(features, dim)?;
    let samples = features.len() / dim.max(1);
    if dim > MAX_DIMENSIONS {
        return Err(EvaluationError::TooManyDimensions { found: dim, most: MAX_DIMENSIONS });
    }
    let covariance = covariance(features, dim);
    let variance: Vec<f64> = (0..dim).map(|unit| covariance[unit * dim + unit]).collect();
    let dead = variance.iter().filter(|&&variance| variance < DEAD_VARIANCE).count();
    Ok(FeatureQuality {
        redundancy: redundancy(&covariance, dim),
        dead_share: (samples > 0 && dim > 0).then(|| dead as f64 / dim as f64),
        effective_rank: effective_rank(&eigenvalues(covariance, dim)),
        variance,
    })
}

/// Whether `features` are whole rows of finite numbers.
fn check_features(features: &[f32], dim: usize) -> Result<(), EvaluationError> {
    check_shape("features", features.len(), (features.len() / dim.max(1), dim))?;
    match features.iter().position(|value| !value.is_finite()) {
        None => Ok(()),
        Some(at) => {
            let value = f64::from(features[at]);
            Err(EvaluationError::NotFinite { column: "features", row: at / dim, value })
        }
    }
}

/// The columns of `features`, each less its mean.
fn centred_columns(features: &[f32], dim: usize) -> Vec<Vec<f64>> {
    let column = |unit: usize| {
        let values: Vec<f64> =
            features.iter().skip(unit).step_by(dim).map(|&value| f64::from(value)).collect();
        let mean = values.iter().sum::<f64>() / values.len().max(1) as f64;
        values.into_iter().map(|value| value - mean).collect()
    };
    (0..dim).map(column).collect()
}

/// The mean |correlation| between dimensions with this covariance.
fn redundancy(covariance: &[f64], dim: usize) -> Option<f64> {
    let variance = |unit: usize| covariance[unit * dim + unit];
    let live: Vec<usize> = (0..dim).filter(|&unit| variance(unit) >= DEAD_VARIANCE).collect();
    let pairs = live.len() * live.len().saturating_sub(1) / 2;
    let correlation =
        |a: usize, b: usize| (covariance[a * dim + b] / (variance(a) * variance(b)).sqrt()).abs().min(1.0);
    let of_unit =
        |(place, &a): (usize, &usize)| -> f64 { live[..place].iter().map(|&b| correlation(a, b)).sum() };
    (pairs > 0).then(|| live.iter().enumerate().map(of_unit).sum::<f64>() / pairs as f64)
}

/// The covariance matrix (divisor n), row-major `[dim, dim]`; all 0 without samples.
fn covariance(features: &[f32], dim: usize) -> Vec<f64> {
    let samples = features.len().checked_div(dim).unwrap_or(0).max(1) as f64;
    let rows = || features.chunks_exact(dim.max(1));
    let mut mean = vec![0.0; dim];
    for row in rows() {
        mean.iter_mut().zip(row).for_each(|(sum, &value)| *sum += f64::from(value) / samples);
    }
    let mut covariance = vec![0.0; dim * dim];
    let mut centred = vec![0.0; dim];
    for row in rows() {
        for (deviation, (&value, mean)) in centred.iter_mut().zip(row.iter().zip(&mean)) {
            *deviation = f64::from(value) - mean;
        }
        for (unit, &deviation) in centred.iter().enumerate() {
            let row = &mut covariance[unit * dim..=unit * dim + unit];
            row.iter_mut().zip(&centred).for_each(|(sum, other)| *sum += deviation * other);
        }
    }
    for a in 0..dim {
        for b in 0..=a {
            let mean = covariance[a * dim + b] / samples;
            covariance[a * dim + b] = mean;
            covariance[b * dim + a] = mean;
        }
    }
    covariance
}

/// The entropy rank of the spectrum of singular values; eigenvalues that are rounding count as 0.
fn effective_rank(eigenvalues: &[f64]) -> Option<f64> {
    let largest = eigenvalues.iter().copied().fold(0.0, f64::max);
    let floor = 4.0 * largest * f64::EPSILON * eigenvalues.len() as f64;
    let singular = || eigenvalues.iter().filter(|&&value| value > floor).map(|value| value.sqrt());
    let sum: f64 = singular().sum();
    let entropy: f64 = singular().map(|value| value / sum).map(|share| -share * share.ln()).sum();
    (sum > 0.0).then(|| entropy.exp())
}
