//! The time, read here and nowhere below.

use std::time::{Duration, Instant};

/// Now, RFC 3339 in UTC, to the microsecond.
pub(crate) fn now() -> String {
    let now = jiff::Timestamp::now();
    now.round(jiff::Unit::Microsecond).unwrap_or(now).to_string()
}

/// A clock that was started now.
pub(crate) fn stopwatch() -> impl Fn() -> Duration {
    let begin = Instant::now();
    move || begin.elapsed()
}
