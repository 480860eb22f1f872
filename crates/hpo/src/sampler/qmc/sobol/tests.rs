//! Against SciPy's sequence (`scripts/golden_search.py`), and what scrambling must keep.

use serde::Deserialize;

use super::{MOST_DIMENSIONS, Sobol};

#[derive(Deserialize)]
struct Golden {
    numbers: Vec<u64>,
    /// Coordinates times 2³⁰: `[number, dimension]`.
    points: Vec<Vec<u64>>,
    /// Mean centred discrepancy of SciPy's scrambled sequence: dimensions, points, value.
    discrepancies: Vec<(usize, usize, f64)>,
}

fn golden() -> Golden {
    serde_json::from_str(include_str!("../../../../tests/golden/sobol.json")).unwrap()
}

#[test]
fn points_are_those_of_scipy() {
    let golden = golden();
    let sobol = Sobol::new(MOST_DIMENSIONS, None);
    for (number, expected) in golden.numbers.iter().zip(&golden.points) {
        let ours: Vec<u64> = sobol.point(*number).iter().map(|place| (place * 30f64.exp2()) as u64).collect();
        assert_eq!(ours, *expected, "point {number}");
    }
}

/// Hickernell's centred discrepancy (1998), squared.
fn discrepancy(points: &[Vec<f64>]) -> f64 {
    let (count, dimensions) = (points.len() as f64, points[0].len());
    let off = |value: f64| (value - 0.5).abs();
    let single: f64 = points
        .iter()
        .map(|point| point.iter().map(|x| 1.0 + off(*x) / 2.0 - off(*x) * off(*x) / 2.0).product::<f64>())
        .sum();
    let pairs: f64 = points
        .iter()
        .flat_map(|left| points.iter().map(move |right| (left, right)))
        .map(|(left, right)| {
            left.iter()
                .zip(right)
                .map(|(x, y)| 1.0 + off(*x) / 2.0 + off(*y) / 2.0 - (x - y).abs() / 2.0)
                .product::<f64>()
        })
        .sum();
    (13.0f64 / 12.0).powi(dimensions as i32) - 2.0 / count * single + pairs / (count * count)
}

#[test]
fn scrambled_points_are_as_even_as_those_of_scipy() {
    for (dimensions, count, theirs) in golden().discrepancies {
        let mean = (0..20)
            .map(|seed| {
                let sobol = Sobol::new(dimensions, Some(seed));
                discrepancy(&(0..count as u64).map(|number| sobol.point(number)).collect::<Vec<_>>())
            })
            .sum::<f64>()
            / 20.0;
        // Both are means over scramblings, so they differ by chance.
        assert!(mean < 1.2 * theirs, "{mean} for {theirs} with {count} points in {dimensions} dimensions");
    }
}

#[test]
fn any_whole_block_has_one_point_in_each_interval() {
    for seed in [None, Some(1), Some(77)] {
        let sobol = Sobol::new(20, seed);
        for block in [0, 1, 5] {
            for dimension in 0..20 {
                let mut intervals: Vec<usize> = (block * 64..block * 64 + 64)
                    .map(|number| (sobol.point(number)[dimension] * 64.0) as usize)
                    .collect();
                intervals.sort_unstable();
                assert_eq!(intervals, (0..64).collect::<Vec<_>>());
            }
        }
    }
}

#[test]
fn two_dimensions_fill_every_elementary_box() {
    let sobol = Sobol::new(2, Some(9));
    let points: Vec<Vec<f64>> = (0..64).map(|number| sobol.point(number)).collect();
    for wide in 0..=6 {
        let (across, up) = (1usize << wide, 64usize >> wide);
        let mut boxes: Vec<usize> = points
            .iter()
            .map(|point| (point[0] * across as f64) as usize * up + (point[1] * up as f64) as usize)
            .collect();
        boxes.sort_unstable();
        assert_eq!(boxes, (0..64).collect::<Vec<_>>());
    }
}

#[test]
fn the_first_point_is_not_the_corner_and_differs_by_seed() {
    let first = |seed| Sobol::new(3, Some(seed)).point(0);
    assert!(first(1).iter().all(|place| *place > 0.0));
    assert_ne!(first(1), first(2));
    assert_eq!(Sobol::new(3, None).point(0), [0.0; 3]);
}
