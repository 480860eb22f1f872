//! How long to wait before the next try.

use std::time::Duration;

/// Doubling waits with jitter, so that the runs of a cluster do not come back to a server all at once.
#[derive(Clone, Debug)]
pub(crate) struct Backoff {
    first: Duration,
    most: Duration,
    seed: u64,
    failures: u32,
}

impl Backoff {
    pub(crate) const fn new(first: Duration, most: Duration, seed: u64) -> Self {
        Self { first, most, seed, failures: 0 }
    }

    /// Failures since the last success.
    pub(crate) const fn failures(&self) -> u32 {
        self.failures
    }

    pub(crate) const fn succeeded(&mut self) {
        self.failures = 0;
    }

    /// The wait after one more failure: between a half and the whole of the first wait, doubled with each failure up to
    /// the longest; never shorter than what was `asked` for, up to the longest.
    pub(crate) fn failed(&mut self, asked: Option<Duration>) -> Duration {
        let doubled = self.first.saturating_mul(1_u32.checked_shl(self.failures).unwrap_or(u32::MAX));
        self.failures = self.failures.saturating_add(1);
        let share = 0.5 + 0.5 * unit(self.seed ^ u64::from(self.failures));
        let wait = doubled.min(self.most).mul_f64(share);
        asked.map_or(wait, |asked| wait.max(asked.min(self.most)))
    }
}

/// A number in [0, 1) from the output function of SplitMix64 (Steele, Lea and Flood 2014).
fn unit(seed: u64) -> f64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn waits_double_up_to_the_longest_and_begin_again_after_a_success() {
        let mut backoff = Backoff::new(SECOND, 60 * SECOND, 7);
        for doubled in [1, 2, 4, 8, 16, 32, 60, 60].into_iter().chain(std::iter::repeat_n(60, 100)) {
            let wait = backoff.failed(None);
            assert!(wait >= doubled * SECOND / 2 && wait <= doubled * SECOND, "{wait:?} for {doubled} s");
        }
        backoff.succeeded();
        assert!(backoff.failed(None) <= SECOND);
    }

    #[test]
    fn what_is_asked_for_is_granted_up_to_the_longest() {
        let mut backoff = Backoff::new(SECOND, 60 * SECOND, 7);
        assert_eq!(backoff.failed(Some(20 * SECOND)), 20 * SECOND);
        assert_eq!(backoff.failed(Some(3600 * SECOND)), 60 * SECOND);
    }

    #[test]
    fn two_runs_wait_differently() {
        let waits = |seed| Backoff::new(SECOND, 60 * SECOND, seed).failed(None);
        assert_ne!(waits(1), waits(2));
    }
}
