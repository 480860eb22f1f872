//! What kind of market the next bars are: volatile, or else trending up, down or not at all.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Absence;
use crate::price::{PricePath, VARIANCE_FLOOR};
use crate::spec::Symbol;

/// How many trailing returns the volatility is estimated from that a trend is measured against.
pub const REGIME_VOLATILITY_BARS: usize = 60;
/// A return of more than this many trailing volatilities (× √horizon) is a trend.
pub const REGIME_TREND: f64 = 0.5;
/// Bars are volatile when their realised variance is above this quantile of their symbol's fitted labels.
pub const REGIME_VOLATILE_QUANTILE: f64 = 0.75;

/// The classes of `bull_bear_sideways_volatile`; a class's index is its place here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Regime {
    /// Not volatile, and up by more than [`REGIME_TREND`].
    Bull,
    /// Not volatile, and down by more than [`REGIME_TREND`].
    Bear,
    /// Neither volatile nor a trend.
    Sideways,
    /// The realised variance is above its train quantile.
    Volatile,
}

impl Regime {
    /// All classes, by index.
    pub const ALL: [Self; 4] = [Self::Bull, Self::Bear, Self::Sideways, Self::Volatile];

    /// The class index, as in targets.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The name as it is written in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bull => "bull",
            Self::Bear => "bear",
            Self::Sideways => "sideways",
            Self::Volatile => "volatile",
        }
    }
}

/// What happened over the horizon, before it is known what counts as volatile.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Outcome {
    /// Σ of squared log returns.
    variance: f64,
    /// Log return over trailing volatility × √horizon.
    trend: f64,
}

/// The outcome of the `horizon` bars after `row`, against the volatility of the [`REGIME_VOLATILITY_BARS`] up to it.
pub(super) fn outcome(path: &PricePath, row: usize, horizon: usize) -> Result<Outcome, Absence> {
    let end = path.ahead(row, horizon)?;
    let start = path.behind(row, REGIME_VOLATILITY_BARS).ok_or(Absence::TooLittlePast)?;
    let trailing = path.realized_variance(start, row) / REGIME_VOLATILITY_BARS as f64;
    if trailing < VARIANCE_FLOOR {
        return Err(Absence::BelowFloor);
    }
    let trend = path.log_return(row, end) / (trailing * horizon as f64).sqrt();
    Ok(Outcome { variance: path.realized_variance(row, end), trend })
}

/// The regime of the `horizon` bars up to `row`: what a forecast of "no change" says at `row`.
pub(crate) fn persistence(
    path: &PricePath,
    row: usize,
    horizon: usize,
    symbol: &Symbol,
    thresholds: &RegimeThresholds,
) -> Option<Regime> {
    let outcome = outcome(path, path.behind(row, horizon)?, horizon).ok()?;
    Some(thresholds.classify(symbol, &outcome))
}

/// The realised variance above which bars are volatile. Each symbol has its own, so that the class says when a symbol is
/// volatile and not which symbol it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegimeThresholds {
    /// Of all symbols' fitted labels together: for a symbol that had none.
    pub volatile_above: f64,
    /// Of each symbol's fitted labels.
    pub volatile_above_by_symbol: BTreeMap<Symbol, f64>,
}

impl RegimeThresholds {
    /// `None` without an outcome.
    pub(super) fn fit(outcomes: &[(&Symbol, Outcome)]) -> Option<Self> {
        let mut all: Vec<f64> = Vec::with_capacity(outcomes.len());
        let mut by_symbol: BTreeMap<&Symbol, Vec<f64>> = BTreeMap::new();
        for (symbol, outcome) in outcomes {
            all.push(outcome.variance);
            by_symbol.entry(symbol).or_default().push(outcome.variance);
        }
        let volatile_above = upper_quartile(&mut all)?;
        let of_symbol =
            |(symbol, mut values): (&Symbol, Vec<f64>)| Some((symbol.clone(), upper_quartile(&mut values)?));
        Some(Self {
            volatile_above,
            volatile_above_by_symbol: by_symbol.into_iter().filter_map(of_symbol).collect(),
        })
    }

    pub(super) fn classify(&self, symbol: &Symbol, outcome: &Outcome) -> Regime {
        let volatile_above =
            self.volatile_above_by_symbol.get(symbol).copied().unwrap_or(self.volatile_above);
        if outcome.variance > volatile_above {
            Regime::Volatile
        } else if outcome.trend > REGIME_TREND {
            Regime::Bull
        } else if outcome.trend < -REGIME_TREND {
            Regime::Bear
        } else {
            Regime::Sideways
        }
    }
}

/// The quantile at [`REGIME_VOLATILE_QUANTILE`], linear between order statistics. `None` without a value.
fn upper_quartile(values: &mut [f64]) -> Option<f64> {
    let place = REGIME_VOLATILE_QUANTILE * values.len().checked_sub(1)? as f64;
    let below = place.floor() as usize;
    let (_, &mut lower, rest) = values.select_nth_unstable_by(below, f64::total_cmp);
    let upper = rest.iter().copied().min_by(f64::total_cmp).unwrap_or(lower);
    Some(lower + (upper - lower) * (place - below as f64))
}
