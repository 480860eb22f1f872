//! One symbol's walk through the market, minute by minute.

use super::gaps;
use super::memory::{Memory, Season};
use super::noise::{Noise, Purpose};
use super::pattern::{self, Pattern};
use super::volatility::Volatility;
use crate::bar::{Bar, Bars};
use crate::spec::SyntheticSpec;
use crate::time::{MINUTE, Span, Timestamp};

/// 2024-01-01T00:00:00Z, when every market opens.
const FIRST_OPEN: i64 = 1_704_067_200_000_000_000;
const MINUTES_PER_DAY: usize = 24 * 60;
/// Minutes that are walked before the first bar, so that memory and volatility are in full swing when it opens.
const WARM_UP: usize = MINUTES_PER_DAY;
/// Log price around which symbols start: 100.
const LOG_PRICE: f64 = 4.605_170_185_988_092;
/// How often a bar does not open at the close before it.
const OPEN_JUMP_CHANCE: f64 = 0.05;
/// Size of such a jump, and of the excursions beyond open and close, in σ of the bar.
const OPEN_JUMP: f64 = 0.2;
const EXCURSION: f64 = 0.5;

/// What all symbols share.
pub(super) struct Market {
    seed: u64,
    minutes: usize,
    best_ic: f64,
    pattern_scale: f64,
}

impl Market {
    pub(super) fn new(spec: &SyntheticSpec) -> Self {
        Self {
            seed: spec.seed,
            minutes: spec.days.saturating_mul(MINUTES_PER_DAY),
            best_ic: spec.best_ic,
            pattern_scale: pattern::unit_scale(spec.best_ic),
        }
    }

    /// Minutes per symbol, gaps included.
    pub(super) fn minutes(&self) -> usize {
        self.minutes
    }

    /// Walks symbol `index` from the first minute to the last and pushes its bars, with their oracle.
    pub(super) fn walk(&self, index: usize, publication_lag: Span, bars: &mut Bars) {
        let stream = |purpose| Noise::new(self.seed, index, purpose);
        let (mut start, mut returns) = (stream(Purpose::Start), stream(Purpose::Returns));
        let (mut volumes, mut intrabar) = (stream(Purpose::Volume), stream(Purpose::Intrabar));
        let missing = gaps::missing(self.minutes, &mut stream(Purpose::Gaps));
        let season = Season::new(&mut start);
        let mut volatility = Volatility::new(&mut start);
        let mut pattern = Pattern::new(self.pattern_scale);
        let mut memory = Memory::new(season);
        let mut log_close = LOG_PRICE + start.normal();
        let noise_share = (1.0 - self.best_ic * self.best_ic).sqrt();

        let first_open = Timestamp::from_nanos(FIRST_OPEN - WARM_UP as i64 * MINUTE);
        let (mut sigma, mut forecast) = (volatility.next(first_open), 0.0);
        let mut oracle = Vec::with_capacity(self.minutes);
        for step in 0..WARM_UP + self.minutes {
            let minute = step.checked_sub(WARM_UP);
            if minute.is_some_and(|minute| missing.iter().any(|gap| gap.contains(&minute))) {
                continue;
            }
            let open_time = Timestamp::from_nanos(first_open.nanos() + step as i64 * MINUTE);
            let close_time = open_time.plus(Span::from_nanos(MINUTE));
            let surprise = returns.normal();
            let shock = forecast + noise_share * surprise;
            let volume = season.draw(open_time, &mut volumes);
            let [open, high, low, close] = prices(log_close, shock * sigma, sigma, &mut intrabar);
            log_close += shock * sigma;

            volatility.observe(surprise);
            pattern.observe(shock);
            memory.observe(open_time, volume);
            sigma = volatility.next(close_time);
            forecast = pattern::best_forecast(self.best_ic, pattern.value(), memory.value());
            if minute.is_some() {
                let available_at = close_time.plus(publication_lag);
                bars.push(Bar { open_time, close_time, available_at, open, high, low, close, volume });
                oracle.push(sigma * forecast);
            }
        }
        bars.oracle = Some(oracle);
    }
}

/// Open, high, low and close of a bar after a close at `log_before`.
fn prices(log_before: f64, log_return: f64, sigma: f64, noise: &mut Noise) -> [f64; 4] {
    let jumps = noise.uniform() <= OPEN_JUMP_CHANCE;
    let jump = if jumps { OPEN_JUMP * sigma * noise.normal() } else { 0.0 };
    let open = (log_before + jump).exp();
    let close = (log_before + log_return).exp();
    let high = open.max(close) * (EXCURSION * sigma * noise.normal().abs()).exp();
    let low = open.min(close) * (-EXCURSION * sigma * noise.normal().abs()).exp();
    [open, high, low, close]
}
