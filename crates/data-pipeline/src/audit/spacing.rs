//! How far bars are apart. `order` sorts the rows by time.

use super::{Example, Finding, FindingKind, Findings, Gaps};
use crate::bar::Bars;
use crate::time::{Span, Timestamp};

/// The rows of `bars` in the order of time; rows with one time keep theirs.
pub(super) fn by_time(bars: &Bars) -> Vec<usize> {
    let mut order: Vec<usize> = (0..bars.len()).collect();
    order.sort_by_key(|&row| bars.open_time[row]);
    order
}

/// Steps that are too short, as findings, and those that are gaps.
pub(super) fn audit_steps(bars: &Bars, order: &[usize], found: &mut Findings) -> Option<Gaps> {
    let length = bars.timeframe.span();
    let mut gaps: Option<Gaps> = None;
    for (row, before, step) in steps(bars, order) {
        if step < length && !bars.timeframe.is_intraday() {
            found.add(FindingKind::TooClose, row, bars.open_time[row], || {
                format!("{step} after the bar before")
            });
        }
        let missing = (step.nanos() / length.nanos() - 1).max(0);
        if step > length && missing > 0 {
            let gaps = gaps.get_or_insert(Gaps {
                count: 0,
                missing_bars: 0,
                longest: Span::ZERO,
                longest_after: before,
            });
            gaps.count += 1;
            gaps.missing_bars += usize::try_from(missing).unwrap_or(usize::MAX);
            if step > gaps.longest {
                (gaps.longest, gaps.longest_after) = (step, before);
            }
        }
    }
    gaps
}

/// The finding that no two of `bars` are as close as their timeframe says: they are longer than that, and what is known
/// at the end of one would be taken to be known at its start. A single bar tells nothing.
pub(crate) fn too_far_apart(bars: &Bars) -> Option<Finding> {
    let order = by_time(bars);
    let (row, _, step) = steps(bars, &order).min_by_key(|&(_, _, step)| step)?;
    let length = bars.timeframe;
    let detail =
        || format!("bars are {step} apart and the first of data.timeframes says {length}; set it to {step}");
    (step > length.span()).then(|| Finding {
        kind: FindingKind::TooFarApart,
        count: bars.len(),
        examples: vec![Example { row, open_time: bars.open_time[row], detail: detail() }],
    })
}

/// The least time between the opens of two bars.
pub(super) fn smallest_step(bars: &Bars, order: &[usize]) -> Option<Span> {
    steps(bars, order).map(|(_, _, step)| step).min()
}

/// Per row with a time of its own: the row, the time before it and how far that is away.
fn steps<'a>(bars: &'a Bars, order: &'a [usize]) -> impl Iterator<Item = (usize, Timestamp, Span)> + 'a {
    order
        .windows(2)
        .map(|pair| {
            (pair[1], bars.open_time[pair[0]], bars.open_time[pair[1]].since(bars.open_time[pair[0]]))
        })
        .filter(|&(_, _, step)| step > Span::ZERO)
}
