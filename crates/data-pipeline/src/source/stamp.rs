//! Whether an instant can be that of a bar. A unit that is wrong by a thousand is found here.

use crate::spec::EpochUnit;
use crate::time::{DAY, Span, Timestamp};

/// 1900-01-01: before it there are no bars worth the name.
const EARLIEST: i64 = -25_567 * DAY;
/// 2200-01-01: after it there are none yet.
const LATEST: i64 = 84_006 * DAY;
/// 1990-01-01 to 2100-01-01: when most bars are from, so that a unit which leads there was probably meant.
const USUAL: std::ops::Range<i64> = 7_305 * DAY..47_482 * DAY;
/// 1971-01-01: a count that is taken for one of a smaller unit lands before it.
const AFTER_THE_FIRST_YEAR: i64 = 365 * DAY;
/// Bars that really are from early in 1970 follow on others, no further away than this.
const FOLLOWS: Span = Span::from_nanos(31 * DAY);

/// The instant `count` units after 1970.
///
/// # Errors
/// An instant that cannot be written, as a verb phrase.
pub(crate) fn instant(count: i64, unit: EpochUnit) -> Result<Timestamp, String> {
    let instant = count.checked_mul(unit.nanos()).map(Timestamp::from_nanos);
    instant.ok_or_else(|| format!("lies outside of the years 1900 to 2200{}", other_unit(count, unit)))
}

/// Looks at the instants of one file in the order of its rows.
#[derive(Debug, Default)]
pub(crate) struct Plausible {
    before: Option<Timestamp>,
}

impl Plausible {
    /// Takes note of the next instant; `unit` where it was a whole number of these.
    ///
    /// # Errors
    /// Why no bar has it, as a verb phrase.
    pub(crate) fn check(&mut self, instant: Timestamp, unit: Option<EpochUnit>) -> Result<(), String> {
        let before = self.before.replace(instant);
        let nanos = instant.nanos();
        let meant = || unit.map(|unit| other_unit(nanos / unit.nanos(), unit)).unwrap_or_default();
        if !(EARLIEST..LATEST).contains(&nanos) {
            return Err(format!("is {instant}, outside of the years 1900 to 2200{}", meant()));
        }
        if (0..AFTER_THE_FIRST_YEAR).contains(&nanos) {
            let follows = before
                .is_some_and(|before| instant.since(before) <= FOLLOWS && before.since(instant) <= FOLLOWS);
            let meant = meant();
            if !follows && !meant.is_empty() {
                return Err(format!("is {instant}{meant}"));
            }
        }
        Ok(())
    }
}

/// What `count` would mean in another unit, where that is a usual time.
fn other_unit(count: i64, unit: EpochUnit) -> String {
    let others = EpochUnit::ALL.into_iter().filter(|other| *other != unit);
    let mut usual = others.filter_map(|other| {
        let instant = count.checked_mul(other.nanos()).filter(|nanos| USUAL.contains(nanos))?;
        Some((other, Timestamp::from_nanos(instant)))
    });
    match usual.next() {
        None => String::new(),
        Some((other, instant)) => {
            format!(" if it counts {}; if it counts {}, it is {instant}", unit.name(), other.name())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2024-01-01T00:00:00Z in seconds.
    const SECONDS: i64 = 1_704_067_200;

    fn check(count: i64, unit: EpochUnit) -> Result<(), String> {
        Plausible::default().check(instant(count, unit)?, Some(unit))
    }

    #[test]
    fn the_bounds_are_the_years_they_are_named_for() {
        for (nanos, written) in [
            (EARLIEST, "1900-01-01T00:00:00Z"),
            (LATEST, "2200-01-01T00:00:00Z"),
            (USUAL.start, "1990-01-01T00:00:00Z"),
            (USUAL.end, "2100-01-01T00:00:00Z"),
            (AFTER_THE_FIRST_YEAR, "1971-01-01T00:00:00Z"),
        ] {
            assert_eq!(Timestamp::from_nanos(nanos).to_string(), written);
        }
    }

    #[test]
    fn every_mistaken_unit_is_found_and_the_right_one_named() {
        for (right, count) in
            EpochUnit::ALL.into_iter().zip([1, 1_000, 1_000_000, 1_000_000_000].map(|scale| SECONDS * scale))
        {
            for taken in EpochUnit::ALL {
                let found = check(count, taken);
                if taken == right {
                    assert_eq!(found, Ok(()));
                } else {
                    let said = found.unwrap_err();
                    assert!(
                        said.ends_with(&format!("if it counts {}, it is 2024-01-01T00:00:00Z", right.name())),
                        "{said}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_history_that_runs_through_1970_is_left_alone() {
        let mut plausible = Plausible::default();
        for day in -400..800 {
            plausible.check(Timestamp::from_nanos(day * DAY), Some(EpochUnit::Milliseconds)).unwrap();
        }
        assert!(plausible.check(Timestamp::from_nanos(19 * DAY), Some(EpochUnit::Milliseconds)).is_err());
    }
}
