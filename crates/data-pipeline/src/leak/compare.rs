//! Finds the first difference between what was known at an instant and what is known there after tampering.

use super::Leaked;
use crate::batch::Gather;
use crate::dataset::{Dataset, Fitted};
use crate::difficulty::Difficulty;
use crate::table::Table;
use crate::time::Timestamp;

/// Where two data sets differ.
pub(super) struct Place {
    pub(super) what: Leaked,
    pub(super) symbol: Option<usize>,
    pub(super) timeframe: Option<usize>,
    pub(super) channel: Option<String>,
}

impl Place {
    /// The same place in scaled data.
    pub(super) fn scaled(mut self) -> Self {
        self.what = match self.what {
            Leaked::RawRow => Leaked::ScaledRow,
            Leaked::RawWindow => Leaked::ScaledWindow,
            other => other,
        };
        self
    }
}

/// How many of `times`, which ascend, are not after `instant`.
pub(super) fn known_rows(times: &[Timestamp], instant: Timestamp) -> usize {
    times.partition_point(|&time| time <= instant)
}

/// How many rows of one of a symbol's `tables` its decisions up to `decision` can see. A higher bar may end, and be
/// available, while the base pauses: no decision has seen it, and without later base bars nobody knows that it is over.
pub(super) fn visible_rows(tables: &[Table], timeframe: usize, decision: Timestamp) -> usize {
    let decisions = tables[0].available_at();
    let last = decisions[..known_rows(decisions, decision)].last();
    last.map_or(0, |&last| known_rows(tables[timeframe].available_at(), last))
}

/// The first difference in rows available by `decision`, in samples decided by then, or in the windows decided just then.
pub(super) fn compare(whole: Gather<'_>, altered: Gather<'_>, decision: Timestamp) -> Option<Place> {
    compare_rows(whole, altered, decision)
        .or_else(|| compare_index(whole, altered, decision))
        .or_else(|| compare_windows(whole, altered, decision))
}

fn compare_rows(whole: Gather<'_>, altered: Gather<'_>, decision: Timestamp) -> Option<Place> {
    let symbols = whole.tables.iter().zip(altered.tables).enumerate();
    let mut tables = symbols.flat_map(|(symbol, (whole, altered))| {
        whole.iter().zip(altered).enumerate().map(move |(timeframe, pair)| (symbol, timeframe, pair))
    });
    tables.find_map(|(symbol, timeframe, (table, other))| {
        let known = visible_rows(&whole.tables[symbol], timeframe, decision);
        let cell = differing_cell(&table.values()[..known * table.width()], other.values());
        let same_times = other.available_at().get(..known) == Some(&table.available_at()[..known]);
        (cell.is_some() || !same_times).then(|| Place {
            what: Leaked::RawRow,
            symbol: Some(symbol),
            timeframe: Some(timeframe),
            channel: cell.map(|cell| whole.inputs[timeframe].channels[cell % table.width()].clone()),
        })
    })
}

fn compare_index(whole: Gather<'_>, altered: Gather<'_>, decision: Timestamp) -> Option<Place> {
    let (index, other) = (whole.windows, altered.windows);
    let (known, other_known) =
        (known_rows(index.decisions(), decision), known_rows(other.decisions(), decision));
    let shared = known.min(other_known);
    let place = |symbol: u32, timeframe| {
        Some(Place { what: Leaked::WindowIndex, symbol: Some(symbol as usize), timeframe, channel: None })
    };
    for sample in 0..shared {
        let symbol = index.symbols()[sample];
        if symbol != other.symbols()[sample] || index.decisions()[sample] != other.decisions()[sample] {
            return place(symbol, None);
        }
        let moved =
            |&timeframe: &usize| index.end_rows(timeframe)[sample] != other.end_rows(timeframe)[sample];
        if let Some(timeframe) = (0..whole.inputs.len()).find(moved) {
            return place(symbol, Some(timeframe));
        }
    }
    let longer = if known > other_known { index } else { other };
    (known != other_known).then(|| place(longer.symbols()[shared], None)).flatten()
}

fn compare_windows(whole: Gather<'_>, altered: Gather<'_>, decision: Timestamp) -> Option<Place> {
    let decisions = whole.windows.decisions();
    let samples = decisions.partition_point(|&time| time < decision)..known_rows(decisions, decision);
    whole.inputs.iter().enumerate().find_map(|(timeframe, layout)| {
        let (mut window, mut other) = (vec![0.0; layout.window_len()], vec![0.0; layout.window_len()]);
        samples.clone().find_map(|sample| {
            whole.fill(timeframe, sample, &mut window);
            altered.fill(timeframe, sample, &mut other);
            let cell = differing_cell(&window, &other)?;
            Some(Place {
                what: Leaked::RawWindow,
                symbol: Some(whole.windows.symbols()[sample] as usize),
                timeframe: Some(timeframe),
                channel: Some(layout.channels[cell % layout.width()].clone()),
            })
        })
    })
}

/// The first of `values` whose bits are not those of `others` at the same place.
fn differing_cell(values: &[f32], others: &[f32]) -> Option<usize> {
    let differing = values.iter().zip(others).position(|(value, other)| value.to_bits() != other.to_bits());
    differing.or_else(|| (others.len() < values.len()).then_some(others.len()))
}

/// The first scale or fitted label that differs.
pub(super) fn compare_fitted(whole: &Fitted, altered: &Fitted) -> Option<Place> {
    if whole == altered {
        return None;
    }
    let place = |timeframe, channel| Place { what: Leaked::Fitted, symbol: None, timeframe, channel };
    let scales = whole.scaler.timeframes.iter().zip(&altered.scaler.timeframes).enumerate();
    for (timeframe, (scale, other)) in scales {
        if scale != other {
            let channel =
                scale.channels.iter().zip(&other.channels).find(|(channel, other)| channel != other);
            return Some(place(Some(timeframe), channel.map(|(channel, _)| channel.channel.clone())));
        }
    }
    let label = whole.labels.iter().zip(&altered.labels).find(|(label, other)| label != other);
    Some(place(None, label.map(|(label, _)| label.spec.to_string())))
}

/// The first sample decided by the last train decision whose difficulty or regime differs. Which samples those are was
/// compared before.
pub(super) fn compare_difficulty(whole: &Dataset, altered: &Dataset) -> Option<Place> {
    let decided = known_rows(whole.windows().decisions(), whole.fitted().split.last_train_decision) as u32;
    let bits = |data: &Dataset, sample, measure| data.difficulty(sample, measure).map(f64::to_bits);
    (0..decided).find_map(|sample| {
        let place = |label: Option<usize>| Place {
            what: Leaked::Difficulty,
            symbol: Some(whole.windows().symbols()[sample as usize] as usize),
            timeframe: None,
            channel: label.map(|label| whole.labels()[label].spec.to_string()),
        };
        let differs = |measure| bits(whole, sample, measure) != bits(altered, sample, measure);
        if differs(Difficulty::TrailingVolatility) {
            return Some(place(None));
        }
        let labels = 0..whole.labels().len();
        let mut moved = labels.filter(|&label| {
            differs(Difficulty::LabelMagnitude { label })
                || whole.known_regime(sample, label) != altered.known_regime(sample, label)
        });
        moved.next().map(|label| place(Some(label)))
    })
}
