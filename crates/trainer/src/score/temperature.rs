//! Temperature scaling (Guo et al. 2017): one number that class scores are divided by, so that what came was the most likely.

use super::regime::probabilities_at;

/// Between the scores as good as unused and the most probable class as good as certain.
const INVERSE_RANGE: [f64; 2] = [1e-2, 1e2];
/// Each halves the range of the logarithm: at the end it is 1e-8 wide.
const HALVINGS: usize = 30;

/// The temperature at which `actual` has the greatest likelihood under `scores`, `[row, class]`; none without a row, or where
/// it would lie outside 0.01 to 100: scores that say nothing, or that are always right.
///
/// The negative log likelihood is convex in 1/T. Its slope there, the mean of the expected score minus the true class's, is
/// zero at one place at most.
pub(super) fn best(scores: &[f32], actual: &[u32], classes: usize) -> Option<f64> {
    let slope = |inverse: f64| -> f64 {
        let rows = scores.chunks_exact(classes.max(1)).zip(actual);
        rows.map(|(row, &class)| {
            let expected =
                probabilities_at(row, inverse.recip()).zip(row).map(|(p, score)| p * f64::from(*score));
            expected.sum::<f64>() - f64::from(row[class as usize])
        })
        .sum()
    };
    let [mut low, mut high] = INVERSE_RANGE;
    if actual.is_empty() || slope(low) >= 0.0 || slope(high) <= 0.0 {
        return None;
    }
    for _ in 0..HALVINGS {
        let middle = (low * high).sqrt();
        if slope(middle) < 0.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
    Some((low * high).sqrt().recip())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two classes; the scores are `factor` times what the classes were drawn with.
    fn drawn(factor: f32) -> (Vec<f32>, Vec<u32>) {
        let (mut scores, mut actual) = (Vec::new(), Vec::new());
        for tenth in 1..10 {
            // Of ten rows with p = tenth/10, so many are class 0: the likelihood is greatest at the true scores.
            let p = f64::from(tenth) / 10.0;
            for row in 0..10 {
                scores.extend([factor * (p / (1.0 - p)).ln() as f32, 0.0]);
                actual.push(u32::from(row >= tenth));
            }
        }
        (scores, actual)
    }

    #[test]
    fn scores_that_are_too_sure_are_cooled_down_by_as_much() {
        for factor in [0.25, 1.0, 3.0] {
            let (scores, actual) = drawn(factor);
            let found = best(&scores, &actual, 2).unwrap();
            assert!((found - f64::from(factor)).abs() < 1e-5 * f64::from(factor), "{found} is not {factor}");
        }
    }

    #[test]
    fn what_says_nothing_or_is_always_right_has_none() {
        assert_eq!(best(&[], &[], 4), None);
        assert_eq!(best(&[0.0; 8], &[0, 1], 4), None);
        assert_eq!(best(&[9.0, 0.0, 9.0, 0.0], &[0, 0], 2), None);
        assert_eq!(best(&[9.0, 0.0, 9.0, 0.0], &[1, 1], 2), None);
    }
}
