//! Data with nothing to find, as like the real data as that allows: what a pipeline reaches on it is chance.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

use crate::bar::{Bar, Bars};
use crate::dataset::Dataset;
use crate::split::Split;
use crate::time::Timestamp;

/// Decisions in a block of labels that stay together, as a multiple of the longest label: twice, as in the intervals of scores,
/// since labels that overlap say the same.
const LABELS_PER_BLOCK: usize = 2;

/// A random walk with each bar's own volatility, its volume and its place in the calendar: every bar is kept or turned upside
/// down around the close before it, by a fair coin that is tossed once for each opening time of all symbols together.
///
/// Nothing that is known before a bar says which way it goes, so no return can be forecast. How far it goes stays as it was, and
/// so does the correlation between symbols: volatility can still be forecast.
#[must_use]
pub fn random_walk(bars: &[Bars], seed: u64) -> Vec<Bars> {
    let mut times: Vec<Timestamp> = bars.iter().flat_map(|bars| bars.open_time.iter().copied()).collect();
    times.sort_unstable();
    times.dedup();
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    let kept: Vec<bool> = times.iter().map(|_| generator.next_u64() & 1 == 0).collect();
    let is_kept = |time: Timestamp| kept[times.partition_point(|&earlier| earlier < time)];
    bars.iter().map(|bars| walked(bars, is_kept)).collect()
}

fn walked(bars: &Bars, is_kept: impl Fn(Timestamp) -> bool) -> Bars {
    let mut walk = Bars::with_capacity(bars.symbol.clone(), bars.timeframe, bars.len());
    let mut before: Option<(f64, f64)> = None;
    for row in 0..bars.len() {
        let Some(bar) = bars.get(row) else { break };
        let upright = is_kept(bar.open_time);
        let turned = |ratio: f64| if upright { ratio } else { ratio.recip() };
        let open = before.map_or(bar.open, |(close, walked)| walked * turned(bar.open / close));
        let (top, bottom) = (open * turned(bar.high / bar.open), open * turned(bar.low / bar.open));
        let close = open * turned(bar.close / bar.open);
        // Rounding must not put the open or the close outside.
        let high = top.max(bottom).max(open).max(close);
        let low = top.min(bottom).min(open).min(close);
        before = Some((bar.close, close));
        walk.push(Bar { open, high, low, close, ..bar });
    }
    walk
}

impl Dataset {
    /// Deals the labels out anew within each symbol and block of the split, in blocks of time that stay whole, so that nothing
    /// a sample sees says anything of its label. All labels of a sample move together. When a sample's label ends stays as it
    /// was, and with it the purge.
    ///
    /// Blocks are twice as long as the longest label; they are cut anew at a random place and dealt in a random order.
    pub fn shuffle_labels(&mut self, seed: u64) {
        let generator = ChaCha8Rng::seed_from_u64(seed);
        let mut stream = 0;
        for split in Split::ALL {
            for symbol in 0..self.symbols.len() as u32 {
                let of_symbol = |&&sample: &&u32| self.windows.symbols()[sample as usize] == symbol;
                let samples: Vec<u32> = self.samples(split).iter().filter(of_symbol).copied().collect();
                let mut generator = generator.clone();
                generator.set_stream(stream);
                stream += 1;
                let dealt = dealt(&samples, LABELS_PER_BLOCK * self.longest_label(&samples), &mut generator);
                for column in &mut self.labels {
                    let values: Vec<f32> = dealt.iter().map(|&from| column.values[from as usize]).collect();
                    for (&sample, value) in samples.iter().zip(values) {
                        column.values[sample as usize] = value;
                    }
                }
            }
        }
    }

    /// Over how many decisions of `samples`, which are one symbol's, the longest of their labels reaches; at least 1.
    fn longest_label(&self, samples: &[u32]) -> usize {
        let decision = |sample: u32| self.windows.decisions()[sample as usize];
        let reach = |(place, &sample): (usize, &u32)| {
            let end = self.labels.iter().map(|column| column.end[sample as usize]).max()?;
            Some(samples[place..].partition_point(|&later| decision(later) < end))
        };
        let mut reaches: Vec<usize> = samples.iter().enumerate().filter_map(reach).collect();
        reaches.sort_unstable();
        // The few that reach over a gap do not speak for all.
        reaches.get(reaches.len() / 2).copied().unwrap_or(1).max(1)
    }
}

/// `samples` turned by a random number of places, cut into blocks of `block` and put together in a random order.
fn dealt(samples: &[u32], block: usize, generator: &mut ChaCha8Rng) -> Vec<u32> {
    let mut below = |bound: usize| (generator.next_u64() % bound.max(1) as u64) as usize;
    let mut turned = samples.to_vec();
    turned.rotate_left(below(samples.len()).min(samples.len()));
    let mut blocks: Vec<&[u32]> = turned.chunks(block.max(1)).collect();
    for place in (1..blocks.len()).rev() {
        blocks.swap(place, below(place + 1));
    }
    blocks.concat()
}
