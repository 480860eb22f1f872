//! Which dimensions are told from noise.

use super::check_features;
use crate::correlation::{average_ranks, pearson};
use crate::error::{EvaluationError, check_equal_lengths, check_finite};
use crate::pairs::Pairs;

/// The share of false discoveries that is put up with.
pub const FALSE_DISCOVERIES: f64 = 0.05;

/// What each dimension alone says of an outcome.
#[derive(Clone, Debug, PartialEq)]
pub struct DimensionIc {
    /// By dimension: the mean over series of Spearman's correlation with the outcome; `None` where it does not vary.
    pub rank_ic: Vec<Option<f64>>,
    /// By dimension: two-sided p by the normal distribution of √n·IC, n the number of independent rows.
    pub p: Vec<Option<f64>>,
    /// How many of them [`benjamini_hochberg`] accepts at [`FALSE_DISCOVERIES`]; those that are undefined are no tests.
    pub discoveries: usize,
}

/// The rank IC of every dimension of `features`, row-major `[sample, feature]`, with `outcome`. `series` names the series of
/// each row, so that a level that differs between them is no skill; `independent` is how many rows would say as much if
/// they did not overlap.
///
/// # Errors
/// [`EvaluationError::WrongShape`], [`EvaluationError::NotFinite`], [`EvaluationError::UnequalLengths`].
pub fn dimension_ic(
    features: &[f32],
    dim: usize,
    series: &[u32],
    outcome: &[f64],
    independent: f64,
) -> Result<DimensionIc, EvaluationError> {
    check_features(features, dim)?;
    check_finite("outcome", outcome)?;
    check_equal_lengths(("features", features.len() / dim.max(1)), ("outcome", outcome.len()))?;
    check_equal_lengths(("series", series.len()), ("outcome", outcome.len()))?;
    let mut names = series.to_vec();
    names.sort_unstable();
    names.dedup();
    let groups: Vec<(Vec<usize>, Vec<f64>)> = names
        .iter()
        .map(|name| {
            let rows: Vec<usize> = (0..series.len()).filter(|&row| series[row] == *name).collect();
            let ranks = average_ranks(&rows.iter().map(|&row| outcome[row]).collect::<Vec<_>>());
            (rows, ranks)
        })
        .collect();
    let of_unit = |unit: usize| {
        let of_group = |(rows, ranks): &(Vec<usize>, Vec<f64>)| {
            let values: Vec<f64> = rows.iter().map(|&row| f64::from(features[row * dim + unit])).collect();
            pearson(Pairs::checked(&average_ranks(&values), ranks))
        };
        let defined: Vec<f64> = groups.iter().filter_map(of_group).collect();
        (!defined.is_empty()).then(|| defined.iter().sum::<f64>() / defined.len() as f64)
    };
    let rank_ic: Vec<Option<f64>> = (0..dim).map(of_unit).collect();
    let p_of = |ic: f64| libm::erfc(ic.abs() * independent.max(0.0).sqrt() * std::f64::consts::FRAC_1_SQRT_2);
    let p: Vec<Option<f64>> = rank_ic.iter().map(|ic| ic.map(p_of)).collect();
    let tests: Vec<f64> = p.iter().copied().flatten().collect();
    let discoveries = benjamini_hochberg(&tests, FALSE_DISCOVERIES).into_iter().filter(|accepted| *accepted);
    Ok(DimensionIc { rank_ic, p, discoveries: discoveries.count() })
}

/// Which of the tests with these p are discoveries when a share `q` of them may be false: all up to the largest k with
/// p₍ₖ₎ ≤ q·k/m (Benjamini and Hochberg 1995).
#[must_use]
pub fn benjamini_hochberg(p: &[f64], q: f64) -> Vec<bool> {
    let mut sorted = p.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let passes = |(place, p): &(usize, &f64)| **p <= q * (place + 1) as f64 / sorted.len() as f64;
    let bound = sorted.iter().enumerate().rfind(passes).map(|(_, p)| *p);
    p.iter().map(|p| bound.is_some_and(|bound| *p <= bound)).collect()
}
