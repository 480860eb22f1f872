//! Old bars and new rows into one series, by time.

use super::error::Conflict;
use super::spec::OnConflict;
use crate::time::Timestamp;

/// How many conflicts are told one by one.
const SHOWN: usize = 3;

/// Where a row comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Origin {
    /// The layout.
    Layout,
    /// A file, by its place among those that are read.
    File(usize),
}

/// A row on its way into the layout.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) open_time: Timestamp,
    /// Open, high, low, close, volume.
    pub(super) values: [f64; 5],
    pub(super) origin: Origin,
    /// Its place in the file, counted from 1.
    pub(super) number: u64,
}

impl Row {
    fn is_same(&self, other: &Self) -> bool {
        self.values.map(f64::to_bits) == other.values.map(f64::to_bits)
    }
}

/// One series, and what came together in it.
#[derive(Debug, Default)]
pub(super) struct Merged {
    /// One row for each time, in the order of time; the layout's where that has the very same bar.
    pub(super) rows: Vec<Row>,
    /// Per row of `rows`, in the same order: its place there and a file that has the very same bar.
    pub(super) witnesses: Vec<(usize, usize)>,
    pub(super) new: usize,
    pub(super) identical: usize,
    pub(super) kept: usize,
    pub(super) replaced: usize,
    /// Times at which rows differ.
    pub(super) conflicts: usize,
    /// The first of them; the file of `from` is still a number.
    pub(super) first_conflicts: Vec<(Conflict, Origin, u64)>,
}

/// Brings `rows` together, whatever their order. Of rows with one time and the same numbers, one stays. Of rows that
/// differ, the first stays (the layout's before those of files, files in their order), or with
/// [`OnConflict::KeepNew`] the last; every such row counts as a conflict.
pub(super) fn merge(mut rows: Vec<Row>, on_conflict: OnConflict) -> Merged {
    rows.sort_by_key(|row| (row.open_time, row.origin, row.number));
    let mut merged = Merged { rows: Vec::with_capacity(rows.len()), ..Merged::default() };
    for same_time in rows.chunk_by(|before, after| before.open_time == after.open_time) {
        merged.add(same_time, on_conflict);
    }
    merged
}

impl Merged {
    /// Adds the rows of one time.
    fn add(&mut self, rows: &[Row], on_conflict: OnConflict) {
        let [first, others @ ..] = rows else { return };
        let place = self.rows.len();
        let mut chosen = *first;
        self.new += usize::from(first.origin != Origin::Layout);
        for row in others {
            if row.is_same(&chosen) {
                self.identical += 1;
                continue;
            }
            self.conflicts += 1;
            if self.first_conflicts.len() < SHOWN {
                let conflict = Conflict {
                    open_time: row.open_time,
                    old: chosen.values,
                    new: row.values,
                    from: String::new(),
                };
                self.first_conflicts.push((conflict, row.origin, row.number));
            }
            if on_conflict == OnConflict::KeepNew {
                self.replaced += 1;
                chosen = *row;
            } else {
                self.kept += 1;
            }
        }
        let mut origin = chosen.origin;
        for row in rows.iter().filter(|row| row.is_same(&chosen)) {
            match row.origin {
                Origin::Layout => origin = Origin::Layout,
                Origin::File(file) => self.witnesses.push((place, file)),
            }
        }
        self.rows.push(Row { origin, ..chosen });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(minute: i64, close: f64, origin: Origin) -> Row {
        Row {
            open_time: Timestamp::from_nanos(minute * crate::time::MINUTE),
            values: [1.0, 2.0, 0.5, close, 3.0],
            origin,
            number: 1,
        }
    }

    fn closes(merged: &Merged) -> Vec<f64> {
        merged.rows.iter().map(|row| row.values[3]).collect()
    }

    #[test]
    fn the_same_bars_twice_are_one_series() {
        let rows =
            || vec![row(2, 1.2, Origin::File(0)), row(1, 1.1, Origin::Layout), row(1, 1.1, Origin::File(0))];
        let merged = merge(rows(), OnConflict::Refuse);
        assert_eq!(closes(&merged), [1.1, 1.2]);
        assert_eq!((merged.new, merged.identical, merged.conflicts), (1, 1, 0));
        assert_eq!(merged.witnesses, [(0, 0), (1, 0)]);
    }

    #[test]
    fn what_differs_is_a_conflict_and_a_rule_decides() {
        let rows =
            || vec![row(1, 1.9, Origin::File(1)), row(1, 1.1, Origin::Layout), row(1, 1.5, Origin::File(0))];
        for (on_conflict, close, kept, replaced) in [
            (OnConflict::Refuse, 1.1, 2, 0),
            (OnConflict::KeepOld, 1.1, 2, 0),
            (OnConflict::KeepNew, 1.9, 0, 2),
        ] {
            let merged = merge(rows(), on_conflict);
            assert_eq!(closes(&merged), [close], "{on_conflict:?}");
            assert_eq!((merged.conflicts, merged.kept, merged.replaced), (2, kept, replaced));
        }
    }

    /// A file whose bar was not taken is no witness of the one that was.
    #[test]
    fn only_files_that_agree_are_witnesses() {
        let rows =
            || vec![row(1, 1.1, Origin::File(0)), row(1, 1.5, Origin::File(1)), row(1, 1.5, Origin::File(2))];
        assert_eq!(merge(rows(), OnConflict::KeepOld).witnesses, [(0, 0)]);
        assert_eq!(merge(rows(), OnConflict::KeepNew).witnesses, [(0, 1), (0, 2)]);
    }

    #[test]
    fn not_a_number_is_itself() {
        let nan = |origin| row(1, f64::NAN, origin);
        assert_eq!(merge(vec![nan(Origin::Layout), nan(Origin::File(0))], OnConflict::Refuse).conflicts, 0);
    }
}
