//! Against integrals: of the likelihood, of the squared difference of distribution functions, and of the pinball loss.

use super::{Normal, pinball};

/// Numerical integrals over 200,000 points.
const TOLERANCE: f64 = 1e-6;

/// ∫ f over [low, high] by the midpoint rule.
fn integral(low: f64, high: f64, f: impl Fn(f64) -> f64) -> f64 {
    const POINTS: usize = 200_000;
    let width = (high - low) / POINTS as f64;
    (0..POINTS).map(|point| f(low + (point as f64 + 0.5) * width) * width).sum()
}

#[test]
fn the_ranked_score_is_the_integral_of_the_squared_difference_of_distribution_functions() {
    let normal = Normal { mean: 0.3, deviation: 0.8 };
    let density = |x: f64| (-normal.negative_log_likelihood(x)).exp();
    assert!((integral(-8.0, 8.0, density) - 1.0).abs() < TOLERANCE);
    for outcome in [-1.5, 0.3, 2.0] {
        let (mut below, mut sum) = (0.0, 0.0);
        let width = 16.0 / 200_000.0;
        for point in 0..200_000 {
            let x = -8.0 + (f64::from(point) + 0.5) * width;
            let half = 0.5 * density(x) * width;
            below += half;
            let step = if x >= outcome { 1.0 } else { 0.0 };
            sum += (below - step) * (below - step) * width;
            below += half;
        }
        // The jump lies inside one of the points.
        assert!(
            (normal.crps(outcome) - sum).abs() < 1e-4,
            "{outcome}: {} is not {sum}",
            normal.crps(outcome)
        );
    }
    let sharp = Normal { mean: 0.0, deviation: 1e-9 };
    assert!((sharp.crps(0.7) - 0.7).abs() < 1e-8);
}

#[test]
fn a_central_interval_holds_its_share() {
    let normal = Normal { mean: -1.0, deviation: 2.0 };
    for share in [0.5, 0.8, 0.95] {
        let inside = |x: f64| {
            if normal.covers(share, x) { (-normal.negative_log_likelihood(x)).exp() } else { 0.0 }
        };
        assert!((integral(-21.0, 19.0, inside) - share).abs() < 1e-4);
    }
}

#[test]
fn the_quantile_has_the_least_pinball_loss() {
    let normal = Normal { mean: 0.0, deviation: 1.0 };
    let expected = |level: f64, forecast: f64| {
        integral(-9.0, 9.0, |x| pinball(level, forecast, x) * (-normal.negative_log_likelihood(x)).exp())
    };
    // The 0.9 quantile of the standard normal, and its loss: its density.
    let quantile = 1.281_551_565_544_6;
    let least = expected(0.9, quantile);
    assert!(
        (least - (-0.5 * quantile * quantile).exp() / (2.0 * std::f64::consts::PI).sqrt()).abs() < TOLERANCE
    );
    assert!(expected(0.9, quantile - 0.1) > least && expected(0.9, quantile + 0.1) > least);
    assert_eq!(pinball(0.5, 1.0, 4.0), 1.5);
}
