//! What a bar can have wrong all by itself.

use super::FindingKind;
use crate::bar::Bar;

/// The errors of `bar` alone. Numbers that are not finite have no order, so they are the only fault then.
pub(crate) fn faults(bar: &Bar) -> impl Iterator<Item = FindingKind> + use<> {
    let prices = [bar.open, bar.high, bar.low, bar.close];
    let finite = prices.iter().all(|price| price.is_finite()) && bar.volume.is_finite();
    let ordered = bar.high >= bar.open.max(bar.close).max(bar.low) && bar.low <= bar.open.min(bar.close);
    let positive = prices.iter().all(|&price| price > 0.0);
    [
        (!finite, FindingKind::NonFinite),
        (finite && !ordered, FindingKind::OhlcOrder),
        (finite && !positive, FindingKind::PriceNotPositive),
        (finite && bar.volume < 0.0, FindingKind::NegativeVolume),
    ]
    .into_iter()
    .filter_map(|(is, kind)| is.then_some(kind))
}

/// The numbers that show fault `kind` in `bar`.
pub(super) fn describe(kind: FindingKind, bar: &Bar) -> String {
    let Bar { open, high, low, close, volume, .. } = bar;
    match kind {
        FindingKind::NegativeVolume => format!("volume {volume}"),
        FindingKind::NonFinite => {
            format!("open {open}, high {high}, low {low}, close {close}, volume {volume}")
        }
        _ => format!("open {open}, high {high}, low {low}, close {close}"),
    }
}
