//! What is wrong with bars, told and not mended.

mod report;
mod row;
mod spacing;
mod table;

use std::collections::HashMap;

use rayon::prelude::*;

use crate::bar::Bars;
use crate::time::Timestamp;

pub use report::{AuditReport, Example, Finding, FindingKind, Gaps, Severity, SymbolAudit};
pub(crate) use row::faults;
pub(crate) use spacing::too_far_apart;

/// A log return larger than this many robust spreads is a jump: an unadjusted split, a bad tick, or a crash.
pub const JUMP_SPREADS: f64 = 20.0;

/// Looks through `bars` of every symbol, in whatever order their rows are, and tells what is wrong with them.
///
/// **Errors** end a run unless a named repair covers them: numbers that are not finite (empty cells are read as NaN), a
/// high below the open, the low or the close, a low above the open or the close, a price that is not above zero, a negative
/// volume, rows out of order, two rows with one time, intraday bars off the grid of their timeframe, bars closer together
/// than their timeframe, no two bars as close as their timeframe (they are longer than it says, and would be known too
/// early), and no rows at all.
///
/// **Warnings** are told and counted: gaps, zero volume, and jumps of the close by more than [`JUMP_SPREADS`] robust
/// spreads (1.4826 · MAD of the symbol's log returns; their standard deviation where the MAD is zero).
#[must_use]
pub fn audit(bars: &[Bars]) -> AuditReport {
    AuditReport { symbols: bars.par_iter().map(audit_symbol).collect() }
}

fn audit_symbol(bars: &Bars) -> SymbolAudit {
    let mut found = Findings::default();
    if bars.is_empty() {
        found.add(FindingKind::NoRows, 0, Timestamp::MIN, String::new);
    }
    audit_rows(bars, &mut found);
    audit_order(bars, &mut found);
    let order = spacing::by_time(bars);
    let gaps = spacing::audit_steps(bars, &order, &mut found);
    found.by_kind.extend(too_far_apart(bars).map(|finding| (finding.kind, finding)));
    audit_jumps(bars, &order, &mut found);
    SymbolAudit {
        symbol: bars.symbol.clone(),
        timeframe: bars.timeframe,
        rows: bars.len(),
        first: order.first().map(|&row| bars.open_time[row]),
        last: order.last().map(|&row| bars.open_time[row]),
        smallest_step: spacing::smallest_step(bars, &order),
        gaps,
        findings: found.sorted(),
        repairs: Vec::new(),
        notes: Vec::new(),
    }
}

/// Each row by itself.
fn audit_rows(bars: &Bars, found: &mut Findings) {
    for row in 0..bars.len() {
        let Some(bar) = bars.get(row) else { continue };
        for kind in faults(&bar) {
            found.add(kind, row, bar.open_time, || row::describe(kind, &bar));
        }
        if bar.volume == 0.0 {
            found.add(FindingKind::ZeroVolume, row, bar.open_time, String::new);
        }
        if bars.timeframe.is_intraday() && bar.open_time.nanos() % bars.timeframe.nanos() != 0 {
            let detail = || format!("does not open at a multiple of {}", bars.timeframe);
            found.add(FindingKind::OffGrid, row, bar.open_time, detail);
        }
    }
}

/// Rows against those before them in the source.
fn audit_order(bars: &Bars, found: &mut Findings) {
    let mut first_row: HashMap<Timestamp, usize> = HashMap::with_capacity(bars.len());
    for (row, &time) in bars.open_time.iter().enumerate() {
        if let Some(before) = row.checked_sub(1).filter(|&before| bars.open_time[before] > time) {
            let detail = || format!("comes after {}", bars.open_time[before]);
            found.add(FindingKind::Disorder, row, time, detail);
        }
        let first = *first_row.entry(time).or_insert(row);
        if first != row {
            found.add(FindingKind::Duplicate, row, time, || format!("has the time of row {first}"));
        }
    }
}

fn audit_jumps(bars: &Bars, order: &[usize], found: &mut Findings) {
    let usable: Vec<usize> =
        order.iter().copied().filter(|&row| bars.close[row].is_finite() && bars.close[row] > 0.0).collect();
    let log_return = |pair: &[usize]| (bars.close[pair[1]] / bars.close[pair[0]]).ln();
    let spread = robust_spread(usable.windows(2).map(log_return).collect());
    let largest_usual = JUMP_SPREADS * spread;
    if largest_usual <= 0.0 {
        return;
    }
    for pair in usable.windows(2) {
        let moved = log_return(pair);
        if moved.abs() > largest_usual {
            let detail =
                || format!("log return {moved:.3}; {JUMP_SPREADS} usual ones are {largest_usual:.3}");
            found.add(FindingKind::Jump, pair[1], bars.open_time[pair[1]], detail);
        }
    }
}

/// 1.4826 · median absolute deviation, or the standard deviation where that is zero.
fn robust_spread(mut values: Vec<f64>) -> f64 {
    if values.is_empty() {
        return 0.0;
    }
    let centre = median(&mut values);
    let mut deviations: Vec<f64> = values.iter().map(|value| (value - centre).abs()).collect();
    let spread = 1.4826 * median(&mut deviations);
    if spread > 0.0 {
        return spread;
    }
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64).sqrt()
}

/// The upper median; `values` is not empty.
fn median(values: &mut [f64]) -> f64 {
    let middle = values.len() / 2;
    *values.select_nth_unstable_by(middle, f64::total_cmp).1
}

/// Findings while they are collected.
#[derive(Default)]
struct Findings {
    by_kind: std::collections::BTreeMap<FindingKind, Finding>,
}

impl Findings {
    fn add(&mut self, kind: FindingKind, row: usize, open_time: Timestamp, detail: impl FnOnce() -> String) {
        let finding = self.by_kind.entry(kind).or_insert(Finding { kind, count: 0, examples: Vec::new() });
        finding.count += 1;
        if finding.examples.len() < Finding::MAX_EXAMPLES && kind != FindingKind::NoRows {
            finding.examples.push(Example { row, open_time, detail: detail() });
        }
    }

    /// Errors first; within them in the order of the kinds.
    fn sorted(self) -> Vec<Finding> {
        self.by_kind.into_values().collect()
    }
}
