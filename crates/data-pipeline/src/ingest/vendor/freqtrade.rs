//! Candles that freqtrade has downloaded: `BTC_USDT-1h.feather`, `XRP_USDT_USDT-1h-futures.json.gz`.
//!
//! Feather files have the columns `date` (the open), `open`, `high`, `low`, `close` and `volume`. JSON files are one array
//! of `[open time in ms, open, high, low, close, volume]`. The symbol is the pair as the file is named: `BTC_USDT`, and
//! `XRP_USDT_USDT` for a future of `XRP/USDT:USDT`.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type, TimeUnit};
use arrow::error::ArrowError;
use arrow::ipc::reader::FileReader;
use serde::de::{DeserializeSeed, Deserializer, SeqAccess, Visitor};

use super::super::container;
use super::super::error::IngestError;
use super::super::intake::{Intake, Named};
use crate::source::stamp::{Plausible, instant};
use crate::spec::{EpochUnit, Symbol};
use crate::time::{Timeframe, Timestamp};

/// What may stand last in a name besides the timeframe. The other kinds are not prices at which anything was traded.
const TRADED: [&str; 2] = ["spot", "futures"];
const NOT_TRADED: [&str; 4] = ["mark", "index", "premiumIndex", "funding_rate"];

/// Columns of a feather file after `date`.
const NUMBERS: [&str; 5] = ["open", "high", "low", "close", "volume"];

/// What the name of a file says, or why it is none of freqtrade's.
pub(super) fn recognise(path: &Path) -> Result<Named, String> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let stem = [".feather", ".json", ".json.gz"].iter().find_map(|ending| name.strip_suffix(ending));
    let stem = stem.ok_or("it does not end in .feather, .json or .json.gz")?;
    let (mut stem, last) = stem.rsplit_once('-').ok_or("its name is not like BTC_USDT-1h")?;
    let mut timeframe = last;
    if NOT_TRADED.contains(&last) {
        return Err(format!("{last} candles are no prices at which anything was traded"));
    }
    if TRADED.contains(&last) {
        (stem, timeframe) = stem.rsplit_once('-').ok_or("its name is not like XRP_USDT_USDT-1h-futures")?;
    }
    let timeframe: Timeframe = timeframe.parse().map_err(|_| {
        format!("its name says {timeframe:?} where the length of its bars should be, such as 5m, 1h or 1d")
    })?;
    Ok(Named { symbol: Some(Symbol::new(stem)), timeframe: Some(timeframe) })
}

pub(super) fn read(path: &Path, input: usize, intake: &mut Intake<'_>) -> Result<(), IngestError> {
    let refuse = |problem: String| IngestError::Recognise { path: path.into(), vendor: "freqtrade", problem };
    let named = recognise(path).map_err(refuse)?;
    let Some(series) = intake.series(named).map_err(|problem| refuse(problem.into()))? else { return Ok(()) };
    intake.begin(input, path);
    if path.extension().is_some_and(|extension| extension == "feather") {
        return read_feather(path, series, intake);
    }
    container::for_each_text(path, &mut |_, text| {
        let mut json = serde_json::Deserializer::from_reader(std::io::BufReader::new(text));
        let mut rows =
            Rows { series, intake: &mut *intake, plausible: Plausible::default(), number: 0, failure: None };
        let read = rows.read(&mut json).and_then(|()| json.end());
        match (rows.failure.take(), read) {
            (Some(failure), _) => Err(failure),
            (None, Ok(())) => Ok(()),
            (None, Err(error)) => {
                Err(refuse(format!("it is no array of [ms, open, high, low, close, volume]: {error}")))
            }
        }
    })
}

fn read_feather(path: &Path, series: usize, intake: &mut Intake<'_>) -> Result<(), IngestError> {
    let feather_error = |source| IngestError::ReadFeather { path: path.into(), source };
    let file = container::open(path)?;
    let mut reader = unless_damaged(|| FileReader::try_new(file, None)).map_err(feather_error)?;
    let mut plausible = Plausible::default();
    let mut first = 1;
    while let Some(batch) = unless_damaged(|| reader.next().transpose()).map_err(feather_error)? {
        first = push_batch(&batch, path, series, first, &mut plausible, intake)?;
    }
    Ok(())
}

/// Calls into the reader of Arrow files, which panics on some damaged bytes where it should return an error. A reader that
/// has panicked is not used again.
fn unless_damaged<T>(read: impl FnOnce() -> Result<T, ArrowError>) -> Result<T, ArrowError> {
    catch_unwind(AssertUnwindSafe(read))
        .unwrap_or_else(|_| Err(ArrowError::IpcError("the reader gave up on damaged bytes".into())))
}

/// Pushes the rows of `batch`, the first of which has the number `first`; returns the number of the next.
fn push_batch(
    batch: &RecordBatch,
    path: &Path,
    series: usize,
    first: u64,
    plausible: &mut Plausible,
    intake: &mut Intake<'_>,
) -> Result<u64, IngestError> {
    let feather_error = |source| IngestError::ReadFeather { path: path.into(), source };
    let column = |name: &str| {
        batch.column_by_name(name).ok_or_else(|| {
            let names: Vec<&str> =
                batch.schema_ref().fields().iter().map(|field| field.name().as_str()).collect();
            let problem = format!("it has no column {name:?}; its columns are {}", names.join(", "));
            IngestError::Recognise { path: path.into(), vendor: "freqtrade", problem }
        })
    };
    let dates = column("date")?;
    if !matches!(dates.data_type(), DataType::Timestamp(_, _)) {
        let problem = format!("its column \"date\" is {}; expected a timestamp", dates.data_type());
        return Err(IngestError::Recognise { path: path.into(), vendor: "freqtrade", problem });
    }
    let nanos = nanoseconds(dates).map_err(feather_error)?;
    let mut numbers = Vec::with_capacity(NUMBERS.len());
    for name in NUMBERS {
        numbers.push(cast(column(name)?, &DataType::Float64).map_err(feather_error)?);
    }
    let mut number = first;
    for row in 0..batch.num_rows() {
        if nanos.is_null(row) {
            return Err(
                intake.row_error(number, "the date is empty or lies outside of the years 1678 to 2262")
            );
        }
        let time = Timestamp::from_nanos(nanos.as_primitive::<Int64Type>().value(row));
        plausible.check(time, None).map_err(|problem| intake.row_error(number, problem))?;
        let value = |column: usize| {
            let column = numbers[column].as_primitive::<Float64Type>();
            if column.is_null(row) { f64::NAN } else { column.value(row) }
        };
        intake.push(series, number, time, [0, 1, 2, 3, 4].map(value))?;
        number += 1;
    }
    Ok(number)
}

/// Timestamps of any unit as nanoseconds since 1970; empty where they do not fit.
fn nanoseconds(dates: &dyn Array) -> Result<arrow::array::ArrayRef, ArrowError> {
    let DataType::Timestamp(_, zone) = dates.data_type() else { return cast(dates, &DataType::Int64) };
    let nanos = cast(dates, &DataType::Timestamp(TimeUnit::Nanosecond, zone.clone()))?;
    cast(&nanos, &DataType::Int64)
}

/// Takes the rows of a JSON array one by one, so that the array need not fit into memory.
struct Rows<'i, 's> {
    series: usize,
    intake: &'i mut Intake<'s>,
    plausible: Plausible,
    number: u64,
    /// An error of ours, which has no place in one of serde's.
    failure: Option<IngestError>,
}

impl Rows<'_, '_> {
    fn read<'de, D: Deserializer<'de>>(&mut self, json: D) -> Result<(), D::Error> {
        DeserializeSeed::deserialize(self, json)
    }
}

impl<'de> DeserializeSeed<'de> for &mut Rows<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for &mut Rows<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<(), A::Error> {
        type Cells = (i64, [Option<f64>; 5]);
        type Flat = (i64, Option<f64>, Option<f64>, Option<f64>, Option<f64>, Option<f64>);
        while let Some((ms, open, high, low, close, volume)) = rows.next_element::<Flat>()? {
            let (ms, cells): Cells = (ms, [open, high, low, close, volume]);
            self.number += 1;
            let unit = EpochUnit::Milliseconds;
            let time =
                instant(ms, unit).and_then(|time| self.plausible.check(time, Some(unit)).map(|()| time));
            let pushed = match time {
                Err(problem) => {
                    Err(self.intake.row_error(self.number, format!("has time {ms}, which {problem}")))
                }
                Ok(time) => {
                    let values = cells.map(|cell| cell.unwrap_or(f64::NAN));
                    self.intake.push(self.series, self.number, time, values)
                }
            };
            if let Err(failure) = pushed {
                self.failure = Some(failure);
                return Err(serde::de::Error::custom("stopped"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_pair_and_timeframe() {
        let said = |name: &str| {
            let named = recognise(Path::new(name)).unwrap();
            (named.symbol.unwrap().to_string(), named.timeframe.unwrap().to_string())
        };
        assert_eq!(said("data/BTC_USDT-1h.feather"), ("BTC_USDT".into(), "1h".into()));
        assert_eq!(said("XRP_USDT_USDT-5m-futures.json.gz"), ("XRP_USDT_USDT".into(), "5m".into()));
        for name in
            ["BTC_USDT-1h.parquet", "BTC_USDT.json", "BTC_USDT-1Mo.feather", "BTC_USDT_USDT-8h-mark.feather"]
        {
            assert!(recognise(Path::new(name)).is_err(), "{name}");
        }
    }
}
