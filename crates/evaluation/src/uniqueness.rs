//! How much of its own a label tells when labels overlap (López de Prado, *Advances in Financial Machine Learning*, 2018,
//! chapter 4).

use std::ops::Range;

use crate::error::EvaluationError;

/// For each of `steps` steps, how many of the label `spans` cover it. A span holds the steps whose returns the label uses.
///
/// # Errors
/// [`EvaluationError::SpanOutside`] for a span that is empty or leaves `0..steps`.
pub fn concurrency(spans: &[Range<usize>], steps: usize) -> Result<Vec<usize>, EvaluationError> {
    let (mut starts, mut ends) = (vec![0_usize; steps + 1], vec![0_usize; steps + 1]);
    for (label, &Range { start, end }) in spans.iter().enumerate() {
        if start >= end || end > steps {
            return Err(EvaluationError::SpanOutside { label, start, end, steps });
        }
        starts[start] += 1;
        ends[end] += 1;
    }
    let open = |open: &mut usize, step: usize| {
        *open = *open + starts[step] - ends[step];
        Some(*open)
    };
    Ok((0..steps).scan(0, open).collect())
}

/// For each label the mean over its span of one over the [`concurrency`], in (0, 1]. The sum over labels is the effective
/// number of labels.
///
/// # Errors
/// As [`concurrency`].
pub fn mean_uniqueness(spans: &[Range<usize>], steps: usize) -> Result<Vec<f64>, EvaluationError> {
    let shares =
        concurrency(spans, steps)?.into_iter().map(|count| if count == 0 { 0.0 } else { 1.0 / count as f64 });
    let mut before = vec![0.0];
    before.extend(shares.scan(0.0, |sum, share| {
        *sum += share;
        Some(*sum)
    }));
    Ok(spans.iter().map(|span| (before[span.end] - before[span.start]) / span.len() as f64).collect())
}
