//! The built-in market. [`built_in_market`] says what is planted in it.

mod gaps;
mod memory;
mod noise;
mod path;
mod pattern;
mod volatility;

use rayon::prelude::*;

use crate::bar::Bars;
use crate::spec::{Symbol, SyntheticSpec};
use crate::time::{MINUTE, Span, Timeframe};
use path::Market;

/// The strongest signal that can be planted: beyond it the pattern feeds on itself and the best IC falls short of what was
/// asked for.
pub const STRONGEST_BEST_IC: f64 = 0.7;

/// How much of the best forecast's variance is long memory; the rest is the local pattern. More of it would show in the
/// last bars' returns: a drift that lasts for an hour is momentum.
const MEMORY_SHARE: f64 = 0.35;

/// One-minute bars of every symbol of the built-in market, sorted by symbol and time, with a planted signal whose best
/// possible IC is known by construction, and with their oracle. They are known at their close plus `publication_lag`.
///
/// With z the standardised log returns, the log return of bar i + 1 is
///
/// ```text
/// r[i+1] = σ[i+1] · (m[i+1] + √(1 − ρ²) · ε[i+1])        ε independent, standard normal
/// m[i+1] = ρ · (√(1 − s) · a[i] + √s · b[i])             ρ = best_ic, s = 0.35
/// ```
///
/// - a is a short local pattern of one-minute bars: a soft threshold of a matched filter over the last five z. Its
///   newest weight is zero and its weights add up to zero, so neither the last minute nor the last five-minute bar
///   gives it away.
/// - b is long memory in the volume of five-minute bars: the exponentially weighted mean, half-life one hour, of how
///   far the log volume of each closed bar was from what the time of day lets expect.
/// - σ is known one bar ahead: a daily pattern, clustering that follows past |ε|, and two regimes that past |ε| switch
///   with hysteresis. Volume is noise around its own daily pattern and knows nothing of the future.
///
/// So `E[r[i+1] | past] = σ[i+1] · m[i+1]`; it is stored at bar i as the oracle. The past is that of the symbol's bars and
/// of the day before the first one, of which traces fade within hours. a and b are independent and have unit variance in
/// the measure weighted by σ², so the correlation of the oracle with the next return is `√(E[σ²m²] / E[σ²]) = ρ`.
///
/// The standard error of a correlation ρ over n pairs is about (1 − ρ²)·√κ/√n, with `κ = E[σ⁴] / E[σ²]² ≈ 1.5` for the
/// clustering used here. By default (ρ = 0.4; 4 symbols × 35 days, of which the last 15 % are n ≈ 30,200 pairs) that is
/// 0.0059, or 0.015 of ρ: half of the 0.03 that the ratio of a network's IC to the best one may be off by chance.
///
/// Every symbol draws from streams of its own, so the market does not depend on the number of threads. Bars are bit for
/// bit the same for the same seed on one platform (`exp`, `ln` and `sin` are those of the system).
#[must_use]
pub fn built_in_market(spec: &SyntheticSpec, publication_lag: Span) -> Vec<Bars> {
    let Some(minute) = Timeframe::from_span(Span::from_nanos(MINUTE)) else { return Vec::new() };
    let market = Market::new(spec);
    (0..spec.symbols)
        .into_par_iter()
        .map(|index| {
            let mut bars = Bars::with_capacity(symbol_name(index, spec.symbols), minute, market.minutes());
            market.walk(index, publication_lag, &mut bars);
            bars
        })
        .collect()
}

/// `S00`, `S01`, …; wide enough that the names of `count` symbols sort as their numbers do.
fn symbol_name(index: usize, count: usize) -> Symbol {
    let width = count.saturating_sub(1).to_string().len().max(2);
    Symbol::new(format!("S{index:0width$}"))
}

#[cfg(test)]
mod tests;
