//! Arrow columns as numbers and instants, or why they cannot be.

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type, TimeUnit};

use crate::spec::Stamp;
use crate::time::{DAY, SECOND, Timestamp};

/// Why a column of this type cannot serve, as what it should be.
pub(super) type Expected = &'static str;

/// Nanoseconds per unit of a time column, or what is expected of it.
pub(super) fn time_unit(kind: &DataType, stamp: Stamp) -> Result<i64, Expected> {
    match (kind, stamp) {
        (DataType::Timestamp(TimeUnit::Second, _), _) => Ok(SECOND),
        (DataType::Timestamp(TimeUnit::Millisecond, _), _) | (DataType::Date64, Stamp::Open) => {
            Ok(SECOND / 1_000)
        }
        (DataType::Timestamp(TimeUnit::Microsecond, _), _) => Ok(SECOND / 1_000_000),
        (DataType::Timestamp(TimeUnit::Nanosecond, _), _) => Ok(1),
        (DataType::Date32, Stamp::Open) => Ok(DAY),
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
    pub(super) problem: &'static str,
}

/// Instants of a time column whose unit is `nanos` nanoseconds. The inner error names the first bad cell.
pub(super) fn instants(
    column: &ArrayRef,
    nanos: i64,
) -> Result<Result<Vec<Timestamp>, BadCell>, parquet::errors::ParquetError> {
    let column = cast(column, &DataType::Int64)?;
    let column = column.as_primitive::<Int64Type>();
    let instant = |row| {
        if column.is_null(row) {
            return Err(BadCell {
                row,
                problem: "is empty; a bar needs a time, so fill the cell or remove the row",
            });
        }
        let instant = column.value(row).checked_mul(nanos).map(Timestamp::from_nanos);
        instant.ok_or(BadCell { row, problem: "lies outside of the years 1678 to 2262; is its unit right?" })
    };
    Ok((0..column.len()).map(instant).collect())
}
