//! Klines of Binance's archive: `BTCUSDT-1h-2024-10-28.csv`, or the same in a zip.
//!
//! Spot files have no header, USD-M futures files have one. Both begin with open time, open, high, low, close and volume in
//! the base asset. Open times count milliseconds or, since 2025, microseconds: a file whose first time has 15 digits or
//! more counts microseconds, and one that mixes the two is refused at the first row that does not fit.

use std::io::{BufRead as _, BufReader, Read};
use std::path::Path;

use super::super::container;
use super::super::error::IngestError;
use super::super::intake::{Intake, Named};
use super::{Table, as_written, file_name, without_ending};
use crate::spec::{EpochUnit, Header, Symbol, TextSpec, TextTimeSpec, TimeFormat};
use crate::time::Timeframe;

const VENDOR: &str = "binance";
/// Columns by their place, where there is no header.
const PLACES: [&str; 6] = ["1", "2", "3", "4", "5", "6"];
/// Columns by their names in the header.
const NAMES: [&str; 6] = ["open_time", "open", "high", "low", "close", "volume"];
/// Milliseconds have 14 digits from the year 5138 on, microseconds had 15 from 1973 on.
const FEWEST_MICROSECOND_DIGITS: usize = 15;

/// `…SYMBOL-INTERVAL-YEAR-…`, with `.csv` or `.zip`. A name that says less is fine where the rest is said otherwise.
pub(super) fn recognise(path: &Path) -> Result<Named, String> {
    let name = file_name(path);
    let stem = without_ending(&name, &[".csv", ".zip"]).ok_or("it does not end in .csv or .zip")?;
    let parts: Vec<&str> = stem.split('-').collect();
    let is_year = |part: &str| part.len() == 4 && part.bytes().all(|digit| digit.is_ascii_digit());
    for place in 2..parts.len() {
        if !is_year(parts[place]) {
            continue;
        }
        let (symbol, interval) = (parts[place - 2], parts[place - 1]);
        let timeframe: Timeframe = interval.parse().map_err(|_| {
            format!("its name says {interval:?} where the length of its bars should be, such as 5m, 1h or 1d")
        })?;
        return Ok(Named { symbol: Some(Symbol::new(symbol)), timeframe: Some(timeframe) });
    }
    Ok(Named::default())
}

pub(super) fn read(path: &Path, input: usize, intake: &mut Intake<'_>) -> Result<(), IngestError> {
    let refuse = |problem: String| IngestError::Recognise { path: path.into(), vendor: VENDOR, problem };
    let outer = recognise(path).map_err(refuse)?;
    let mut found = false;
    container::for_each_text(path, &mut |label, text| {
        if without_ending(&file_name(label), &[".csv"]).is_none() {
            return Ok(());
        }
        found = true;
        let inner = recognise(label).map_err(refuse)?;
        let named = Named {
            symbol: inner.symbol.or_else(|| outer.symbol.clone()),
            timeframe: inner.timeframe.or(outer.timeframe),
        };
        let series = intake.series(named).map_err(|problem| refuse(problem.into()))?;
        let Some(series) = series else { return Ok(()) };
        intake.begin(input, label);
        read_klines(text, label, series, intake)
    })?;
    if found { Ok(()) } else { Err(refuse("it holds no .csv file".into())) }
}

fn read_klines(
    text: &mut dyn Read,
    label: &Path,
    series: usize,
    intake: &mut Intake<'_>,
) -> Result<(), IngestError> {
    let mut text = BufReader::new(text);
    let start = text.fill_buf().map_err(|source| IngestError::ReadFile { path: label.into(), source })?;
    let (header, columns) = match start.first() {
        Some(byte) if byte.is_ascii_digit() => (Header::None, PLACES),
        _ => (Header::Names, NAMES),
    };
    let unit = unit_of_first_time(start);
    let time = TextTimeSpec { format: TimeFormat::Epoch(unit), ..TextTimeSpec::default() };
    let spec = TextSpec { header, time, ..TextSpec::default() };
    Table { spec: &spec, delimiter: b',', columns: &columns }.read(
        &mut text,
        label,
        series,
        intake,
        &as_written,
    )
}

/// By the digits of the first cell that is a number.
fn unit_of_first_time(start: &[u8]) -> EpochUnit {
    let first_cell = |line: &[u8]| line.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let digits = start.split(|&byte| byte == b'\n').take(2).map(first_cell).find(|&digits| digits > 0);
    match digits {
        Some(digits) if digits >= FEWEST_MICROSECOND_DIGITS => EpochUnit::Microseconds,
        _ => EpochUnit::Milliseconds,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_symbol_and_interval() {
        let said = |name: &str| {
            let named = recognise(Path::new(name)).unwrap();
            (
                named.symbol.map(|symbol| symbol.to_string()),
                named.timeframe.map(|timeframe| timeframe.to_string()),
            )
        };
        let both = |symbol: &str, timeframe: &str| (Some(symbol.into()), Some(timeframe.into()));
        assert_eq!(said("BTCUSDT-1h-2024-10-28.zip"), both("BTCUSDT", "1h"));
        assert_eq!(said("BTCUSDT_240628-5m-2024-05.csv"), both("BTCUSDT_240628", "5m"));
        assert_eq!(said("futures-um-klines-BTCUSDT-1d-2024-10.CSV"), both("BTCUSDT", "1d"));
        assert_eq!(said("klines.csv"), (None, None));
        assert!(recognise(Path::new("BTCUSDT-1mo-2024-10.zip")).unwrap_err().contains("1mo"));
        assert!(recognise(Path::new("BTCUSDT-1h-2024-10-28.zip.CHECKSUM")).is_err());
    }

    #[test]
    fn units_are_told_by_the_first_time() {
        assert_eq!(unit_of_first_time(b"1730073600000,1\n"), EpochUnit::Milliseconds);
        assert_eq!(unit_of_first_time(b"1730073600000000,1\n"), EpochUnit::Microseconds);
        assert_eq!(unit_of_first_time(b"open_time,open\n1730073600000000,1\n"), EpochUnit::Microseconds);
    }
}
