//! Bars for tests: random walks on clocks with holes, from a seed.

use tapeline_data_pipeline::{Bar, Bars, Span, Symbol, Timeframe, Timestamp};

/// 2024-01-01T00:00:00Z, a Monday.
pub(crate) const START: i64 = 1_704_067_200_000_000_000;

/// A small generator of its own (SplitMix64), so that test data never changes with a crate.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Uniform in [0, 1).
    pub(crate) fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Mean 0, variance 1, bell-shaped: the sum of twelve uniforms less six.
    pub(crate) fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.unit()).sum::<f64>() - 6.0
    }
}

pub(crate) fn timeframe(text: &str) -> Timeframe {
    text.parse().unwrap()
}

pub(crate) fn span(text: &str) -> Span {
    text.parse().unwrap()
}

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A random walk on the grid steps `steps` after [`START`], each known `lag` after its close.
pub(crate) fn walk(
    symbol: &str,
    base: Timeframe,
    steps: impl IntoIterator<Item = i64>,
    lag: Span,
    seed: u64,
) -> Bars {
    let mut random = Random(seed);
    let mut bars = Bars::with_capacity(Symbol::new(symbol), base, 0);
    let mut price = 50.0 + 100.0 * random.unit();
    for step in steps {
        let open = price;
        price *= (0.002 * random.normal()).exp();
        let (top, bottom) = (open.max(price), open.min(price));
        let open_time = Timestamp::from_nanos(START + step * base.nanos());
        let close_time = open_time.plus(base.span());
        bars.push(Bar {
            open_time,
            close_time,
            available_at: close_time.plus(lag),
            open,
            high: top * (0.001 * random.unit()).exp(),
            low: bottom * (-0.001 * random.unit()).exp(),
            close: price,
            volume: (1000.0 * random.unit()).floor(),
        });
    }
    bars
}

/// As [`walk`], with a close given for every row and all four prices equal to it.
pub(crate) fn closes(symbol: &str, base: Timeframe, closes: &[f64]) -> Bars {
    let mut bars = walk(symbol, base, 0..closes.len() as i64, Span::ZERO, 0);
    bars.close.copy_from_slice(closes);
    bars.open.copy_from_slice(closes);
    bars.high.copy_from_slice(closes);
    bars.low.copy_from_slice(closes);
    bars
}
