//! Parquet files into bars, batch by batch and only the columns that are needed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use arrow::array::{Array, ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::DataType;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::errors::ParquetError;

use super::cell::{self, BadCell, Expected};
use super::nearest::by_similarity;
use crate::bar::{Bar, Bars};
use crate::error::DataError;
use crate::spec::{ColumnsSpec, Stamp, Symbol};
use crate::time::{Span, Timeframe, Timestamp};

/// Rows for which room is made at once. The number of rows that a damaged file claims may be any.
const MAX_RESERVED_ROWS: usize = 1 << 22;
/// Rows per batch: seven columns of this many cells stay below half a mebibyte.
const BATCH_ROWS: usize = 8192;

/// How every file of a source is read.
pub(super) struct ReadPlan<'a> {
    pub(super) columns: &'a ColumnsSpec,
    pub(super) stamp: Stamp,
    pub(super) timeframe: Timeframe,
    pub(super) publication_lag: Span,
}

impl ReadPlan<'_> {
    /// All rows of the file at `path` as bars of `symbol`.
    pub(super) fn read_one(&self, path: &Path, symbol: Symbol) -> Result<Bars, DataError> {
        let mut file = OpenFile::open(path, self)?;
        let mut bars = Bars::with_capacity(symbol, self.timeframe, file.rows.min(MAX_RESERVED_ROWS));
        while let Some(batch) = file.next_batch(self)? {
            batch.bars.into_iter().for_each(|bar| bars.push(bar));
        }
        Ok(bars)
    }

    /// The rows of the file at `path` by its symbol column, added to `found`. Rows of symbols that are not in `only` are
    /// passed over; all symbols of the file are added to `seen`.
    pub(super) fn read_several(
        &self,
        path: &Path,
        only: Option<&BTreeSet<Symbol>>,
        seen: &mut BTreeSet<Symbol>,
        found: &mut BTreeMap<Symbol, Bars>,
    ) -> Result<(), DataError> {
        let mut file = OpenFile::open(path, self)?;
        while let Some(batch) = file.next_batch(self)? {
            let names = batch.symbols.iter().flat_map(StringArray::iter).flatten();
            for (bar, name) in batch.bars.into_iter().zip(names) {
                let symbol = Symbol::new(name);
                if only.is_none_or(|only| only.contains(&symbol)) {
                    match found.get_mut(&symbol) {
                        Some(bars) => bars.push(bar),
                        None => {
                            let mut bars = Bars::with_capacity(symbol.clone(), self.timeframe, 0);
                            bars.push(bar);
                            found.insert(symbol.clone(), bars);
                        }
                    }
                }
                seen.insert(symbol);
            }
        }
        Ok(())
    }

    /// The columns to read, with what they are for.
    fn roles(&self) -> Vec<(&'static str, &str)> {
        let columns = self.columns;
        let mut roles = vec![
            ("timestamp", columns.timestamp.as_str()),
            ("open", &columns.open),
            ("high", &columns.high),
            ("low", &columns.low),
            ("close", &columns.close),
            ("volume", &columns.volume),
        ];
        roles.extend(columns.symbol.iter().map(|column| ("symbol", column.as_str())));
        roles
    }

    /// First instant, end and availability of the bar stamped `stamp`.
    fn times(&self, stamp: Timestamp) -> [Timestamp; 3] {
        let length = self.timeframe.span();
        let (open, close) = match self.stamp {
            Stamp::Open => (stamp, stamp.plus(length)),
            Stamp::Close => (stamp.plus(Span::from_nanos(-length.nanos())), stamp),
        };
        [open, close, close.plus(self.publication_lag)]
    }
}

/// A file whose columns are there and have types that can be read.
struct OpenFile<'a> {
    path: &'a Path,
    batches: ParquetRecordBatchReader,
    nanos_per_unit: i64,
    rows: usize,
    rows_read: usize,
}

/// Some rows of a file. With a symbol column, there is a symbol for every bar.
struct Batch {
    bars: Vec<Bar>,
    symbols: Option<StringArray>,
}

impl<'a> OpenFile<'a> {
    fn open(path: &'a Path, plan: &ReadPlan<'_>) -> Result<Self, DataError> {
        let file = File::open(path).map_err(|source| DataError::OpenFile { path: path.into(), source })?;
        let read_error = |source| DataError::ReadParquet { path: path.into(), source };
        let builder =
            unless_damaged(|| ParquetRecordBatchReaderBuilder::try_new(file)).map_err(read_error)?;
        let rows = usize::try_from(builder.metadata().file_metadata().num_rows()).unwrap_or(0);
        if rows == 0 {
            return Err(DataError::EmptyFile { path: path.into() });
        }
        let schema = builder.schema();
        let mut nanos_per_unit = 1;
        let mut needed = Vec::new();
        for (role, column) in plan.roles() {
            let Ok(index) = schema.index_of(column) else {
                let nearest = by_similarity(column, schema.fields().iter().map(|field| field.name().clone()));
                return Err(DataError::MissingColumn {
                    path: path.into(),
                    role,
                    column: column.into(),
                    nearest,
                });
            };
            let kind = schema.field(index).data_type();
            let wrong_type = |expected| wrong_type(path, column, kind, expected);
            match role {
                "timestamp" => nanos_per_unit = cell::time_unit(kind, plan.stamp).map_err(wrong_type)?,
                "symbol" => cell::check_symbol(kind).map_err(wrong_type)?,
                _ => cell::check_number(kind).map_err(wrong_type)?,
            }
            needed.push(index);
        }
        let columns = ProjectionMask::roots(builder.parquet_schema(), needed);
        let builder = builder.with_projection(columns).with_batch_size(BATCH_ROWS);
        let batches = unless_damaged(|| builder.build()).map_err(read_error)?;
        Ok(Self { path, batches, nanos_per_unit, rows, rows_read: 0 })
    }

    fn next_batch(&mut self, plan: &ReadPlan<'_>) -> Result<Option<Batch>, DataError> {
        let batch = unless_damaged(|| self.batches.next().transpose().map_err(ParquetError::from));
        let Some(batch) = batch.map_err(|source| self.read_error(source))? else { return Ok(None) };
        let columns = plan.columns;
        let times = self.column(&batch, &columns.timestamp)?;
        let times = cell::instants(times, self.nanos_per_unit).map_err(|source| self.read_error(source))?;
        let times = times.map_err(|bad| self.cell_error(&columns.timestamp, &bad))?;
        let mut numbers = Vec::with_capacity(5);
        for column in [&columns.open, &columns.high, &columns.low, &columns.close, &columns.volume] {
            let column = cell::numbers(self.column(&batch, column)?);
            numbers.push(column.map_err(|source| self.read_error(source))?);
        }
        let symbols = match &columns.symbol {
            Some(column) => Some(self.symbols(&batch, column)?),
            None => None,
        };
        let bar = |(row, stamp)| {
            let [open_time, close_time, available_at] = plan.times(stamp);
            let [open, high, low, close, volume] = [0, 1, 2, 3, 4].map(|column: usize| numbers[column][row]);
            Bar { open_time, close_time, available_at, open, high, low, close, volume }
        };
        self.rows_read += times.len();
        Ok(Some(Batch { bars: times.into_iter().enumerate().map(bar).collect(), symbols }))
    }

    fn symbols(&self, batch: &RecordBatch, column: &str) -> Result<StringArray, DataError> {
        let symbols = cell::symbols(self.column(batch, column)?).map_err(|source| self.read_error(source))?;
        match (0..symbols.len()).find(|&row| symbols.is_null(row)) {
            None => Ok(symbols),
            Some(row) => {
                let problem = "is empty; name the bar's symbol or remove the row";
                Err(self.cell_error(column, &BadCell { row, problem }))
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

    fn cell_error(&self, column: &str, bad: &BadCell) -> DataError {
        let row = self.rows_read + bad.row;
        DataError::Cell { path: self.path.into(), column: column.into(), row, problem: bad.problem }
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
