//! Against the Python package `cmaes`, on which Optuna's sampler rests (`scripts/golden_search.py`).

use serde::Deserialize;

use super::{Eigen, Strategy, population};
use crate::TrialRandom;

#[derive(Deserialize)]
struct Case {
    /// Points of each generation, best first: `[generation, place, dimension]`.
    generations: Vec<Vec<Vec<f64>>>,
    mean: Vec<f64>,
    sigma: f64,
    covariance: Vec<f64>,
}

#[test]
fn a_strategy_learns_what_cmaes_learns() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("../../../../tests/golden/cma.json")).unwrap();
    assert_eq!(cases.len(), 4);
    for case in cases {
        let dimensions = case.mean.len();
        let mut strategy = Strategy::new(vec![0.5; dimensions], 1.0 / 6.0);
        assert_eq!(strategy.population(), population(dimensions));
        for points in &case.generations {
            strategy.learn(&points.iter().map(Vec::as_slice).collect::<Vec<_>>());
        }
        let near = |ours: f64, theirs: f64| {
            assert!((ours - theirs).abs() <= 1e-10 * theirs.abs().max(1.0), "{ours} {theirs}");
        };
        near(strategy.sigma, case.sigma);
        strategy.mean.iter().zip(&case.mean).for_each(|(ours, theirs)| near(*ours, *theirs));
        strategy.covariance.iter().zip(&case.covariance).for_each(|(ours, theirs)| near(*ours, *theirs));
    }
}

#[test]
fn axes_and_roots_make_up_the_matrix() {
    let matrix = [4.0, 1.0, -2.0, 1.0, 3.0, 0.5, -2.0, 0.5, 2.0];
    let eigen = Eigen::of(&matrix, 3);
    let mut again = [0.0; 9];
    eigen.rebuild(&mut again);
    for (cell, value) in again.iter().zip(matrix) {
        assert!((cell - value).abs() < 1e-14);
    }
    // Whitening twice is dividing by the matrix.
    let vector = [1.0, -2.0, 0.5];
    let solved = eigen.whiten(&eigen.whiten(&vector));
    for (row, value) in matrix.chunks(3).zip(vector) {
        let product: f64 = row.iter().zip(&solved).map(|(cell, part)| cell * part).sum();
        assert!((product - value).abs() < 1e-12);
    }
}

#[test]
fn what_is_drawn_is_inside_wherever_the_mean_is() {
    for mean in [[0.5, 0.5], [0.0, 1.0], [1e-9, 0.3]] {
        for sigma in [1e-12, 0.2, 50.0] {
            let strategy = Strategy::new(mean.to_vec(), sigma);
            let mut random = TrialRandom::of(1, 2);
            for _ in 0..100 {
                assert!(strategy.draw(&mut random).iter().all(|value| (0.0..=1.0).contains(value)));
            }
        }
    }
}

#[test]
fn a_generation_that_overflows_is_begun_anew() {
    let mut strategy = Strategy::new(vec![0.5, 0.5], 1e-300);
    let points = vec![vec![0.0, 1.0]; strategy.population()];
    for _ in 0..3 {
        strategy.learn(&points.iter().map(Vec::as_slice).collect::<Vec<_>>());
    }
    assert!(strategy.draw(&mut TrialRandom::of(0, 0)).iter().all(|value| value.is_finite()));
}
