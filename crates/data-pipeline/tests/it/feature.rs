//! Features. The contract runs over the list; golden values come from `scripts/golden_features.py`.

mod contract;
mod golden;
mod monte_carlo;
mod page;
mod written;

use serde_json::{Value, json};
use tapeline_data_pipeline::feature::{FeatureSpec, RealizedVolatility};
use tapeline_data_pipeline::{Bars, Stretch, VARIANCE_FLOOR, VOLATILITY_BARS};

use crate::random_market::{closes, timeframe};

/// The feature that is written like this in a configuration.
pub(crate) fn feature(written: Value) -> FeatureSpec {
    serde_json::from_value(written).unwrap()
}

/// Every feature, each with lookbacks of a few bars in place of its defaults.
pub(crate) fn with_short_lookbacks() -> Vec<FeatureSpec> {
    let short = |spec: FeatureSpec| {
        let mut written = serde_json::to_value(spec).unwrap();
        for (name, value) in written.as_object_mut().into_iter().flatten() {
            *value = match name.as_str() {
                "kind" => continue,
                "fast" | "signal" | "half_life" => json!(2),
                "period" => json!(3),
                _ => json!(5),
            };
        }
        feature(written)
    };
    FeatureSpec::registered().into_iter().map(short).collect()
}

/// `[row, channel]`; NaN where there is no value.
pub(crate) fn computed(spec: FeatureSpec, bars: &Bars) -> Vec<f64> {
    let mut out = vec![f64::NAN; bars.len() * spec.feature().channels().len()];
    spec.feature().compute(&Stretch::whole(bars), &mut out);
    out
}

#[test]
fn a_price_that_stands_still_has_the_floor_as_its_volatility() {
    let still = computed(RealizedVolatility::default().into(), &closes("A", timeframe("1m"), &[7.0; 25]));
    assert_eq!(still[VOLATILITY_BARS..], [0.5 * VARIANCE_FLOOR.ln(); 5]);
    assert_eq!(VARIANCE_FLOOR, 1e-10);
}
