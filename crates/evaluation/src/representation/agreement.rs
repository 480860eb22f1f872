//! Whether two sets of features say the same.

use super::{centred_columns, check_features};
use crate::error::{EvaluationError, check_equal_lengths};

/// Linear centred kernel alignment of two feature matrices of the same samples, row-major `[sample, feature]`:
/// ‖YᵀX‖² / (‖XᵀX‖ ‖YᵀY‖), Frobenius norms, after each column's mean is taken out (Kornblith et al. 2019). In 0 to 1; it is 1 for
/// features that differ by a rotation, a shift and one scale. `None` where a side does not vary.
///
/// # Errors
/// [`EvaluationError::WrongShape`], [`EvaluationError::NotFinite`], [`EvaluationError::UnequalLengths`] where they are of
/// different numbers of samples.
pub fn linear_cka(left: (&[f32], usize), right: (&[f32], usize)) -> Result<Option<f64>, EvaluationError> {
    let rows = |(features, dim): (&[f32], usize)| features.len().checked_div(dim).unwrap_or(0);
    check_features(left.0, left.1)?;
    check_features(right.0, right.1)?;
    check_equal_lengths(("left samples", rows(left)), ("right samples", rows(right)))?;
    let (x, y) = (centred_columns(left.0, left.1), centred_columns(right.0, right.1));
    let norm = (squared_products(&x, &x) * squared_products(&y, &y)).sqrt();
    Ok((norm > 0.0).then(|| (squared_products(&x, &y) / norm).clamp(0.0, 1.0)))
}

/// Σ over pairs of columns of their squared product: ‖YᵀX‖².
fn squared_products(x: &[Vec<f64>], y: &[Vec<f64>]) -> f64 {
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    x.iter().flat_map(|a| y.iter().map(move |b| product(a, b).powi(2))).sum()
}

/// The two-sample Kolmogorov–Smirnov statistic of each dimension: the greatest distance between the distributions of `before`
/// and `after`, in 0 to 1. Both are row-major `[sample, feature]` of `dim` features. `None` where a side has no sample.
///
/// # Errors
/// [`EvaluationError::WrongShape`], [`EvaluationError::NotFinite`].
pub fn drift(before: &[f32], after: &[f32], dim: usize) -> Result<Option<Vec<f64>>, EvaluationError> {
    check_features(before, dim)?;
    check_features(after, dim)?;
    if before.is_empty() || after.is_empty() {
        return Ok(None);
    }
    let column = |features: &[f32], unit: usize| {
        let mut values: Vec<f32> = features.iter().skip(unit).step_by(dim).copied().collect();
        values.sort_unstable_by(f32::total_cmp);
        values
    };
    Ok(Some((0..dim).map(|unit| greatest_distance(&column(before, unit), &column(after, unit))).collect()))
}

/// Of the shares of two ascending samples up to each value.
fn greatest_distance(left: &[f32], right: &[f32]) -> f64 {
    let (mut i, mut j, mut greatest) = (0, 0, 0.0_f64);
    while i < left.len() && j < right.len() {
        let value = left[i].min(right[j]);
        i += left[i..].iter().take_while(|&&other| other <= value).count();
        j += right[j..].iter().take_while(|&&other| other <= value).count();
        greatest = greatest.max((i as f64 / left.len() as f64 - j as f64 / right.len() as f64).abs());
    }
    greatest
}
