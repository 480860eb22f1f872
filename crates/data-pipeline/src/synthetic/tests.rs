//! What the modules promise one another; what the market as a whole promises is tested from outside.

use super::memory::{self, PERSISTENCE};
use super::noise::{Noise, Purpose};
use super::pattern::{WEIGHTS, unit_scale};
use super::symbol_name;

#[test]
fn the_memory_forgets_half_in_one_hour() {
    assert!((PERSISTENCE.powi(12) - 0.5).abs() < 1e-12);
}

#[test]
fn the_filter_has_unit_length_and_says_nothing_of_sums() {
    let length: f64 = WEIGHTS.iter().map(|weight| weight * weight).sum();
    assert_eq!((length, WEIGHTS.iter().sum::<f64>(), WEIGHTS[0]), (1.0, 0.0, 0.0));
}

/// For a standard normal x, E[soft(x)²] = (1 + t²)·P(|x| > t) − 2t·φ(t); at t = ½ that is 0.4192. The weight by σ², which
/// grows with past shocks, takes another 2 % off the scale.
#[test]
fn without_feedback_the_scale_is_the_one_on_paper() {
    let scale = unit_scale(0.0);
    assert!((scale - 0.98 * 0.4192_f64.sqrt().recip()).abs() < 0.02, "{scale}");
}

#[test]
fn symbols_sort_as_their_numbers_do() {
    assert_eq!(symbol_name(3, 4).as_str(), "S03");
    assert!(symbol_name(99, 101) < symbol_name(100, 101));
}

#[test]
fn the_size_of_a_volume_surprise_is_the_one_written_down() {
    let mut noise = Noise::new(1, 0, Purpose::Calibration);
    let mut bar = || (0..memory::MINUTES).map(|_| (memory::SPREAD * noise.normal()).exp()).sum::<f64>().ln();
    let draws: Vec<f64> = (0..200_000).map(|_| bar()).collect();
    let mean = draws.iter().sum::<f64>() / 2e5;
    let spread = (draws.iter().map(|draw| (draw - mean).powi(2)).sum::<f64>() / 2e5).sqrt();
    let (expected_mean, expected_spread) = memory::SURPRISE;
    assert!((mean - expected_mean).abs() < 4.0 * spread / 2e5_f64.sqrt(), "{mean}");
    assert!((spread / expected_spread - 1.0).abs() < 0.01, "{spread}");
}
