//! Numbers that may differ in their last bits.

/// Where two slices differ most.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Difference {
    /// The place.
    pub index: usize,
    /// The distance there; not a number where one side is not.
    pub distance: f64,
}

/// The place where `found` and `expected` differ most, `None` for empty slices. A value that is not a number differs most of
/// all, unless both are; two equal infinities do not differ.
///
/// # Panics
/// When the lengths differ.
#[must_use]
#[track_caller]
pub fn largest_difference<T: Copy + Into<f64>>(found: &[T], expected: &[T]) -> Option<Difference> {
    assert_eq!(found.len(), expected.len(), "slices of different lengths");
    let distance = |(&found, &expected): (&T, &T)| {
        let (found, expected): (f64, f64) = (found.into(), expected.into());
        if found == expected || (found.is_nan() && expected.is_nan()) {
            0.0
        } else {
            (found - expected).abs()
        }
    };
    let distances = found.iter().zip(expected).map(distance).enumerate();
    // `total_cmp` puts NaN above every number.
    distances
        .max_by(|(_, left), (_, right)| left.total_cmp(right))
        .map(|(index, distance)| Difference { index, distance })
}

/// Fails when an element of `found` is further than `tolerance` from its partner in `expected`.
///
/// # Panics
/// Then, naming the worst place; and when the lengths differ.
#[track_caller]
pub fn assert_close<T: Copy + Into<f64>>(found: &[T], expected: &[T], tolerance: f64) {
    if let Some(Difference { index, distance }) = largest_difference(found, expected) {
        let (found, expected): (f64, f64) = (found[index].into(), expected[index].into());
        assert!(
            distance <= tolerance,
            "element {index} is {found}, expected {expected} within {tolerance:e}: differs by {distance:e}"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_place_is_found_and_nan_is_worse_than_any_number() {
        let worst = largest_difference(&[1.0, 5.0, 2.0], &[1.0, 2.0, 2.5]).unwrap();
        assert_eq!(worst, Difference { index: 1, distance: 3.0 });
        let worst = largest_difference(&[f64::NAN, 9.0], &[0.0, 0.0]).unwrap();
        assert_eq!(worst.index, 0);
        assert_eq!(largest_difference::<f64>(&[], &[]), None);
    }

    #[test]
    fn equal_infinities_and_equal_nans_are_close() {
        assert_close(&[f64::INFINITY, f64::NAN], &[f64::INFINITY, f64::NAN], 0.0);
    }

    #[test]
    #[should_panic(expected = "element 1 is")]
    fn a_distance_over_the_tolerance_fails() {
        assert_close(&[1.0, 2.0], &[1.0, 2.1], 0.05);
    }

    #[test]
    #[should_panic(expected = "element 0 is NaN")]
    fn nan_is_not_close_to_a_number() {
        assert_close(&[f32::NAN], &[0.0], 1e9);
    }
}
