//! Lean's data folder: `<class>/<market>/<resolution>/…`, text in zips.
//!
//! - Second and minute bars lie in `…/minute/spy/20131007_trade.zip`, one day a file. Times are milliseconds since midnight
//!   on the market's clock.
//! - Hour and daily bars lie in `…/hour/spy.zip` or `…/hour/btcusdt_trade.zip`. Times are written `YYYYMMDD HH:MM` on the
//!   market's clock. A time names the bar's open.
//! - Trades are `time, open, high, low, close, volume`. Quotes are `time, bid open, high, low, close, size, ask open, high,
//!   low, close, size`; the bar is the mean of bid and ask, price by price, and has no volume. Where one side is empty, so is
//!   the mean: the audit reports it.
//! - Equity prices are ten thousand times the price. Nothing is adjusted for splits or dividends: factor files are not read.
//! - A daily bar of an equity or index carries its session's date at 00:00 UTC, like all daily bars here: with 24 hours it
//!   ends after the session and so is known late, never early. Markets that never shut keep their own midnight.

mod place;

use std::path::Path;

use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};

use super::super::container;
use super::super::error::IngestError;
use super::super::intake::{Intake, Named};
use super::super::spec::{LeanPrices, LeanSpec};
use super::{Table, file_name, without_ending};
use crate::spec::{EpochUnit, Header, TextSpec, TextTimeSpec, TimeFormat};
use crate::time::Timestamp;
use crate::zone::Zone;
pub(super) use place::LeanFile;

const VENDOR: &str = "lean";
const TRADES: [&str; 6] = ["1", "2", "3", "4", "5", "6"];
/// Time, four bids, four asks; the sizes at the close are left out.
const QUOTES: [&str; 9] = ["1", "2", "3", "4", "5", "7", "8", "9", "10"];
const FULL_TIME: &str = "%Y%m%d %H:%M";

/// What path and name of a file say, or why it is none of those that are read.
pub(super) fn recognise(path: &Path, spec: &LeanSpec) -> Result<LeanFile, String> {
    let file = LeanFile::at(path, spec.zone.as_ref())?;
    match (spec.prices, file.prices) {
        (Some(wanted), is) if wanted != is => Err(match is {
            LeanPrices::Trades => "it holds trades, and mids were asked for".into(),
            LeanPrices::Mids => "it holds quotes, and trades were asked for".into(),
        }),
        _ => Ok(file),
    }
}

pub(super) fn read(
    path: &Path,
    spec: &LeanSpec,
    input: usize,
    intake: &mut Intake<'_>,
) -> Result<(), IngestError> {
    let refuse = |problem: String| IngestError::Recognise { path: path.into(), vendor: VENDOR, problem };
    let file = recognise(path, spec).map_err(refuse)?;
    let mut found = false;
    container::for_each_text(path, &mut |label, text| {
        let name = file_name(label);
        let Some(stem) = without_ending(&name, &[".csv"]) else { return Ok(()) };
        found = true;
        let named = Named { symbol: file.symbol_of_entry(stem), ..file.named() };
        let symbol_and_timeframe =
            intake.known(named.clone()).complete().map_err(|problem| refuse(problem.into()))?;
        let series = intake.series(named).map_err(|problem| refuse(problem.into()))?;
        let Some(series) = series else { return Ok(()) };
        if !intake.agree_on_prices(series, file.prices) {
            let (symbol, timeframe) = symbol_and_timeframe;
            return Err(IngestError::TwoPrices { symbol, timeframe });
        }
        intake.begin(input, label);
        let text_spec = TextSpec { header: Header::None, time: file.time_spec(), ..TextSpec::default() };
        let columns: &[&str] = match file.prices {
            LeanPrices::Trades => &TRADES,
            LeanPrices::Mids => &QUOTES,
        };
        let table = Table { spec: &text_spec, delimiter: b',', columns };
        table.read(text, label, series, intake, &|stamp, numbers| {
            Ok((file.open_time(stamp)?, file.values(numbers)))
        })?;
        if file.prices == LeanPrices::Mids {
            intake.without_volume.insert(series);
        }
        Ok(())
    })?;
    if found { Ok(()) } else { Err(refuse("it holds no .csv file".into())) }
}

impl LeanFile {
    pub(super) fn named(&self) -> Named {
        Named { symbol: Some(self.symbol.clone()), timeframe: Some(self.timeframe) }
    }

    /// Times as the reader of texts finds them: those since midnight as if midnight were that of 1970.
    fn time_spec(&self) -> TextTimeSpec {
        match (self.date, self.keeps_date()) {
            (Some(_), _) => {
                TextTimeSpec { format: TimeFormat::Epoch(EpochUnit::Milliseconds), ..TextTimeSpec::default() }
            }
            (None, true) => {
                TextTimeSpec { format: TimeFormat::Pattern(FULL_TIME.into()), ..TextTimeSpec::default() }
            }
            (None, false) => TextTimeSpec {
                format: TimeFormat::Pattern(FULL_TIME.into()),
                zone: self.zone.clone(),
                ..TextTimeSpec::default()
            },
        }
    }

    /// Does a bar carry the date of its session, whatever clock that is on?
    fn keeps_date(&self) -> bool {
        !self.timeframe.is_intraday() && self.has_sessions
    }

    /// The instant at which the bar stamped `stamp` opens.
    fn open_time(&self, stamp: Timestamp) -> Result<Timestamp, String> {
        let Some(date) = self.date else {
            let midnight = stamp.nanos() % crate::time::DAY == 0;
            return if midnight || !self.keeps_date() {
                Ok(stamp)
            } else {
                Err("is a daily bar that does not begin at midnight".into())
            };
        };
        let since_midnight = stamp.nanos();
        if !(0..crate::time::DAY).contains(&since_midnight) {
            return Err("has a time that is not within one day, in milliseconds since midnight".into());
        }
        let local = TimeZone::UTC.to_datetime(
            date.to_zoned(TimeZone::UTC)
                .map(|midnight| midnight.timestamp())
                .and_then(|midnight| midnight.checked_add(jiff::SignedDuration::from_nanos(since_midnight)))
                .map_err(|error| format!("has a time that cannot be: {error}"))?,
        );
        instant_of(local, &self.zone)
    }

    fn values(&self, numbers: &[f64]) -> [f64; 5] {
        let price = |value: f64| value / self.price_unit;
        match (numbers, self.prices) {
            (&[open, high, low, close, volume], LeanPrices::Trades) => {
                [price(open), price(high), price(low), price(close), volume]
            }
            (&[bid_open, bid_high, bid_low, bid_close, ask_open, ask_high, ask_low, ask_close], _) => {
                let mid = |bid: f64, ask: f64| price((bid + ask) / 2.0);
                [
                    mid(bid_open, ask_open),
                    mid(bid_high, ask_high),
                    mid(bid_low, ask_low),
                    mid(bid_close, ask_close),
                    0.0,
                ]
            }
            _ => [f64::NAN; 5],
        }
    }
}

/// The instant at which the clock of `zone` shows `local`, if it does so once.
fn instant_of(local: DateTime, zone: &Zone) -> Result<Timestamp, String> {
    let offset = match zone.time_zone().to_ambiguous_timestamp(local).offset() {
        AmbiguousOffset::Unambiguous { offset } => offset,
        AmbiguousOffset::Gap { .. } => {
            return Err(format!("is at {local}, which the clocks of {zone} skip when they are put forward"));
        }
        AmbiguousOffset::Fold { .. } => {
            return Err(format!(
                "is at {local}, which the clocks of {zone} show twice when they are put back"
            ));
        }
    };
    let nanos = offset.to_timestamp(local).map(jiff::Timestamp::as_nanosecond);
    let nanos = nanos.ok().and_then(|nanos| i64::try_from(nanos).ok());
    nanos
        .map(Timestamp::from_nanos)
        .ok_or_else(|| format!("is at {local}, outside of the years 1678 to 2262"))
}
