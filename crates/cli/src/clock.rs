//! The time, read here and nowhere below.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// Now, RFC 3339 in UTC, to the microsecond.
pub(crate) fn now() -> String {
    let now = jiff::Timestamp::now();
    now.round(jiff::Unit::Microsecond).unwrap_or(now).to_string()
}

/// The time since it was first asked for.
pub(crate) fn running() -> Duration {
    static BEGAN: OnceLock<Instant> = OnceLock::new();
    BEGAN.get_or_init(Instant::now).elapsed()
}
