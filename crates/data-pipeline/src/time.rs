//! Instants, spans and timeframes. Everything is UTC and counted in nanoseconds; nothing here reads a clock.

use std::fmt;
use std::str::FromStr;

/// Nanoseconds in a second.
pub(crate) const SECOND: i64 = 1_000_000_000;
/// Nanoseconds in a minute.
pub(crate) const MINUTE: i64 = 60 * SECOND;
/// Nanoseconds in an hour.
pub(crate) const HOUR: i64 = 60 * MINUTE;
/// Nanoseconds in a day of 24 hours.
pub(crate) const DAY: i64 = 24 * HOUR;

/// An instant: nanoseconds since 1970-01-01T00:00:00Z. Written as RFC 3339.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The earliest instant that can be written.
    pub const MIN: Self = Self(i64::MIN);
    /// The latest instant that can be written.
    pub const MAX: Self = Self(i64::MAX);

    /// The instant `nanos` nanoseconds after the epoch.
    #[must_use]
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the epoch.
    #[must_use]
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// The day it is in, UTC.
    pub(crate) fn date(self) -> jiff::civil::Date {
        // jiff counts from the year -9999; 64 bits of nanoseconds begin in 1677.
        let instant = jiff::Timestamp::from_nanosecond(i128::from(self.0)).unwrap_or_default();
        jiff::tz::Offset::UTC.to_datetime(instant).date()
    }

    /// This instant moved by `span`; saturates at the ends of time.
    #[must_use]
    pub const fn plus(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }

    /// How much later this instant is than `earlier` (negative when it is not).
    #[must_use]
    pub const fn since(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }

    /// The instant one bar of `timeframe` earlier.
    pub(crate) const fn one_bar_before(self, timeframe: Timeframe) -> Self {
        Self(self.0.saturating_sub(timeframe.nanos()))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_nanosecond(i128::from(self.0)) {
            Ok(instant) => write!(f, "{instant}"),
            Err(_) => write!(f, "{} ns", self.0),
        }
    }
}

/// A word that is not a time, a span or a timeframe.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} is not {expected}")]
pub struct TimeError {
    found: String,
    expected: &'static str,
}

impl FromStr for Timestamp {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        let error =
            || TimeError { found: text.into(), expected: "an RFC 3339 instant such as 2024-01-31T00:00:00Z" };
        let instant: jiff::Timestamp = text.parse().map_err(|_| error())?;
        i64::try_from(instant.as_nanosecond()).map(Self).map_err(|_| error())
    }
}

/// A length of time. Written as a whole number and a unit: `0s`, `500ms`, `3h`, `4d`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(i64);

const UNITS: [(&str, i64); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("ms", 1_000_000),
    ("s", SECOND),
    ("m", MINUTE),
    ("h", HOUR),
    ("d", DAY),
    ("w", 7 * DAY),
];

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// A span of `nanos` nanoseconds.
    #[must_use]
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// Its length in nanoseconds.
    #[must_use]
    pub const fn nanos(self) -> i64 {
        self.0
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("0s");
        }
        let (unit, nanos) =
            UNITS[..7].iter().rev().find(|(_, nanos)| self.0 % nanos == 0).copied().unwrap_or(("ns", 1));
        write!(f, "{}{unit}", self.0 / nanos)
    }
}

impl FromStr for Span {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        let error = || TimeError {
            found: text.into(),
            expected: "a span such as 0s, 500ms, 90s, 5m, 3h, 1d or 1w (a whole number and a unit)",
        };
        let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let nanos =
            UNITS.iter().find(|(name, _)| *name == unit).map(|(_, nanos)| *nanos).ok_or_else(error)?;
        let number: i64 = number.parse().map_err(|_| error())?;
        number.checked_mul(nanos).map(Self).ok_or_else(error)
    }
}

/// The length of a bar: a fixed intraday span, a day or a week. Written `1m`, `5m`, `1h`, `1d`, `1w`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timeframe(i64);

impl Timeframe {
    /// One day.
    pub const DAY: Self = Self(DAY);

    /// A timeframe of `span`; `None` unless it is positive and divides, or is a multiple of, one day.
    #[must_use]
    pub const fn from_span(span: Span) -> Option<Self> {
        let nanos = span.0;
        if nanos > 0 && (DAY % nanos == 0 || nanos % DAY == 0) { Some(Self(nanos)) } else { None }
    }

    /// The time between two opens of this timeframe.
    #[must_use]
    pub const fn span(self) -> Span {
        Span(self.0)
    }

    /// Its length in nanoseconds.
    #[must_use]
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// True for bars shorter than a day, whose close is their open plus their length.
    #[must_use]
    pub const fn is_intraday(self) -> bool {
        self.0 < DAY
    }
}

impl fmt::Display for Timeframe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.span().fmt(f)
    }
}

impl FromStr for Timeframe {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        let error = || TimeError {
            found: text.into(),
            expected: "a timeframe such as 1m, 5m, 1h, 4h or 1d (it divides a day, or is whole days)",
        };
        text.parse::<Span>().ok().and_then(Self::from_span).ok_or_else(error)
    }
}

/// Serde and schema by way of `Display` and `FromStr`.
macro_rules! written_as_text {
    ($type:ty, $name:literal, $example:literal) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                $name.into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "examples": [$example] })
            }
        }
    };
}

pub(crate) use written_as_text;

written_as_text!(Timestamp, "Timestamp", "2024-01-31T00:00:00Z");
written_as_text!(Span, "Span", "3h");
written_as_text!(Timeframe, "Timeframe", "5m");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_and_timeframes_survive_a_round_trip() {
        for text in ["0s", "1ns", "500ms", "90s", "5m", "3h", "4d"] {
            assert_eq!(text.parse::<Span>().unwrap().to_string(), text);
        }
        assert_eq!("60m".parse::<Timeframe>().unwrap().to_string(), "1h");
        for text in ["", "5", "m", "-5m", "5x", "0m", "7m", "5 m", "99999999999999999999s"] {
            assert!(text.parse::<Timeframe>().is_err(), "{text:?} was taken for a timeframe");
        }
    }

    #[test]
    fn instants_are_written_as_rfc_3339() {
        let text = "2024-03-24T12:35:00Z";
        assert_eq!(text.parse::<Timestamp>().unwrap().to_string(), text);
    }
}
