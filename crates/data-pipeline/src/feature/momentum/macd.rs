//! The distance of two averages.

use garde::{Path, Report};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::feature::ewma::{Ewma, span};
use crate::feature::trailing::check_bars;
use crate::feature::{Channel, Feature, Stretch, Unit};

/// Appel's spans, in bars.
const FAST: usize = 12;
const SLOW: usize = 26;
const SIGNAL: usize = 9;

/// Moving average convergence divergence (Appel 1979): the average of closes with span `fast` less that with span `slow`, and how
/// far this line is above its own average with span `signal`; both as a share of the close. α = 2 / (span + 1), and the weights
/// end where a thousandth of them is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Macd {
    /// Span of the quick average, in bars.
    pub fast: usize,
    /// Span of the slow average, in bars; above `fast`.
    pub slow: usize,
    /// Span of the average of their distance, in bars.
    pub signal: usize,
}

impl Default for Macd {
    fn default() -> Self {
        Self { fast: FAST, slow: SLOW, signal: SIGNAL }
    }
}

impl Feature for Macd {
    fn formula(&self) -> &'static str {
        "(EMA(C, fast) − EMA(C, slow)) / C, and the same less its EMA over signal bars; α = 2 / (span + 1), until a thousandth of the weight is left (Appel 1979)"
    }

    fn channels(&self) -> &'static [Channel] {
        &[
            Channel { name: "macd", unit: Unit::PriceShare },
            Channel { name: "macd_histogram", unit: Unit::PriceShare },
        ]
    }

    fn warm_up(&self) -> usize {
        Ewma::bars(span(self.slow.max(self.fast))) + Ewma::bars(span(self.signal)) - 2
    }

    fn check(&self, path: &Path, report: &mut Report) {
        check_bars("fast", self.fast, 1, path, report);
        check_bars("slow", self.slow, self.fast.saturating_add(1), path, report);
        check_bars("signal", self.signal, 1, path, report);
    }

    fn compute(&self, bars: &Stretch<'_>, out: &mut [f64]) {
        let [fast, slow, signal] = [self.fast, self.slow, self.signal].map(|bars| Ewma::new(span(bars)));
        let (quick, calm) = (fast.over(bars.close), slow.over(bars.close));
        let longest = fast.len().max(slow.len());
        let both = quick.iter().skip(longest - fast.len()).zip(calm.iter().skip(longest - slow.len()));
        let line: Vec<f64> = both.map(|(quick, calm)| quick - calm).collect();
        let lines = line.iter().skip(signal.len() - 1).zip(signal.over(&line));
        let rows = bars.close.iter().zip(out.chunks_exact_mut(2)).skip(self.warm_up());
        for ((line, signal), (close, values)) in lines.zip(rows) {
            values[0] = line / close;
            values[1] = (line - signal) / close;
        }
    }
}
