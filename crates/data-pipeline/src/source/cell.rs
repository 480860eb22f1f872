//! Arrow columns as numbers and instants, or why they cannot be.

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type, TimeUnit};

use super::stamp::{Plausible, instant};
use crate::spec::{EpochUnit, Stamp};
use crate::time::{DAY, Timestamp};

/// Why a column of this type cannot serve, as what it should be.
pub(super) type Expected = &'static str;

/// What the whole numbers of a time column count.
#[derive(Clone, Copy, Debug)]
pub(super) enum TimeUnitOf {
    /// Parts of a second; the file says which, and whoever wrote it may have been mistaken.
    Part(EpochUnit),
    /// Days.
    Day,
}

/// What a time column counts, or what is expected of it.
pub(super) fn time_unit(kind: &DataType, stamp: Stamp) -> Result<TimeUnitOf, Expected> {
    let part = |unit| Ok(TimeUnitOf::Part(unit));
    match (kind, stamp) {
        (DataType::Timestamp(TimeUnit::Second, _), _) => part(EpochUnit::Seconds),
        (DataType::Timestamp(TimeUnit::Millisecond, _), _) | (DataType::Date64, Stamp::Open) => {
            part(EpochUnit::Milliseconds)
        }
        (DataType::Timestamp(TimeUnit::Microsecond, _), _) => part(EpochUnit::Microseconds),
        (DataType::Timestamp(TimeUnit::Nanosecond, _), _) => part(EpochUnit::Nanoseconds),
        (DataType::Date32, Stamp::Open) => Ok(TimeUnitOf::Day),
        (DataType::Date32 | DataType::Date64, Stamp::Close) => Err(
            "a timestamp, since a date does not say when its bar closed; with data.source.stamp: open it counts as closed 24 h after its date begins",
        ),
        (kind, _) if kind.is_integer() => Err(
            "a timestamp, since a whole number does not tell its unit; write the column with one, such as pandas.to_datetime(…, unit=\"ms\")",
        ),
        _ => Err("a timestamp or a date, such as pandas.to_datetime makes"),
    }
}

/// Is this a type of numbers?
pub(super) fn check_number(kind: &DataType) -> Result<(), Expected> {
    if kind.is_numeric() { Ok(()) } else { Err("a number, such as pandas.to_numeric makes") }
}

/// Can a symbol be read out of this type?
pub(super) fn check_symbol(kind: &DataType) -> Result<(), Expected> {
    match kind {
        DataType::Dictionary(_, values) => check_symbol(values),
        kind if kind.is_string() || kind.is_integer() => Ok(()),
        _ => Err("text or a whole number"),
    }
}

/// Numbers of a column that passed [`check_number`]; an empty cell is NaN.
pub(super) fn numbers(column: &ArrayRef) -> Result<Vec<f64>, parquet::errors::ParquetError> {
    let column = cast(column, &DataType::Float64)?;
    Ok(column.as_primitive::<Float64Type>().iter().map(|cell| cell.unwrap_or(f64::NAN)).collect())
}

/// Symbols of a column that passed [`check_symbol`].
pub(super) fn symbols(column: &ArrayRef) -> Result<StringArray, parquet::errors::ParquetError> {
    Ok(cast(column, &DataType::Utf8)?.as_string::<i32>().clone())
}

/// A cell that cannot be read: its row and what is wrong, as a verb phrase.
pub(super) struct BadCell {
    pub(super) row: usize,
    pub(super) problem: String,
}

/// Instants of a time column. The inner error names the first cell that is none of a bar.
pub(super) fn instants(
    column: &ArrayRef,
    unit: TimeUnitOf,
    plausible: &mut Plausible,
) -> Result<Result<Vec<Timestamp>, BadCell>, parquet::errors::ParquetError> {
    let column = cast(column, &DataType::Int64)?;
    let column = column.as_primitive::<Int64Type>();
    let mut at = |row| {
        if column.is_null(row) {
            return Err("is empty; a bar needs a time, so fill the cell or remove the row".into());
        }
        let count = column.value(row);
        let (instant, unit) = match unit {
            TimeUnitOf::Part(unit) => (instant(count, unit)?, Some(unit)),
            // Days that 64 bits of nanoseconds cannot hold are as implausible as the latest that they can.
            TimeUnitOf::Day => (Timestamp::from_nanos(count.saturating_mul(DAY)), None),
        };
        plausible.check(instant, unit).map(|()| instant)
    };
    Ok((0..column.len()).map(|row| at(row).map_err(|problem| BadCell { row, problem })).collect())
}
