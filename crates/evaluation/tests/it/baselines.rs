//! The naive forecasts.

use tapeline_evaluation::baseline::{self, DECAYS, Ewma, VarianceHistory};
use tapeline_evaluation::ridge::Ridge;
use tapeline_evaluation::{Pairs, pearson};

use crate::noise::Noise;

#[test]
fn persistence_knows_only_labels_that_have_ended() {
    assert_eq!(baseline::persistence(&[1, 2, 3, 4], 2), [None, None, Some(1), Some(2)]);
    assert_eq!(baseline::persistence(&[1, 2], 5), [None, None]);
    assert_eq!(baseline::persistence::<u32>(&[], 1), []);
}

#[test]
fn the_majority_is_the_lowest_of_equals() {
    assert_eq!(baseline::majority(&[2, 1, 2, 1, 0], 4), Ok(Some(1)));
    assert_eq!(baseline::majority(&[], 4), Ok(None));
}

#[test]
fn stratified_classes_have_the_shares_of_train() {
    let train: Vec<u32> = (0..100).map(|row| u32::from(row % 4 == 0)).collect();
    let drawn = baseline::stratified(&train, 2, 10_000, 5).unwrap().unwrap();
    let share = drawn.iter().filter(|&&class| class == 1).count() as f64 / 10_000.0;
    assert!((share - 0.25).abs() < 0.02, "{share}");
    assert_eq!(baseline::stratified(&train, 2, 10_000, 5).unwrap().unwrap(), drawn);
    assert_ne!(baseline::stratified(&train, 2, 10_000, 6).unwrap().unwrap(), drawn);
    assert_eq!(baseline::stratified(&[], 2, 3, 5), Ok(None));
}

#[test]
fn the_train_mean_is_a_mean() {
    assert_eq!(baseline::train_mean(&[1.0, 2.0, 6.0]), Some(3.0));
    assert_eq!(baseline::train_mean(&[]), None);
}

/// The decay chosen for bars whose variance is `level(bar)`.
fn chosen_decay(level: impl Fn(usize) -> f64) -> f64 {
    let (mut noise, horizon) = (Noise::new(3), 12);
    let squares: Vec<f64> = (0..4000).map(|bar| level(bar) * noise.normal().powi(2)).collect();
    let decisions: Vec<usize> = (200..squares.len() - horizon).collect();
    let realised: Vec<f64> =
        decisions.iter().map(|bar| squares[bar + 1..=bar + horizon].iter().sum()).collect();
    let history = VarianceHistory::new(&squares, &decisions, &realised).unwrap();
    Ewma::fit(&[history], horizon).unwrap().decay()
}

#[test]
fn a_steady_market_is_averaged_long_and_a_restless_one_briefly() {
    assert_eq!(chosen_decay(|_| 1e-6), DECAYS[DECAYS.len() - 1]);
    let restless = chosen_decay(|bar| if bar / 400 % 2 == 0 { 1e-6 } else { 3e-5 });
    assert!(restless < 0.99, "{restless}");
}

#[test]
fn ewma_uses_no_later_bar() {
    let ewma = Ewma::new(0.9, 1.0);
    let (mut bars, before) = (vec![4.0, 2.0, 8.0, 1.0], ewma.variances(&[4.0, 2.0, 8.0, 1.0]));
    bars[2] = 1e9;
    assert_eq!(ewma.variances(&bars)[..2], before[..2]);
    assert_eq!(Ewma::fit(&[], 3), None);
}

#[test]
fn ridge_finds_what_was_planted_and_shrinks_with_the_penalty() {
    let mut noise = Noise::new(11);
    let x: Vec<f64> = (0..4000 * 3).map(|_| noise.normal()).collect();
    let y: Vec<f64> = x.chunks(3).map(|row| 0.5 + 2.0 * row[0] - row[2] + 0.1 * noise.normal()).collect();
    let plain = Ridge::fit(&x, 3, &y, 0.0).unwrap();
    for (found, planted) in plain.weights().iter().zip([2.0, 0.0, -1.0]) {
        assert!((found - planted).abs() < 0.01, "{:?}", plain.weights());
    }
    assert!((plain.intercept() - 0.5).abs() < 0.01);
    let forecast = plain.predict(&x).unwrap();
    assert!(pearson(Pairs::new(&forecast, &y).unwrap()).unwrap() > 0.99);
    let norm =
        |penalty: f64| Ridge::fit(&x, 3, &y, penalty).unwrap().weights().iter().map(|w| w * w).sum::<f64>();
    assert!(norm(0.0) > norm(100.0) && norm(100.0) > norm(1e5));
}

#[test]
fn ridge_without_columns_is_the_mean() {
    let fitted = Ridge::fit(&[], 0, &[1.0, 3.0], 1.0).unwrap();
    assert_eq!((fitted.intercept(), fitted.weights().len()), (2.0, 0));
}
