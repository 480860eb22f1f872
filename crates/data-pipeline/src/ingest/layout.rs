//! Which bars lie in which file: `timeframe=1h/symbol=BTCUSDT/2024.parquet`.

use std::fmt;
use std::path::PathBuf;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::spec::Symbol;
use crate::time::{MINUTE, Timeframe, Timestamp};

/// Bars of one symbol and one timeframe: a partition of the layout.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Series {
    pub(super) timeframe: Timeframe,
    pub(super) symbol: Symbol,
}

impl Series {
    /// Its folder below the layout's.
    pub(super) fn folder(&self) -> PathBuf {
        let symbol = percent_encoded(self.symbol.as_str());
        PathBuf::from(format!("timeframe={}", self.timeframe)).join(format!("symbol={symbol}"))
    }
}

impl fmt::Display for Series {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.symbol, self.timeframe)
    }
}

/// A symbol as a folder can be called, whatever it is made of.
pub(super) fn percent_encoded(symbol: &str) -> String {
    let mut name = String::with_capacity(symbol.len());
    for byte in symbol.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.".contains(&byte) {
            name.push(char::from(byte));
        } else {
            name.push_str(&format!("%{byte:02X}"));
        }
    }
    name
}

/// The reverse of [`percent_encoded`]; `None` where it is not that.
pub(super) fn percent_decoded(name: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        if byte == b'%' {
            let digits = str::from_utf8(after.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &after[2..];
        } else {
            bytes.push(byte);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok()
}

/// The stretch of time whose bars share a file: a year (UTC) of bars of a minute or longer, a month of shorter ones, so
/// that a file holds at most 2.7 million bars of a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Period {
    year: i16,
    /// None for the whole year.
    month: Option<i8>,
}

impl Period {
    /// The period of bars of `timeframe` that open at `time`.
    pub(super) fn of(timeframe: Timeframe, time: Timestamp) -> Self {
        let instant = jiff::Timestamp::from_nanosecond(i128::from(time.nanos())).unwrap_or_default();
        let date = TimeZone::UTC.to_datetime(instant).date();
        Self { year: date.year(), month: (timeframe.nanos() < MINUTE).then(|| date.month()) }
    }

    /// The first instant after it.
    pub(super) fn end(self) -> Timestamp {
        let (year, month) = match self.month {
            None | Some(12) => (self.year + 1, 1),
            Some(month) => (self.year, month + 1),
        };
        let first = Date::new(year, month, 1).and_then(|date| date.to_zoned(TimeZone::UTC));
        let nanos = first.map_or(i128::MAX, |first| first.timestamp().as_nanosecond());
        i64::try_from(nanos).map_or(Timestamp::MAX, Timestamp::from_nanos)
    }

    /// The name of its file.
    pub(super) fn file_name(self) -> String {
        match self.month {
            None => format!("{:04}.parquet", self.year),
            Some(month) => format!("{:04}-{month:02}.parquet", self.year),
        }
    }

    /// The period whose file has this name.
    pub(super) fn from_file_name(name: &str) -> Option<Self> {
        let stem = name.strip_suffix(".parquet")?;
        let period = match stem.split_once('-') {
            None => Self { year: stem.parse().ok()?, month: None },
            Some((year, month)) => Self { year: year.parse().ok()?, month: Some(month.parse().ok()?) },
        };
        (period.file_name() == name).then_some(period)
    }
}

/// Where `times`, which are sorted, pass from one period to the next: each period with its rows.
pub(super) fn periods(timeframe: Timeframe, times: &[Timestamp]) -> Vec<(Period, std::ops::Range<usize>)> {
    let mut found = Vec::new();
    let mut start = 0;
    while let Some(&time) = times.get(start) {
        let period = Period::of(timeframe, time);
        let end = start + times[start..].partition_point(|&time| time < period.end());
        found.push((period, start..end));
        start = end;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_year_ends_where_the_next_begins() {
        let hour: Timeframe = "1h".parse().unwrap();
        let times = ["2023-12-31T22:00:00Z", "2023-12-31T23:00:00Z", "2024-01-01T00:00:00Z"].map(at);
        let found = periods(hour, &times);
        let names: Vec<_> = found.iter().map(|(period, rows)| (period.file_name(), rows.clone())).collect();
        assert_eq!(names, [("2023.parquet".into(), 0..2), ("2024.parquet".into(), 2..3)]);
    }

    #[test]
    fn bars_below_a_minute_are_filed_by_month() {
        let second: Timeframe = "1s".parse().unwrap();
        let period = Period::of(second, at("2023-12-31T23:59:59Z"));
        assert_eq!(
            (period.file_name().as_str(), period.end()),
            ("2023-12.parquet", at("2024-01-01T00:00:00Z"))
        );
        assert_eq!(Period::from_file_name("2023-12.parquet"), Some(period));
        for name in ["2023-13x.parquet", "23.parquet", "BTCUSDT.parquet", "2023-1.parquet", "2023.csv"] {
            assert_eq!(Period::from_file_name(name), None, "{name}");
        }
    }

    #[test]
    fn any_symbol_can_be_a_folder() {
        for symbol in ["BTCUSDT", "BRK.B", "BTC/USDT:USDT", "..", "^GSPC", "日経", "100%"] {
            let name = percent_encoded(symbol);
            assert!(
                name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.%".contains(&byte)),
                "{name}"
            );
            assert_eq!(percent_decoded(&name).as_deref(), Some(symbol));
        }
        assert_eq!(percent_decoded("a%2"), None);
    }
}
