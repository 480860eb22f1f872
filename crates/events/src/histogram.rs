//! How the values of a tensor lie.

use serde::{Deserialize, Serialize};

use crate::number;

/// Equal bins of the finite values between the least and the greatest.
const BINS: usize = 30;

/// Counts of values in equal bins from the least to the greatest of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Histogram {
    /// The least finite value; 0 where there is none.
    #[serde(with = "number")]
    pub low: f64,
    /// The greatest finite value; 0 where there is none.
    #[serde(with = "number")]
    pub high: f64,
    /// By bin: how many values lie in it. One bin where all are equal.
    pub counts: Vec<u64>,
    /// The sum of the finite values.
    #[serde(with = "number")]
    pub sum: f64,
    /// The sum of their squares.
    #[serde(with = "number")]
    pub sum_of_squares: f64,
    /// Values that are not finite. They lie in no bin.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub not_finite: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Histogram {
    /// Of `values`, in any order.
    #[must_use]
    pub fn of(values: &[f32]) -> Self {
        let finite = || values.iter().copied().filter(|value| value.is_finite()).map(f64::from);
        let (low, high) = finite()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
        let mut histogram = Self {
            low: if low.is_finite() { low } else { 0.0 },
            high: if high.is_finite() { high } else { 0.0 },
            counts: vec![0; if low < high { BINS } else { 1 }],
            sum: finite().sum(),
            sum_of_squares: finite().map(|value| value * value).sum(),
            not_finite: (values.len() - finite().count()) as u64,
        };
        let last = histogram.counts.len() - 1;
        let per_value = histogram.counts.len() as f64 / (high - low);
        for value in finite() {
            // Where all are equal this is no number, which becomes 0.
            let bin = (((value - low) * per_value) as usize).min(last);
            histogram.counts[bin] += 1;
        }
        histogram
    }

    /// Values in bins.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The bounds of the bins, one more than there are bins, ascending. The bin of values that are all equal reaches a little to
    /// both sides of them.
    #[must_use]
    pub fn edges(&self) -> Vec<f64> {
        let (mut low, mut high) = (self.low, self.high);
        if low >= high {
            let aside = (low.abs() * 1e-6).max(1e-6);
            (low, high) = (low - aside, low + aside);
        }
        let bins = self.counts.len();
        let edge = |place: usize| low + (high - low) * (place as f64 / bins as f64);
        (0..bins).map(edge).chain([high]).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn values_that_are_equal_or_not_finite_or_none_have_a_histogram() {
        let equal = Histogram::of(&[2.5; 4]);
        assert_eq!((equal.low, equal.high, &equal.counts[..], equal.sum), (2.5, 2.5, &[4][..], 10.0));
        let odd = Histogram::of(&[f32::NAN, f32::INFINITY, -1.0]);
        assert_eq!((odd.low, odd.high, odd.count(), odd.not_finite), (-1.0, -1.0, 1, 2));
        let none = Histogram::of(&[]);
        assert_eq!((none.low, none.high, none.count(), none.not_finite), (0.0, 0.0, 0, 0));
    }

    proptest! {
        #[test]
        fn every_finite_value_lies_in_the_bin_between_its_edges(
            values in prop::collection::vec(-1e3_f32..1e3, 1..200),
        ) {
            let histogram = Histogram::of(&values);
            prop_assert_eq!(histogram.count(), values.len() as u64);
            let edges = histogram.edges();
            prop_assert_eq!(edges.len(), histogram.counts.len() + 1);
            prop_assert!(edges.windows(2).all(|pair| pair[0] < pair[1]));
            // Up to rounding at an edge, as many lie below each edge as the bins before it hold.
            let slack = (histogram.high - histogram.low) * 1e-9;
            let mut before = 0;
            for (edge, count) in edges.iter().zip(&histogram.counts) {
                let below = |bound: f64| values.iter().filter(|value| f64::from(**value) < bound).count() as u64;
                prop_assert!(below(edge - slack) <= before && before <= below(edge + slack));
                before += count;
            }
        }
    }
}
