//! Time zones by name. The database is part of the program, so that a name means the same on every machine.

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use jiff::tz::{Offset, TimeZone, TimeZoneDatabase};

use crate::nearest::by_similarity;
use crate::time::written_as_text;

static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// How many names are offered instead of one that is not known.
const OFFERED: usize = 3;

/// A clock on a wall: a zone of the IANA database such as `America/New_York`, or a fixed offset such as `-05:00`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    name: String,
    zone: TimeZone,
}

impl Zone {
    /// Coordinated universal time.
    #[must_use]
    pub fn utc() -> Self {
        Self { name: "UTC".into(), zone: TimeZone::UTC }
    }

    /// A clock that is `hours` ahead of UTC, all year.
    pub(crate) fn fixed(hours: i8) -> Self {
        Self { name: format!("{hours:+03}:00"), zone: TimeZone::fixed(jiff::tz::offset(hours)) }
    }

    pub(crate) const fn time_zone(&self) -> &TimeZone {
        &self.zone
    }
}

impl Default for Zone {
    fn default() -> Self {
        Self::utc()
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// A word that names no zone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} is no time zone; write UTC, an offset such as -05:00, or a name such as {}", .nearest.join(", "))]
pub struct ZoneError {
    found: String,
    nearest: Vec<String>,
}

impl FromStr for Zone {
    type Err = ZoneError;

    fn from_str(text: &str) -> Result<Self, ZoneError> {
        let zone = if text.starts_with(['+', '-']) { offset(text) } else { ZONES.get(text).ok() };
        if let Some(zone) = zone {
            let name = zone.iana_name().unwrap_or(text).to_owned();
            return Ok(Self { name, zone });
        }
        let mut nearest = by_similarity(text, ZONES.available().map(|name| name.to_string()));
        nearest.truncate(OFFERED);
        Err(ZoneError { found: text.into(), nearest })
    }
}

/// `-05:00`, `-0500` or `-05`.
fn offset(text: &str) -> Option<TimeZone> {
    let (sign, digits) = match text.split_at_checked(1)? {
        ("-", digits) => (-1, digits),
        (_, digits) => (1, digits),
    };
    let digits = match digits.as_bytes() {
        [_, _] | [_, _, _, _] => digits.to_owned(),
        [_, _, b':', _, _] => digits.replace(':', ""),
        _ => return None,
    };
    if !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let number = |digits: &str| digits.parse::<i32>().ok();
    let (hours, minutes) =
        (number(&digits[..2])?, number(digits.get(2..).filter(|rest| !rest.is_empty()).unwrap_or("0"))?);
    // The widest offsets in use are -12:00 and +14:00.
    if minutes >= 60 || hours * 60 + minutes > 14 * 60 {
        return None;
    }
    Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok().map(TimeZone::fixed)
}

written_as_text!(Zone, "Zone", "America/New_York");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_offsets_survive_a_round_trip() {
        for text in ["UTC", "America/New_York", "Europe/Berlin", "-05:00", "+0530", "+09", "EST"] {
            assert_eq!(text.parse::<Zone>().map(|zone| zone.to_string()).as_deref(), Ok(text));
        }
        assert_eq!("america/new_york".parse::<Zone>().unwrap().to_string(), "America/New_York");
    }

    #[test]
    fn what_is_no_zone_is_met_with_its_neighbours() {
        let said = "America/NewYork".parse::<Zone>().unwrap_err().to_string();
        assert!(said.contains("America/New_York"), "{said}");
        for text in ["", "+", "-5", "+24:00", "-05:61", "+5:30", "New York", "+0a:00", "-é1:0"] {
            assert!(text.parse::<Zone>().is_err(), "{text:?} was taken for a zone");
        }
    }
}
