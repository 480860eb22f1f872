//! The shape of one bar, as logarithms of price ratios: each uses its own row alone.

use super::{Channel, Feature, Stretch, Unit};

/// A feature of one row's open, high, low and close.
macro_rules! candle_feature {
    ($(#[$doc:meta])* $type:ident, $name:literal, |$open:ident, $high:ident, $low:ident, $close:ident| $value:expr) => {
        $(#[$doc])*
        pub(super) struct $type;

        impl Feature for $type {
            fn channels(&self) -> &'static [Channel] {
                &[Channel { name: $name, unit: Unit::LogRatio }]
            }

            fn warm_up(&self) -> usize {
                0
            }

            fn compute(&self, bars: &Stretch<'_>, out: &mut [f64]) {
                for (row, value) in out.iter_mut().enumerate() {
                    let ($open, $high, $low, $close) =
                        (bars.open[row], bars.high[row], bars.low[row], bars.close[row]);
                    *value = $value;
                }
            }
        }
    };
}

candle_feature!(
    /// ln(high / low).
    Range, "range", |_open, high, low, _close| (high / low).ln()
);
candle_feature!(
    /// ln(close / open).
    Body, "body", |open, _high, _low, close| (close / open).ln()
);
candle_feature!(
    /// ln(high / max(open, close)).
    UpperWick, "upper_wick", |open, high, _low, close| (high / open.max(close)).ln()
);
candle_feature!(
    /// ln(min(open, close) / low).
    LowerWick, "lower_wick", |open, _high, low, close| (open.min(close) / low).ln()
);
