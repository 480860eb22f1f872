//! The rows of each file by themselves: mended by the rules that were asked for, and then found to be in order.

use std::collections::{BTreeMap, HashMap};

use super::bars_of;
use super::error::IngestError;
use super::intake::Part;
use super::layout::Series;
use super::merge::{Origin, Row};
use crate::audit::{FindingKind, audit, faults};
use crate::bar::Bars;
use crate::repair::{RepairCount, repair};
use crate::spec::RepairSpec;
use crate::time::Timestamp;

/// What the rules did, by the input whose rows they mended.
pub(super) type Repairs = BTreeMap<usize, Vec<RepairCount>>;

/// What a file answers for by itself. How its bars lie between those of others is not among it.
const OF_A_FILE: [FindingKind; 6] = [
    FindingKind::NonFinite,
    FindingKind::OhlcOrder,
    FindingKind::PriceNotPositive,
    FindingKind::NegativeVolume,
    FindingKind::Disorder,
    FindingKind::Duplicate,
];

/// The rows of `series` after `rules`, file by file.
///
/// # Errors
/// [`IngestError::Rows`]: the first file whose rows cannot be true, or are not in the order of time, or are there twice.
pub(super) fn checked(
    series: &Series,
    raw: &[Row],
    parts: &[Part],
    rules: &[RepairSpec],
) -> Result<(Vec<Row>, Repairs), IngestError> {
    let (mut rows, mut repairs) = (Vec::with_capacity(raw.len()), Repairs::new());
    for of_part in raw.chunk_by(|before, after| before.origin == after.origin) {
        let Some(Row { origin: Origin::File(part), .. }) = of_part.first() else { continue };
        let (bars, counts) = repair(bars_of(series, of_part), rules);
        let numbers = Numbers::of(of_part);
        check(&bars, &numbers, &parts[*part])?;
        rows.extend((0..bars.len()).filter_map(|row| bars.get(row)).map(|bar| Row {
            open_time: bar.open_time,
            values: [bar.open, bar.high, bar.low, bar.close, bar.volume],
            origin: Origin::File(*part),
            number: numbers.at(bar.open_time),
        }));
        let totals = repairs
            .entry(parts[*part].input)
            .or_insert_with(|| rules.iter().map(|&rule| RepairCount { rule, rows: 0 }).collect());
        totals.iter_mut().zip(counts).for_each(|(total, count)| total.rows += count.rows);
    }
    Ok((rows, repairs))
}

fn check(bars: &Bars, numbers: &Numbers, part: &Part) -> Result<(), IngestError> {
    let in_order = bars.open_time.is_sorted_by(|before, after| before < after);
    let mut each = (0..bars.len()).filter_map(|row| bars.get(row));
    if in_order && each.all(|bar| faults(&bar).next().is_none()) {
        return Ok(());
    }
    let found = audit(std::slice::from_ref(bars)).symbols.remove(0).findings;
    let Some(mut finding) = found.into_iter().find(|finding| OF_A_FILE.contains(&finding.kind)) else {
        return Ok(());
    };
    for example in &mut finding.examples {
        example.row = usize::try_from(numbers.at(example.open_time)).unwrap_or(usize::MAX);
    }
    Err(IngestError::Rows { path: part.label.clone(), finding: Box::new(finding) })
}

/// Where in their file rows stand, by their time; of rows with one time, the last.
struct Numbers(HashMap<Timestamp, u64>);

impl Numbers {
    fn of(rows: &[Row]) -> Self {
        Self(rows.iter().map(|row| (row.open_time, row.number)).collect())
    }

    fn at(&self, time: Timestamp) -> u64 {
        self.0.get(&time).copied().unwrap_or_default()
    }
}
