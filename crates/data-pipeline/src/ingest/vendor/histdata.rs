//! Minute bars of HistData: `DAT_ASCII_EURUSD_M1_201202.csv`, or the zip around it.
//!
//! Cells are separated by semicolons; times are the opens of bars, written `YYYYMMDD HHMMSS` in Eastern Standard Time
//! without daylight saving, five hours behind UTC in summer too. Prices are bids; the volume is always 0.

use std::path::Path;

use super::super::container;
use super::super::error::IngestError;
use super::super::intake::{Intake, Named};
use super::{Table, as_written, file_name, without_ending};
use crate::spec::{Header, Symbol, TextSpec, TextTimeSpec, TimeFormat};
use crate::time::{MINUTE, Span, Timeframe};
use crate::zone::Zone;

const VENDOR: &str = "histdata";
const COLUMNS: [&str; 6] = ["1", "2", "3", "4", "5", "6"];
const TIME: &str = "%Y%m%d %H%M%S";
/// Eastern Standard Time, all year.
const HOURS_FROM_UTC: i8 = -5;

/// `…ASCII_SYMBOL_M1_…`, with `.csv` or `.zip`.
pub(super) fn recognise(path: &Path) -> Result<Named, String> {
    let name = file_name(path);
    let stem = without_ending(&name, &[".csv", ".zip"]).ok_or("it does not end in .csv or .zip")?;
    let parts: Vec<&str> = stem.split('_').collect();
    let Some(start) = parts.iter().position(|part| *part == "ASCII") else {
        return Err(
            "its name is not like DAT_ASCII_EURUSD_M1_201202; of the vendor's formats only ASCII is read"
                .into(),
        );
    };
    match parts.get(start + 2) {
        Some(&"M1") => (),
        Some(&"T") => return Err("it holds ticks, not bars".into()),
        _ => return Err("its name is not like DAT_ASCII_EURUSD_M1_201202".into()),
    }
    Ok(Named {
        symbol: parts.get(start + 1).map(|&symbol| Symbol::new(symbol)),
        timeframe: Timeframe::from_span(Span::from_nanos(MINUTE)),
    })
}

pub(super) fn read(path: &Path, input: usize, intake: &mut Intake<'_>) -> Result<(), IngestError> {
    let refuse = |problem: String| IngestError::Recognise { path: path.into(), vendor: VENDOR, problem };
    let named = recognise(path).map_err(refuse)?;
    let time = TextTimeSpec {
        format: TimeFormat::Pattern(TIME.into()),
        zone: Zone::fixed(HOURS_FROM_UTC),
        ..TextTimeSpec::default()
    };
    let spec = TextSpec { header: Header::None, time, ..TextSpec::default() };
    let mut found = false;
    container::for_each_text(path, &mut |label, text| {
        // Beside the bars, the zips hold a report on gaps, which is a .txt.
        if without_ending(&file_name(label), &[".csv"]).is_none() {
            return Ok(());
        }
        found = true;
        let series = intake.series(named.clone()).map_err(|problem| refuse(problem.into()))?;
        let Some(series) = series else { return Ok(()) };
        intake.begin(input, label);
        Table { spec: &spec, delimiter: b';', columns: &COLUMNS }.read(
            text,
            label,
            series,
            intake,
            &as_written,
        )
    })?;
    if found { Ok(()) } else { Err(refuse("it holds no .csv file".into())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_minute_bars_are_read() {
        let named = recognise(Path::new("HISTDATA_COM_ASCII_EURUSD_M1_201202.zip")).unwrap();
        assert_eq!(named.symbol, Some(Symbol::new("EURUSD")));
        assert!(recognise(Path::new("DAT_ASCII_EURUSD_T_201202.csv")).unwrap_err().contains("ticks"));
        assert!(recognise(Path::new("DAT_MT_EURUSD_M1_2012.csv")).unwrap_err().contains("only ASCII"));
    }
}
