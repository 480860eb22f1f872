//! Times as databases write them.

#[cfg(test)]
mod tests;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::Timestamp;

/// The time that `text` of the column `name` says, UTC where it does not say another zone.
pub(crate) fn read_time(text: &str, name: &str) -> Result<Timestamp, String> {
    let zoned = || text.parse::<jiff::Timestamp>();
    let plain = || text.parse::<DateTime>()?.to_zoned(TimeZone::UTC).map(|zoned| zoned.timestamp());
    match zoned().or_else(|_| plain()) {
        Ok(time) => Ok(Timestamp(time.as_microsecond())),
        Err(_) => Err(format!("{name} is {text:?}: write YYYY-MM-DD HH:MM:SS.ffffff, or NULL")),
    }
}
