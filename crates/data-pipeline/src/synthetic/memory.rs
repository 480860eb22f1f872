//! The long memory: an exponentially weighted mean of volume surprises of closed five-minute bars.

use super::noise::Noise;
use super::volatility::day_fraction;
use crate::time::{MINUTE, Timestamp};

/// Minutes per bar of the memory's timeframe; its bars are aligned to UTC.
pub(super) const MINUTES: i64 = 5;
const BAR: i64 = MINUTES * MINUTE;
/// Weight of a bar relative to the next: ½ after 12 bars, one hour.
pub(super) const PERSISTENCE: f64 = 0.943_874_312_681_693_4;
/// Surprises are cut off at ± this many standard deviations. Bars with missing minutes look quiet and end up here.
const CLIP: f64 = 4.0;
/// Mean log volume of a minute.
const LOG_VOLUME: f64 = 7.0;
/// Log volume over the day: ± this much.
const DAILY_AMPLITUDE: f64 = 0.5;
/// Standard deviation of a minute's log volume around its daily pattern.
pub(super) const SPREAD: f64 = 0.6;
/// Mean and standard deviation of ln Σ exp(SPREAD · ε) over the five minutes of a bar; there is no closed form. Measured
/// on 4·10⁷ draws, so the last digit shown is uncertain.
pub(super) const SURPRISE: (f64, f64) = (1.7484, 0.2855);

/// A symbol's daily volume pattern.
#[derive(Clone, Copy)]
pub(super) struct Season {
    phase: f64,
}

impl Season {
    pub(super) fn new(start: &mut Noise) -> Self {
        Self { phase: start.uniform() }
    }

    /// Mean log volume of the minute around `instant`.
    fn log_volume(self, instant: Timestamp) -> f64 {
        LOG_VOLUME + DAILY_AMPLITUDE * (std::f64::consts::TAU * (day_fraction(instant) + self.phase)).sin()
    }

    /// Volume of the minute that opens at `open_time`.
    pub(super) fn draw(self, open_time: Timestamp, noise: &mut Noise) -> f64 {
        (self.log_volume(Timestamp::from_nanos(open_time.nanos() + MINUTE / 2)) + SPREAD * noise.normal())
            .exp()
    }
}

/// What the volumes of closed five-minute bars say.
pub(super) struct Memory {
    season: Season,
    bar: i64,
    volume: f64,
    mean: f64,
}

impl Memory {
    pub(super) fn new(season: Season) -> Self {
        Self { season, bar: i64::MIN, volume: 0.0, mean: 0.0 }
    }

    /// Takes in the minute that opens at `open_time`. A five-minute bar counts from its end on, also when its last
    /// minutes are missing; one without any minute never counts.
    pub(super) fn observe(&mut self, open_time: Timestamp, volume: f64) {
        let bar = open_time.nanos().div_euclid(BAR);
        if bar != self.bar {
            self.close();
            self.bar = bar;
        }
        self.volume += volume;
        if open_time.nanos() + MINUTE == (bar + 1) * BAR {
            self.close();
        }
    }

    /// The memory's forecast of the next standardised log return; unit variance.
    pub(super) fn value(&self) -> f64 {
        self.mean * ((1.0 + PERSISTENCE) / (1.0 - PERSISTENCE)).sqrt()
    }

    fn close(&mut self) {
        if self.volume > 0.0 {
            let middle = Timestamp::from_nanos(self.bar * BAR + BAR / 2);
            let around_season = self.volume.ln() - self.season.log_volume(middle);
            let surprise = ((around_season - SURPRISE.0) / SURPRISE.1).clamp(-CLIP, CLIP);
            self.mean = PERSISTENCE * self.mean + (1.0 - PERSISTENCE) * surprise;
        }
        self.volume = 0.0;
    }
}
