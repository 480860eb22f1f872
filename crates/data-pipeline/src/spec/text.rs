//! How a text with bars is written: `data.source.text`.

use std::fmt;
use std::str::FromStr;

use jiff::civil::{DateTime, datetime};
use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::time::{SECOND, written_as_text};
use crate::zone::Zone;

/// How CSV and TSV files are written. One row is one line; spaces around a cell do not count; a quoted cell may hold the
/// delimiter. An empty cell and the word `nan` are no number, which the audit reports.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TextSpec {
    /// The character between two cells; a comma in csv and a tab in tsv if it is not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<char>,
    /// What the first line holds.
    pub header: Header,
    /// What stands before the decimals of a number.
    pub decimal: DecimalMark,
    /// How times are written.
    pub time: TextTimeSpec,
}

/// What the first line of a text holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Header {
    /// The names of the columns.
    #[default]
    Names,
    /// Bars already. Columns are called by their place: 1, 2, 3 and so on.
    None,
    /// Something to pass over. Columns are called by their place: 1, 2, 3 and so on.
    Ignored,
}

/// What stands before the decimals of a number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DecimalMark {
    /// 1.5
    #[default]
    Point,
    /// 1,5
    Comma,
}

/// How the times of a text are written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TextTimeSpec {
    /// `iso`; or `s`, `ms`, `us`, `ns`, whole numbers since 1970; or a pattern such as `%Y%m%d %H%M%S`.
    pub format: TimeFormat,
    /// Whose clock the times show that carry no offset of their own: UTC, America/New_York, -05:00.
    pub zone: Zone,
    /// What to make of a time that this clock shows twice, when daylight saving ends.
    pub ambiguous: Ambiguous,
}

/// What to make of a local time that occurs twice. One that does not occur at all is always an error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ambiguous {
    /// End the run and say which row.
    #[default]
    Refuse,
    /// Take the first of the two instants; the audit counts how often.
    Earlier,
    /// Take the second of the two instants; the audit counts how often.
    Later,
}

/// How a time is written in a text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum TimeFormat {
    /// ISO 8601: a date, or a date and a time of day, with or without an offset such as `Z` or `+02:00`.
    #[default]
    Iso,
    /// A whole number of these units since 1970-01-01T00:00:00Z.
    Epoch(EpochUnit),
    /// A pattern of `strptime`, such as `%Y%m%d %H%M%S`, of which it is known that it names a date.
    Pattern(String),
}

/// The unit of a time that is a whole number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EpochUnit {
    /// Seconds.
    Seconds,
    /// Milliseconds.
    Milliseconds,
    /// Microseconds.
    Microseconds,
    /// Nanoseconds.
    Nanoseconds,
}

impl EpochUnit {
    /// Every unit, the longest first.
    pub const ALL: [Self; 4] = [Self::Seconds, Self::Milliseconds, Self::Microseconds, Self::Nanoseconds];

    /// Its word in a configuration.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Seconds => "s",
            Self::Milliseconds => "ms",
            Self::Microseconds => "us",
            Self::Nanoseconds => "ns",
        }
    }

    /// Its name in the plural.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Seconds => "seconds",
            Self::Milliseconds => "milliseconds",
            Self::Microseconds => "microseconds",
            Self::Nanoseconds => "nanoseconds",
        }
    }

    /// Nanoseconds in one of it.
    #[must_use]
    pub const fn nanos(self) -> i64 {
        match self {
            Self::Seconds => SECOND,
            Self::Milliseconds => SECOND / 1_000,
            Self::Microseconds => SECOND / 1_000_000,
            Self::Nanoseconds => 1,
        }
    }
}

impl fmt::Display for TimeFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Iso => "iso",
            Self::Epoch(unit) => unit.word(),
            Self::Pattern(pattern) => pattern,
        })
    }
}

/// A word that does not say how a time is written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimeFormatError {
    /// Neither a word that is known nor a pattern.
    #[error("{found:?} is not iso, s, ms, us, ns or a pattern such as %Y%m%d %H%M%S")]
    Unknown {
        /// What was written.
        found: String,
    },
    /// A pattern that cannot be read back.
    #[error("{found:?} is no pattern that gives a date and a time of day: {problem}")]
    Pattern {
        /// What was written.
        found: String,
        /// What is wrong with it.
        problem: String,
    },
}

impl FromStr for TimeFormat {
    type Err = TimeFormatError;

    fn from_str(text: &str) -> Result<Self, TimeFormatError> {
        if text == "iso" {
            return Ok(Self::Iso);
        }
        if let Some(unit) = EpochUnit::ALL.into_iter().find(|unit| unit.word() == text) {
            return Ok(Self::Epoch(unit));
        }
        if !text.contains('%') {
            return Err(TimeFormatError::Unknown { found: text.into() });
        }
        match unreadable(text) {
            None => Ok(Self::Pattern(text.into())),
            Some(problem) => Err(TimeFormatError::Pattern { found: text.into(), problem }),
        }
    }
}

written_as_text!(TimeFormat, "TimeFormat", "iso");

/// An instant at which no two of its numbers are alike, in the afternoon.
const TRIAL: DateTime = datetime(2013, 11, 5, 14, 27, 39, 0);

/// Why what `pattern` writes cannot be read again by it.
fn unreadable(pattern: &str) -> Option<String> {
    let Ok(trial) = TRIAL.to_zoned(TimeZone::UTC) else { return None };
    let written = match strtime::format(pattern, &trial) {
        Ok(written) => written,
        Err(error) => return Some(error.to_string()),
    };
    let read = match strtime::parse(pattern, &written) {
        Ok(read) => read,
        Err(error) => return Some(format!("it cannot read {written:?}, which it wrote itself: {error}")),
    };
    if read.iana_time_zone().is_some() {
        return Some(
            "the name of a zone in a cell (%Q) is not read; data.source.text.time.zone names it".into(),
        );
    }
    if let Ok(instant) = read.to_timestamp() {
        let off = instant.duration_since(trial.timestamp()).as_secs().abs();
        return (off > 0 && read.hour().is_none_or(|hour| hour != TRIAL.hour()))
            .then(|| "it loses the time of day".into());
    }
    if read.to_date().ok() != Some(TRIAL.date()) {
        return Some("it needs a year, a month and a day".into());
    }
    match read.hour() {
        Some(hour) if hour != TRIAL.hour() => Some("%I needs %p beside it; 24 hours are %H".into()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_survive_a_round_trip() {
        for text in [
            "iso",
            "s",
            "ms",
            "us",
            "ns",
            "%Y%m%d %H%M%S",
            "%d.%m.%Y",
            "%Y-%m-%d %H:%M:%S%.f %z",
            "%s",
            "%m/%d/%y %I:%M %p",
        ] {
            assert_eq!(text.parse::<TimeFormat>().map(|format| format.to_string()).as_deref(), Ok(text));
        }
    }

    #[test]
    fn patterns_that_lose_the_time_are_refused() {
        for text in [
            "",
            "ISO",
            "sec",
            "yyyy-MM-dd",
            "%H:%M",
            "%Y-%m",
            "%Y-%m-%d %I:%M",
            "%Y-%m-%d %Z",
            "%Y-%m-%d %H:%M %Q",
            "%Y %q",
            "%",
        ] {
            assert!(text.parse::<TimeFormat>().is_err(), "{text:?} was taken for a format");
        }
    }
}
