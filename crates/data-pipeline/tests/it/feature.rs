use proptest::prelude::*;
use tapeline_data_pipeline::{Bars, FeatureSpec, REALIZED_VOLATILITY_BARS, Span, Stretch, VARIANCE_FLOOR};

use crate::random_market::{closes, timeframe, walk};

fn computed(feature: FeatureSpec, bars: &Bars) -> Vec<f64> {
    let feature = feature.feature();
    let mut out = vec![f64::NAN; bars.len() * feature.channels().len()];
    feature.compute(&Stretch::whole(bars), &mut out);
    out
}

/// The documented formula of each feature, written without regard to speed.
fn by_definition(feature: FeatureSpec, bars: &Bars, row: usize) -> Vec<f64> {
    let (o, h, l, c) = (bars.open[row], bars.high[row], bars.low[row], bars.close[row]);
    let log_return = |row: usize| bars.close[row].ln() - bars.close[row - 1].ln();
    match feature {
        FeatureSpec::LogReturn => vec![log_return(row)],
        FeatureSpec::Range => vec![h.ln() - l.ln()],
        FeatureSpec::Body => vec![c.ln() - o.ln()],
        FeatureSpec::UpperWick => vec![h.ln() - if o > c { o.ln() } else { c.ln() }],
        FeatureSpec::LowerWick => vec![if o < c { o.ln() } else { c.ln() } - l.ln()],
        FeatureSpec::Volume => vec![(1.0 + bars.volume[row]).ln()],
        FeatureSpec::RealizedVolatility => {
            let mut sum = 0.0;
            for back in 0..20 {
                sum += log_return(row - back) * log_return(row - back);
            }
            vec![(sum / 20.0).sqrt().ln()]
        }
        FeatureSpec::TimeOfDay => {
            let seconds = bars.close_time[row].nanos() / 1_000_000_000 % 86_400;
            let angle = 2.0 * std::f64::consts::PI * seconds as f64 / 86_400.0;
            vec![angle.sin(), angle.cos()]
        }
    }
}

#[test]
fn features_equal_their_definitions() {
    let bars = walk("A", timeframe("5m"), (0..700).filter(|step| step % 11 != 3), Span::ZERO, 1);
    for spec in FeatureSpec::ALL {
        let (feature, values) = (spec.feature(), computed(spec, &bars));
        let width = feature.channels().len();
        for row in 0..bars.len() {
            let row_values = &values[row * width..(row + 1) * width];
            if row < feature.warm_up() {
                assert!(
                    row_values.iter().all(|value| value.is_nan()),
                    "{spec:?} has a value in its warm-up row {row}"
                );
                continue;
            }
            for (value, expected) in row_values.iter().zip(by_definition(spec, &bars, row)) {
                assert!(
                    (value - expected).abs() < 1e-12,
                    "{spec:?} row {row}: {value} instead of {expected}"
                );
            }
        }
    }
}

#[test]
fn a_price_that_stands_still_has_the_floor_as_its_volatility() {
    let still = computed(FeatureSpec::RealizedVolatility, &closes("A", timeframe("1m"), &[7.0; 25]));
    assert_eq!(still[REALIZED_VOLATILITY_BARS..], [0.5 * VARIANCE_FLOOR.ln(); 5]);
    assert_eq!(VARIANCE_FLOOR, 1e-10);
}

#[test]
fn every_channel_has_its_own_name() {
    let mut names: Vec<_> =
        FeatureSpec::ALL.iter().flat_map(|spec| spec.feature().channels()).map(|it| it.name).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
}

proptest! {
    #[test]
    fn bars_added_later_change_no_earlier_value(seed: u64, rows in 1_usize..80, more in 1_usize..40) {
        let long = walk("A", timeframe("15m"), 0..(rows + more) as i64, Span::ZERO, seed);
        let short = long.take(&(0..rows).collect::<Vec<_>>());
        for spec in FeatureSpec::ALL {
            let (short, long) = (computed(spec, &short), computed(spec, &long));
            let bits = |values: &[f64]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
            prop_assert_eq!(bits(&short), bits(&long[..short.len()]), "{:?}", spec);
        }
    }
}
