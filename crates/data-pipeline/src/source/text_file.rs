//! Text files into bars, row by row.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::Path;

use super::plan::{Gathered, ReadPlan};
use super::text::{Column, TextColumns, TextFormat, TextReader};
use crate::error::DataError;
use crate::spec::{Symbol, TextSpec};

/// The wanted rows of the text at `path`: all of one symbol, or by the symbol column.
pub(super) fn read<'a>(
    plan: &ReadPlan<'_>,
    path: &Path,
    delimiter: u8,
    symbol: Option<&Symbol>,
    only: Option<&'a BTreeSet<Symbol>>,
) -> Result<Gathered<'a>, DataError> {
    let file = File::open(path).map_err(|source| DataError::OpenFile { path: path.into(), source })?;
    let by_default = TextSpec::default();
    let spec = plan.spec.text.as_ref().unwrap_or(&by_default);
    let format = TextFormat { spec, delimiter, stamp: plan.stamp };
    let mut reader = TextReader::open(file, path, format, &columns(plan, symbol.is_none()))?;
    let mut gathered = Gathered::new(plan.timeframe, only);
    let whole = symbol.and_then(|symbol| gathered.place(symbol.as_str()));
    let mut is_empty = true;
    while reader.advance()? {
        is_empty = false;
        let place = match symbol {
            Some(_) => whole,
            None => gathered.place(reader.symbol()?),
        };
        let Some(place) = place else { continue };
        let row = reader.row()?;
        if plan.wants(row.stamp) {
            let number = |column: usize| row.numbers.get(column).copied().unwrap_or(0.0);
            gathered.push(place, plan.bar(row.stamp, [0, 1, 2, 3, 4].map(number)));
            if row.ambiguous {
                gathered.note_ambiguous(place);
            }
        }
    }
    if is_empty { Err(DataError::EmptyFile { path: path.into() }) } else { Ok(gathered) }
}

/// The columns to read; that of the symbol where `several` are in one file.
pub(crate) fn columns<'a>(plan: &ReadPlan<'a>, several: bool) -> TextColumns<'a> {
    let names = plan.columns();
    let column = |(role, name)| Column { role, name };
    let date = Some(("timestamp", names.timestamp.as_str()));
    let time_of_day = names.time_of_day.as_ref().map(|name| ("time_of_day", name.as_str()));
    let symbol = names.symbol.as_ref().filter(|_| several).map(|name| ("symbol", name.as_str()));
    TextColumns {
        time: date.into_iter().chain(time_of_day).map(column).collect(),
        numbers: plan.numbers().into_iter().map(column).collect(),
        symbol: symbol.map(column),
    }
}
