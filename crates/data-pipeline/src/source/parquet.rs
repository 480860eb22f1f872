//! Parquet files into bars, batch by batch: only the columns that are needed, and only the row groups that may hold a bar
//! that is wanted.

mod row_group;

use std::collections::BTreeSet;
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use arrow::array::{Array, ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{DataType, SchemaRef};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::errors::ParquetError;

use super::cell::{self, BadCell, Expected, TimeUnitOf};
use super::plan::{Gathered, ReadPlan};
use super::stamp::Plausible;
use crate::error::DataError;
use crate::nearest::by_similarity;
use crate::spec::Symbol;
use crate::time::Timestamp;
use row_group::Chosen;

/// Rows for which room is made at once. The number of rows that a damaged file claims may be any.
const MAX_RESERVED_ROWS: usize = 1 << 22;
/// Rows per batch: seven columns of this many cells stay below half a mebibyte.
const BATCH_ROWS: usize = 8192;

/// The wanted rows of the file at `path`: all of one symbol, or by the symbol column.
pub(super) fn read<'a>(
    plan: &ReadPlan<'_>,
    path: &Path,
    symbol: Option<&Symbol>,
    only: Option<&'a BTreeSet<Symbol>>,
) -> Result<Gathered<'a>, DataError> {
    let symbol_column = if symbol.is_none() { plan.columns().symbol.as_deref() } else { None };
    let mut file = OpenFile::open(path, plan, symbol_column, only)?;
    let mut gathered = Gathered::new(plan.timeframe, only);
    let whole = symbol.and_then(|symbol| gathered.place(symbol.as_str()));
    if let Some(place) = whole {
        gathered.reserve(place, file.chosen.rows().min(MAX_RESERVED_ROWS));
    }
    while let Some(batch) = file.next_batch(plan)? {
        for (row, &stamp) in batch.stamps.iter().enumerate() {
            let place = match &batch.symbols {
                Some(symbols) => gathered.place(symbols.value(row)),
                None => whole,
            };
            if let Some(place) = place.filter(|_| plan.wants(stamp)) {
                let number = |column: usize| batch.numbers.get(column).map_or(0.0, |numbers| numbers[row]);
                gathered.push(place, plan.bar(stamp, [0, 1, 2, 3, 4].map(number)));
            }
        }
    }
    Ok(gathered)
}

/// Every symbol of the file at `path`, read from its symbol column alone.
pub(super) fn symbols(path: &Path, column: &str) -> Result<BTreeSet<Symbol>, DataError> {
    let builder = open(path)?;
    let read_error = |source| DataError::ReadParquet { path: path.into(), source };
    let mask = ProjectionMask::columns(builder.parquet_schema(), [column]);
    let batches = unless_damaged(|| builder.with_projection(mask).build()).map_err(read_error)?;
    let mut found = BTreeSet::new();
    let mut batches = batches;
    while let Some(batch) =
        unless_damaged(|| batches.next().transpose().map_err(ParquetError::from)).map_err(read_error)?
    {
        let Some(cells) = batch.column_by_name(column) else { break };
        let cells = cell::symbols(cells).map_err(read_error)?;
        let mut before = None;
        for name in cells.iter().flatten() {
            if before.replace(name) != Some(name) {
                found.insert(Symbol::new(name));
            }
        }
    }
    Ok(found)
}

fn open(path: &Path) -> Result<ParquetRecordBatchReaderBuilder<File>, DataError> {
    let file = File::open(path).map_err(|source| DataError::OpenFile { path: path.into(), source })?;
    unless_damaged(|| ParquetRecordBatchReaderBuilder::try_new(file))
        .map_err(|source| DataError::ReadParquet { path: path.into(), source })
}

/// A file whose columns are there and have types that can be read.
struct OpenFile<'a> {
    path: &'a Path,
    batches: ParquetRecordBatchReader,
    symbol_column: Option<&'a str>,
    unit: TimeUnitOf,
    plausible: Plausible,
    chosen: Chosen,
    rows_read: usize,
}

/// Some rows of a file. With a symbol column, there is a symbol for every row.
struct Batch {
    stamps: Vec<Timestamp>,
    /// By column, in the order of [`ReadPlan::numbers`].
    numbers: Vec<Vec<f64>>,
    symbols: Option<StringArray>,
}

impl<'a> OpenFile<'a> {
    fn open(
        path: &'a Path,
        plan: &ReadPlan<'_>,
        symbol_column: Option<&'a str>,
        only: Option<&BTreeSet<Symbol>>,
    ) -> Result<Self, DataError> {
        let builder = open(path)?;
        let read_error = |source| DataError::ReadParquet { path: path.into(), source };
        if builder.metadata().file_metadata().num_rows() <= 0 {
            return Err(DataError::EmptyFile { path: path.into() });
        }
        let schema = builder.schema();
        let time = plan.columns().timestamp.as_str();
        let mut roles = vec![("timestamp", time)];
        roles.extend(plan.numbers());
        roles.extend(symbol_column.map(|column| ("symbol", column)));
        let mut unit = TimeUnitOf::Day;
        let mut needed = Vec::new();
        for (role, column) in roles {
            let index = find_column(path, schema, role, column)?;
            let kind = schema.field(index).data_type();
            let wrong_type = |expected| wrong_type(path, column, kind, expected);
            match role {
                "timestamp" => unit = cell::time_unit(kind, plan.stamp).map_err(wrong_type)?,
                "symbol" => cell::check_symbol(kind).map_err(wrong_type)?,
                _ => cell::check_number(kind).map_err(wrong_type)?,
            }
            needed.push(index);
        }
        let chosen =
            unless_damaged(|| Chosen::by_statistics(&builder, plan, (time, unit), symbol_column, only));
        let chosen = chosen.map_err(read_error)?;
        let columns = ProjectionMask::roots(builder.parquet_schema(), needed);
        let builder = builder.with_projection(columns).with_batch_size(BATCH_ROWS);
        let builder = builder.with_row_groups(chosen.groups());
        let batches = unless_damaged(|| builder.build()).map_err(read_error)?;
        let plausible = Plausible::default();
        Ok(Self { path, batches, symbol_column, unit, plausible, chosen, rows_read: 0 })
    }

    fn next_batch(&mut self, plan: &ReadPlan<'_>) -> Result<Option<Batch>, DataError> {
        let batch = unless_damaged(|| self.batches.next().transpose().map_err(ParquetError::from));
        let Some(batch) = batch.map_err(|source| self.read_error(source))? else { return Ok(None) };
        let time = &plan.columns().timestamp;
        let stamps = cell::instants(self.column(&batch, time)?, self.unit, &mut self.plausible);
        let stamps = stamps.map_err(|source| self.read_error(source))?;
        let stamps = stamps.map_err(|bad| self.cell_error(time, bad))?;
        let mut numbers = Vec::with_capacity(5);
        for (_, column) in plan.numbers() {
            let column = cell::numbers(self.column(&batch, column)?);
            numbers.push(column.map_err(|source| self.read_error(source))?);
        }
        let symbols = match self.symbol_column {
            Some(column) => Some(self.symbols(&batch, column)?),
            None => None,
        };
        self.rows_read += stamps.len();
        Ok(Some(Batch { stamps, numbers, symbols }))
    }

    fn symbols(&self, batch: &RecordBatch, column: &str) -> Result<StringArray, DataError> {
        let symbols = cell::symbols(self.column(batch, column)?).map_err(|source| self.read_error(source))?;
        match (0..symbols.len()).find(|&row| symbols.is_null(row)) {
            None => Ok(symbols),
            Some(row) => {
                let problem = "is empty; name the bar's symbol or remove the row".into();
                Err(self.cell_error(column, BadCell { row, problem }))
            }
        }
    }

    fn column<'b>(&self, batch: &'b RecordBatch, column: &str) -> Result<&'b ArrayRef, DataError> {
        let missing = || self.read_error(ParquetError::General(format!("a batch lacks column {column:?}")));
        batch.column_by_name(column).ok_or_else(missing)
    }

    fn read_error(&self, source: ParquetError) -> DataError {
        DataError::ReadParquet { path: self.path.into(), source }
    }

    fn cell_error(&self, column: &str, bad: BadCell) -> DataError {
        let row = self.chosen.row_of_file(self.rows_read + bad.row);
        DataError::Cell { path: self.path.into(), column: column.into(), row, problem: bad.problem }
    }
}

fn find_column(
    path: &Path,
    schema: &SchemaRef,
    role: &'static str,
    column: &str,
) -> Result<usize, DataError> {
    let names = || schema.fields().iter().map(|field| field.name());
    let mut places = names().enumerate().filter(|(_, name)| *name == column).map(|(place, _)| place);
    match (places.next(), places.next()) {
        (Some(place), None) => Ok(place),
        (Some(_), Some(_)) => {
            Err(DataError::DoubledColumn { path: path.into(), role, column: column.into() })
        }
        (None, _) => {
            let nearest = by_similarity(column, names().cloned());
            Err(DataError::MissingColumn { path: path.into(), role, column: column.into(), nearest })
        }
    }
}

/// Calls into the Parquet reader, which panics on some damaged pages where it should return an error. A reader that has
/// panicked is not used again.
fn unless_damaged<T>(read: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, ParquetError> {
    catch_unwind(AssertUnwindSafe(read))
        .unwrap_or_else(|_| Err(ParquetError::General("the reader gave up on damaged bytes".into())))
}

fn wrong_type(path: &Path, column: &str, kind: &DataType, expected: Expected) -> DataError {
    DataError::ColumnType { path: path.into(), column: column.into(), found: kind.to_string(), expected }
}
