//! Moving-block bootstrap intervals over time (Künsch 1989; circular: Politis and Romano 1992).
//!
//! A resample is made of blocks of consecutive *times*, each with all its series, so that neither the autocorrelation that
//! overlapping labels bring nor the correlation between series is lost. Scores are functions of sums over rows; sums per time,
//! added up from the start, make the sum of any block one subtraction.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};

/// The level of every [`Interval`].
pub const LEVEL: f64 = 0.95;

/// How many resamples are drawn.
pub const RESAMPLES: usize = 1000;

/// With fewer blocks there is no interval.
pub const MIN_BLOCKS: usize = 8;

/// The share of resamples that may be undefined: more would eat up a tail of the interval.
const UNDEFINED_SHARE: f64 = 0.01;

/// The upper (1 − [`LEVEL`]) / 2 quantile of the standard normal.
const Z: f64 = 1.959_963_984_540_054;

/// How time is cut and resampled.
///
/// Blocks hold `2h + ⌈T^⅓⌉` of the T distinct times, where a label spans h. 2h covers the overlap of labels; the second part
/// grows with the sample and covers forecasts that are themselves autocorrelated. On noise with T = 1000 to 4000 and h = 1, 5
/// or 20 the intervals miss 0 in 4 to 7 % of cases, for forecasts that are independent and that are AR(0.9) alike; blocks of 2h
/// alone miss it in up to 9 %. Forecasts with a longer memory need [`with_block`](Self::with_block).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MovingBlocks {
    horizon: usize,
    seed: u64,
    resamples: usize,
    least_block: usize,
}

impl MovingBlocks {
    /// Blocks for labels that span `horizon` of the distinct times (the horizon in base bars over the stride, rounded up).
    #[must_use]
    pub const fn new(horizon: usize, seed: u64) -> Self {
        Self { horizon, seed, resamples: RESAMPLES, least_block: 1 }
    }

    /// Blocks of at least `block` times. The default rule still holds, so that this can only make an interval more careful.
    #[must_use]
    pub const fn with_block(self, block: usize) -> Self {
        Self { least_block: block, ..self }
    }

    /// Another number of resamples, at least 1.
    #[must_use]
    pub const fn with_resamples(self, resamples: usize) -> Self {
        Self { resamples: if resamples == 0 { 1 } else { resamples }, ..self }
    }

    /// How many times a block holds when there are `times` distinct ones.
    #[must_use]
    pub fn block(&self, times: usize) -> usize {
        let memory = (times as f64).cbrt().ceil() as usize;
        self.horizon.saturating_mul(2).saturating_add(memory).max(self.least_block)
    }

    /// The interval of `statistic`, a function of the sums over all rows; it answers `None` where it is undefined.
    ///
    /// # Errors
    /// [`NoInterval`] says why there is none.
    pub fn interval(
        &self,
        sums: &TimeSums,
        statistic: impl Fn(&[f64]) -> Option<f64>,
    ) -> Result<Interval, NoInterval> {
        self.interval_of_mean(sums.times, std::iter::once(sums), statistic)
    }

    /// The interval of the mean of `statistic` over groups that share one clock of `times` steps; groups for which it is
    /// undefined are left out of the mean, in every resample.
    pub(crate) fn interval_of_mean<S: std::borrow::Borrow<TimeSums>>(
        &self,
        times: usize,
        groups: impl Iterator<Item = S>,
        statistic: impl Fn(&[f64]) -> Option<f64>,
    ) -> Result<Interval, NoInterval> {
        let block = self.block(times);
        let mut estimate = Mean::default();
        let mut draws = vec![Mean::default(); self.resamples];
        let generator = ChaCha8Rng::seed_from_u64(self.seed);
        for group in groups {
            let prefix = Prefix::new(group.borrow(), block.min(times));
            estimate.add(statistic(&prefix.total()));
            if times / block >= MIN_BLOCKS {
                let mut sums = vec![0.0; prefix.width];
                for (stream, draw) in draws.iter_mut().enumerate() {
                    // A stream per resample: every group sees the same blocks in it.
                    let mut generator = generator.clone();
                    generator.set_stream(stream as u64);
                    prefix.resample(&mut generator, &mut sums);
                    draw.add(statistic(&sums));
                }
            }
        }
        estimate.get().ok_or(NoInterval::Undefined)?;
        if times / block < MIN_BLOCKS {
            return Err(NoInterval::TooFewBlocks { times, block });
        }
        let mut values: Vec<f64> = draws.iter().filter_map(Mean::get).collect();
        let undefined = self.resamples - values.len();
        if undefined as f64 > UNDEFINED_SHARE * self.resamples as f64 {
            return Err(NoInterval::UndefinedResamples { undefined, resamples: self.resamples });
        }
        values.sort_unstable_by(f64::total_cmp);
        let tail = expanded_tail(times / block);
        let (low, high) = (quantile(&values, tail), quantile(&values, 1.0 - tail));
        Ok(Interval { low, high, level: LEVEL, block })
    }
}

/// Where a score lies with a confidence of [`LEVEL`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// The confidence, a share of 1.
    pub level: f64,
    /// How many distinct times a block held.
    pub block: usize,
}

impl Interval {
    /// Whether `value` lies in the interval, its ends included.
    #[must_use]
    pub fn covers(&self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }
}

/// Why a score has no interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case", tag = "reason")]
#[non_exhaustive]
pub enum NoInterval {
    /// The score itself is undefined.
    #[error("the score is undefined")]
    Undefined,
    /// Time is too short for its blocks.
    #[error("{times} distinct times make fewer than {MIN_BLOCKS} blocks of {block}")]
    TooFewBlocks {
        /// The distinct times.
        times: usize,
        /// How many of them one block holds.
        block: usize,
    },
    /// The score is undefined in too many resamples to have percentiles.
    #[error("the score is undefined in {undefined} of {resamples} resamples")]
    UndefinedResamples {
        /// How many are undefined.
        undefined: usize,
        /// How many were drawn.
        resamples: usize,
    },
}

/// For each distinct time, in order, the sums over its rows of the `width` numbers that a score is made of.
///
/// Any score that is a function of sums over rows gets its interval this way; here the directional accuracy:
///
/// ```
/// use tapeline_evaluation::{MovingBlocks, TimeSums, direction};
///
/// let time: Vec<i64> = (0..500).collect();
/// let forecast: Vec<f64> = time.iter().map(|&t| (t as f64).sin()).collect();
/// let realised: Vec<f64> = time.iter().map(|&t| (t as f64).sin() + (t as f64 * 2.7).cos()).collect();
/// let sums = TimeSums::new(&time, 2, |row, sums| {
///     if let Some(hit) = direction::hit(forecast[row], realised[row]) {
///         sums[0] += f64::from(u8::from(hit));
///         sums[1] += 1.0;
///     }
/// });
/// let accuracy = |sums: &[f64]| (sums[1] > 0.0).then(|| sums[0] / sums[1]);
/// let interval = MovingBlocks::new(1, 7).interval(&sums, accuracy)?;
/// assert!(interval.low > 0.5 && interval.covers(0.75));
/// # Ok::<(), tapeline_evaluation::NoInterval>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct TimeSums {
    width: usize,
    times: usize,
    cells: Vec<f64>,
}

impl TimeSums {
    /// `add(row, sums)` adds what row `row` contributes to the `width` sums of its time `time[row]`.
    #[must_use]
    pub fn new(time: &[i64], width: usize, mut add: impl FnMut(usize, &mut [f64])) -> Self {
        let mut times = time.to_vec();
        times.sort_unstable();
        times.dedup();
        let mut sums = Self::zeros(times.len(), width);
        for (row, at) in time.iter().enumerate() {
            add(row, sums.at(times.partition_point(|earlier| earlier < at)));
        }
        sums
    }

    pub(crate) fn zeros(times: usize, width: usize) -> Self {
        Self { width, times, cells: vec![0.0; times * width] }
    }

    pub(crate) fn at(&mut self, step: usize) -> &mut [f64] {
        &mut self.cells[step * self.width..(step + 1) * self.width]
    }
}

/// Sums from the first time up to each, running on past the last time into the first `block` ones.
struct Prefix {
    width: usize,
    times: usize,
    block: usize,
    cells: Vec<f64>,
}

impl Prefix {
    fn new(sums: &TimeSums, block: usize) -> Self {
        let TimeSums { width, times, ref cells } = *sums;
        let mut running = vec![0.0; width];
        let mut prefix = Vec::with_capacity((times + block + 1) * width);
        prefix.extend_from_slice(&running);
        for step in (0..times).chain(0..block) {
            for (sum, cell) in running.iter_mut().zip(&cells[step * width..]) {
                *sum += cell;
            }
            prefix.extend_from_slice(&running);
        }
        Self { width, times, block, cells: prefix }
    }

    fn at(&self, step: usize) -> &[f64] {
        &self.cells[step * self.width..(step + 1) * self.width]
    }

    fn total(&self) -> Vec<f64> {
        self.at(self.times).to_vec()
    }

    /// The sums of one resample: blocks from uniform starts until it is as long as the sample, the last one cut short.
    fn resample(&self, generator: &mut ChaCha8Rng, sums: &mut [f64]) {
        sums.fill(0.0);
        let mut missing = self.times;
        while missing > 0 {
            let length = self.block.min(missing);
            let start = below(generator, self.times);
            for ((sum, after), before) in sums.iter_mut().zip(self.at(start + length)).zip(self.at(start)) {
                *sum += after - before;
            }
            missing -= length;
        }
    }
}

/// A uniform number under `bound`, by the upper half of a 64 × 64 bit product.
fn below(generator: &mut ChaCha8Rng, bound: usize) -> usize {
    ((u128::from(generator.next_u64()) * bound as u128) >> 64) as usize
}

/// A mean of those values that are defined.
#[derive(Clone, Copy, Default)]
struct Mean {
    sum: f64,
    count: usize,
}

impl Mean {
    fn add(&mut self, value: Option<f64>) {
        if let Some(value) = value.filter(|value| value.is_finite()) {
            self.sum += value;
            self.count += 1;
        }
    }

    fn get(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / self.count as f64)
    }
}

/// The share of resamples outside each end. Percentiles of a bootstrap are too narrow by the factor between n − 1 and n and
/// between Student's and the normal quantile, here with blocks as the observations; a smaller tail makes up for both
/// (Hesterberg 2015, "What Teachers Should Know About the Bootstrap", section 4.3).
fn expanded_tail(blocks: usize) -> f64 {
    let (n, freedom) = (blocks as f64, (blocks - 1) as f64);
    let point = (n / freedom).sqrt() * student_quantile(freedom);
    // The normal tail by the continued fraction of Mills' ratio, here always beyond 1.9 deviations.
    let mills = (1..=60).rev().fold(point, |fraction, k| point + f64::from(k) / fraction);
    (-0.5 * point * point).exp() / (std::f64::consts::TAU.sqrt() * mills)
}

/// Student's quantile at the probability of [`Z`] (Abramowitz and Stegun 26.7.5; 1e-3 off at 7 degrees of freedom).
pub(crate) fn student_quantile(freedom: f64) -> f64 {
    let (z, v) = (Z, freedom);
    let first = (z.powi(3) + z) / 4.0;
    let second = (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / 96.0;
    let third = (3.0 * z.powi(7) + 19.0 * z.powi(5) + 17.0 * z.powi(3) - 15.0 * z) / 384.0;
    z + first / v + second / v.powi(2) + third / v.powi(3)
}

/// The `share` quantile of ascending `values`, linear between neighbours.
fn quantile(values: &[f64], share: f64) -> f64 {
    let place = share * (values.len() - 1) as f64;
    let (below, above) = (place.floor() as usize, place.ceil() as usize);
    values[below] + (place - place.floor()) * (values[above] - values[below])
}

#[cfg(test)]
mod tests;
