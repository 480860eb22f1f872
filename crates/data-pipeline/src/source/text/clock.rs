//! Times in a text as instants.

use jiff::civil::{DateTime, Time};
use jiff::fmt::strtime;
use jiff::fmt::temporal::Pieces;
use jiff::tz::AmbiguousOffset;

use crate::source::stamp::{Plausible, instant};
use crate::spec::{Ambiguous, EpochUnit, Stamp, TextTimeSpec, TimeFormat};
use crate::time::Timestamp;

/// Reads the times of one file, row after row.
#[derive(Debug)]
pub(super) struct Clock<'a> {
    spec: &'a TextTimeSpec,
    stamp: Stamp,
    plausible: Plausible,
    /// The first line with a time, and whether that carried an offset of its own.
    first: Option<(u64, bool)>,
}

/// An instant, and whether its local time occurs twice.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    pub(super) instant: Timestamp,
    pub(super) ambiguous: bool,
}

/// What a cell says before it is known where its clock stands.
#[derive(Clone, Copy, Debug)]
enum Written {
    Instant(jiff::Timestamp),
    Local(DateTime),
}

impl<'a> Clock<'a> {
    pub(super) fn new(spec: &'a TextTimeSpec, stamp: Stamp) -> Self {
        Self { spec, stamp, plausible: Plausible::default(), first: None }
    }

    /// The instant that `text` in line `line` names.
    ///
    /// # Errors
    /// What is wrong with it and what to do, as a verb phrase.
    pub(super) fn read(&mut self, text: &str, line: u64) -> Result<Reading, String> {
        if text.is_empty() {
            return Err("is empty; a bar needs a time, so fill the cell or remove the row".into());
        }
        let (reading, unit) = match &self.spec.format {
            TimeFormat::Epoch(unit) => {
                let instant = instant(whole_number(text, *unit)?, *unit)?;
                (Reading { instant, ambiguous: false }, Some(*unit))
            }
            TimeFormat::Iso => (self.place(iso(text, self.stamp)?, line)?, None),
            TimeFormat::Pattern(pattern) => (self.place(by_pattern(text, pattern, self.stamp)?, line)?, None),
        };
        self.plausible.check(reading.instant, unit)?;
        Ok(reading)
    }

    fn place(&mut self, written: Written, line: u64) -> Result<Reading, String> {
        let own = matches!(written, Written::Instant(_));
        match *self.first.get_or_insert((line, own)) {
            (first, false) if own => {
                return Err(format!(
                    "has an offset of its own, and the time in line {first} has none; write all with one or all without"
                ));
            }
            (first, true) if !own => {
                return Err(format!(
                    "has no offset, and the time in line {first} has one; write all with one or all without"
                ));
            }
            _ => {}
        }
        match written {
            Written::Instant(instant) => Ok(Reading { instant: nanoseconds(instant)?, ambiguous: false }),
            Written::Local(local) => self.local(local),
        }
    }

    fn local(&self, local: DateTime) -> Result<Reading, String> {
        let zone = &self.spec.zone;
        let (offset, ambiguous) = match zone.time_zone().to_ambiguous_timestamp(local).offset() {
            AmbiguousOffset::Unambiguous { offset } => (offset, false),
            AmbiguousOffset::Gap { .. } => {
                return Err(format!(
                    "is skipped by the clocks of {zone}, which are put forward then; is data.source.text.time.zone right?"
                ));
            }
            AmbiguousOffset::Fold { before, after } => match self.spec.ambiguous {
                Ambiguous::Earlier => (before, true),
                Ambiguous::Later => (after, true),
                Ambiguous::Refuse => {
                    return Err(format!(
                        "is shown twice by the clocks of {zone}, which are put back then; data.source.text.time.ambiguous: \
                         earlier or later says which to take"
                    ));
                }
            },
        };
        let instant = offset.to_timestamp(local).map_err(|_| OUTSIDE.to_owned())?;
        Ok(Reading { instant: nanoseconds(instant)?, ambiguous })
    }
}

const OUTSIDE: &str = "lies outside of the years 1900 to 2200";

fn nanoseconds(instant: jiff::Timestamp) -> Result<Timestamp, String> {
    i64::try_from(instant.as_nanosecond()).map(Timestamp::from_nanos).map_err(|_| OUTSIDE.into())
}

fn whole_number(text: &str, unit: EpochUnit) -> Result<i64, String> {
    let word = unit.word();
    text.parse().map_err(|_| {
        let hint = meant(text).filter(|meant| meant != word);
        let hint = hint.map_or_else(String::new, |meant| {
            format!("; data.source.text.time.format: {meant} would read it")
        });
        format!(
            "is not a whole number of {}, which data.source.text.time.format: {word} says{hint}",
            unit.name()
        )
    })
}

fn iso(text: &str, stamp: Stamp) -> Result<Written, String> {
    let problem = || {
        let hint = meant(text).map_or_else(
            || "if it is written otherwise, data.source.text.time.format says how".to_owned(),
            |meant| format!("data.source.text.time.format: {meant} would read it"),
        );
        format!("is no time as ISO 8601 writes it, such as 2024-01-31T09:30:00; {hint}")
    };
    let pieces = Pieces::parse(text).map_err(|_| problem())?;
    if pieces.time_zone_annotation().is_some() {
        return Err("names its time zone in brackets, which is not read; write an offset, or set data.source.text.time.zone".into());
    }
    let local = pieces.date().to_datetime(time_of_day(pieces.time(), stamp)?);
    match pieces.to_numeric_offset() {
        None => Ok(Written::Local(local)),
        Some(offset) => offset.to_timestamp(local).map(Written::Instant).map_err(|_| OUTSIDE.into()),
    }
}

fn by_pattern(text: &str, pattern: &str, stamp: Stamp) -> Result<Written, String> {
    let read = strtime::parse(pattern, text);
    let read =
        read.map_err(|error| format!("is not written as {pattern}, data.source.text.time.format: {error}"))?;
    if read.offset().is_some() || read.timestamp().is_some() {
        return read.to_timestamp().map(Written::Instant).map_err(|error| format!("is no time: {error}"));
    }
    let date = read.to_date().map_err(|error| format!("is no date: {error}"))?;
    let time = match read.hour() {
        None => None,
        Some(_) => Some(read.to_time().map_err(|error| format!("is no time of day: {error}"))?),
    };
    Ok(Written::Local(date.to_datetime(time_of_day(time, stamp)?)))
}

/// A date without a time of day begins at midnight, and does not say when its bar closed.
fn time_of_day(time: Option<Time>, stamp: Stamp) -> Result<Time, String> {
    match (time, stamp) {
        (Some(time), _) => Ok(time),
        (None, Stamp::Open) => Ok(Time::midnight()),
        (None, Stamp::Close) => Err(
            "is a date, which does not say when its bar closed; with data.source.stamp: open it counts as \
             closed 24 h after it begins"
                .into(),
        ),
    }
}

/// Patterns that vendors use. Month and day in either order are not among them: only a person knows which it is.
const USUAL_PATTERNS: [&str; 7] = [
    "%Y%m%d%H%M%S",
    "%Y%m%d%H%M",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%Y.%m.%d %H:%M:%S",
    "%Y.%m.%d %H:%M",
    "%Y-%m-%d %H:%M:%S %z",
];

/// The format in which `text` is probably written.
fn meant(text: &str) -> Option<String> {
    if Pieces::parse(text).is_ok() {
        return Some("iso".into());
    }
    let is_whole = text.bytes().all(|byte| byte.is_ascii_digit());
    let unit = match (is_whole, text.len()) {
        (true, 9..=10) => Some(EpochUnit::Seconds),
        (true, 12..=13) => Some(EpochUnit::Milliseconds),
        (true, 15..=16) => Some(EpochUnit::Microseconds),
        (true, 18..=19) => Some(EpochUnit::Nanoseconds),
        _ => None,
    };
    if let Some(unit) = unit {
        return Some(unit.word().into());
    }
    let pattern = USUAL_PATTERNS.into_iter().find(|pattern| strtime::parse(pattern, text).is_ok())?;
    Some(format!("\"{pattern}\""))
}
