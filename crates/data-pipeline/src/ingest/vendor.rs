//! The files of each vendor: how they are recognised and what their rows mean.

mod binance;
mod csv;
mod freqtrade;
mod histdata;
mod lean;

use std::io::Read;
use std::path::Path;

use super::error::IngestError;
use super::intake::{Intake, Named};
use super::spec::Vendor;
use crate::source::text::{Column, TextColumns, TextFormat, TextReader};
use crate::spec::{Stamp, TextSpec};
use crate::time::Timestamp;

/// What the name of the file at `path` says, or why it is none of the vendor's.
pub(super) fn recognise(vendor: &Vendor, path: &Path) -> Result<Named, String> {
    match vendor {
        Vendor::Binance => binance::recognise(path),
        Vendor::HistData => histdata::recognise(path),
        Vendor::Lean(spec) => lean::recognise(path, spec).map(|file| file.named()),
        Vendor::Freqtrade => freqtrade::recognise(path),
        Vendor::Csv(_) => csv::recognise(path),
    }
}

/// Reads the `input`th file, which was recognised.
pub(super) fn read(
    vendor: &Vendor,
    path: &Path,
    input: usize,
    intake: &mut Intake<'_>,
) -> Result<(), IngestError> {
    match vendor {
        Vendor::Binance => binance::read(path, input, intake),
        Vendor::HistData => histdata::read(path, input, intake),
        Vendor::Lean(spec) => lean::read(path, spec, input, intake),
        Vendor::Freqtrade => freqtrade::read(path, input, intake),
        Vendor::Csv(source) => csv::read(path, source, input, intake),
    }
}

/// Where a vendor's text has what: the time in the first of `columns` and numbers in the others.
#[derive(Clone, Copy, Debug)]
struct Table<'a> {
    spec: &'a TextSpec,
    delimiter: u8,
    columns: &'a [&'a str],
}

/// When a bar opens and its five numbers, or what is wrong with its row, as a verb phrase.
type Made = Result<(Timestamp, [f64; 5]), String>;

/// Roles of a table's columns, for messages; prices of quotes beyond these are told by their place.
const ROLES: [&str; 6] = ["timestamp", "open", "high", "low", "close", "volume"];

impl Table<'_> {
    /// Pushes a bar for each row of `text`, made by `bar` from the row's time and numbers.
    fn read(
        self,
        text: &mut dyn Read,
        label: &Path,
        series: usize,
        intake: &mut Intake<'_>,
        bar: &dyn Fn(Timestamp, &[f64]) -> Made,
    ) -> Result<(), IngestError> {
        let format = TextFormat { spec: self.spec, delimiter: self.delimiter, stamp: Stamp::Open };
        let mut columns = self.columns.iter().enumerate().map(|(place, &name)| {
            let role = ROLES.get(place).copied().unwrap_or("close");
            Column { role, name }
        });
        let columns = TextColumns {
            time: columns.by_ref().take(1).collect(),
            numbers: columns.collect(),
            symbol: None,
        };
        let mut rows = TextReader::open(text, label, format, &columns)?;
        while rows.advance()? {
            let line = rows.line();
            let row = rows.row()?;
            let made = bar(row.stamp, row.numbers);
            let (open_time, values) = made.map_err(|problem| intake.row_error(line, problem))?;
            intake.push(series, line, open_time, values)?;
        }
        Ok(())
    }
}

/// The bar whose numbers stand in the order of [`Bar`](crate::Bar).
fn as_written(stamp: Timestamp, numbers: &[f64]) -> Made {
    let values = numbers.try_into().map_err(|_| "has not the five numbers of a bar".to_owned())?;
    Ok((stamp, values))
}

/// The file's name without folders.
fn file_name(path: &Path) -> std::borrow::Cow<'_, str> {
    path.file_name().unwrap_or_default().to_string_lossy()
}

/// The name without one of the `endings`, whatever their case.
fn without_ending<'a>(name: &'a str, endings: &[&str]) -> Option<&'a str> {
    endings.iter().find_map(|ending| {
        let (stem, found) = name.split_at_checked(name.len().checked_sub(ending.len())?)?;
        found.eq_ignore_ascii_case(ending).then_some(stem)
    })
}
