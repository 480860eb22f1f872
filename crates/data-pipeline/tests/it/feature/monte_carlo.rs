//! What estimators of variance say on average about random walks of known variance. A bar of few steps hides its extremes,
//! so the reference is a simulation with as many steps, not the true variance.

use tapeline_data_pipeline::feature::{
    CloseToClose, FeatureSpec, GarmanKlass, Parkinson, RealizedVolatility, RogersSatchell, YangZhang,
};
use tapeline_data_pipeline::{Bar, Bars, Symbol, Timestamp, VOLATILITY_BARS};

use super::computed;
use crate::random_market::{Random, timeframe};

/// Per bar.
const SIGMA: f64 = 0.01;
const TRIALS: usize = 2000;
/// The published means were measured too, to three decimals.
const STANDARD_ERRORS: f64 = 4.0;
const PUBLISHED_ERROR: f64 = 0.004;

/// One bar more than an estimator looks back on, each of `steps` normal steps, with a drift of so many σ per bar.
fn walk(random: &mut Random, steps: usize, drift: f64) -> Bars {
    let mut bars = Bars::with_capacity(Symbol::new("A"), timeframe("1h"), VOLATILITY_BARS + 1);
    let mut price: f64 = 0.0;
    for row in 0..=VOLATILITY_BARS as i64 {
        let (open, mut high, mut low) = (price, price, price);
        for _ in 0..steps {
            price += SIGMA * (random.normal() / (steps as f64).sqrt() + drift / steps as f64);
            (high, low) = (high.max(price), low.min(price));
        }
        let open_time = Timestamp::from_nanos(row * bars.timeframe.nanos());
        let close_time = open_time.plus(bars.timeframe.span());
        bars.push(Bar {
            open_time,
            close_time,
            available_at: close_time,
            open: open.exp(),
            high: high.exp(),
            low: low.exp(),
            close: price.exp(),
            volume: 1.0,
        });
    }
    bars
}

/// Mean and standard error of estimated over true variance.
fn mean_ratio(estimator: FeatureSpec, walks: &[Bars]) -> (f64, f64) {
    let ratio = |bars| {
        let log_volatility = *computed(estimator, bars).last().unwrap();
        (2.0 * log_volatility).exp() / (SIGMA * SIGMA)
    };
    let ratios: Vec<f64> = walks.iter().map(ratio).collect();
    let mean = ratios.iter().sum::<f64>() / ratios.len() as f64;
    let variance = ratios.iter().map(|ratio| (ratio - mean).powi(2)).sum::<f64>() / ratios.len() as f64;
    (mean, (variance / ratios.len() as f64).sqrt())
}

#[test]
fn estimators_of_variance_have_the_bias_of_their_number_of_steps() {
    let parkinson = Parkinson::default().into();
    let garman_klass = GarmanKlass::default().into();
    let rogers_satchell = RogersSatchell::default().into();
    let yang_zhang = YangZhang::default().into();
    let close_to_close = CloseToClose::default().into();
    let root_mean_square = RealizedVolatility::default().into();
    for (steps, drift, expected) in [
        (
            10,
            0.0,
            vec![(parkinson, 0.667), (garman_klass, 0.536), (rogers_satchell, 0.518), (yang_zhang, 0.586)],
        ),
        (
            60,
            0.0,
            vec![(parkinson, 0.840), (garman_klass, 0.778), (rogers_satchell, 0.776), (yang_zhang, 0.808)],
        ),
        (
            390,
            0.0,
            vec![(parkinson, 0.937), (garman_klass, 0.905), (rogers_satchell, 0.897), (yang_zhang, 0.914)],
        ),
        (
            390,
            1.0,
            vec![(parkinson, 1.319), (garman_klass, 1.039), (rogers_satchell, 0.897), (yang_zhang, 0.911)],
        ),
        (10, 1.0, vec![(close_to_close, 1.0), (root_mean_square, 2.0)]),
    ] {
        let mut random = Random(steps as u64);
        let walks: Vec<Bars> = (0..TRIALS).map(|_| walk(&mut random, steps, drift)).collect();
        for (estimator, expected) in expected {
            let (mean, error) = mean_ratio(estimator, &walks);
            assert!(
                (mean - expected).abs() < STANDARD_ERRORS * error + PUBLISHED_ERROR,
                "{}, {steps} steps, drift {drift}: {mean:.4} ± {error:.4} instead of {expected}",
                estimator.kind()
            );
        }
    }
}
