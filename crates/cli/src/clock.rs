//! The time, read here and nowhere below.

/// Now, RFC 3339 in UTC, to the microsecond.
pub(crate) fn now() -> String {
    let now = jiff::Timestamp::now();
    now.round(jiff::Unit::Microsecond).unwrap_or(now).to_string()
}
