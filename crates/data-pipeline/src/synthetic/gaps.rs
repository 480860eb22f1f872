//! Stretches of minutes in which a symbol did not trade.

use std::ops::Range;

use super::noise::Noise;

/// One gap in so many minutes, on average.
const MINUTES_PER_GAP: usize = 5 * 24 * 60;
/// Every symbol has at least this many gaps.
const FEWEST: usize = 2;
/// Lengths of the shortest and the longest gap in minutes; in between they are uniform on a log scale.
const LENGTHS: (f64, f64) = (2.0, 240.0);
/// No gap within this share of the start and the end.
const MARGIN: f64 = 0.05;

/// Missing ranges among `minutes` minutes, sorted. They may overlap.
pub(super) fn missing(minutes: usize, noise: &mut Noise) -> Vec<Range<usize>> {
    let count = (minutes / MINUTES_PER_GAP).max(FEWEST);
    let mut gaps: Vec<Range<usize>> = (0..count)
        .map(|_| {
            let length = (LENGTHS.0 * (LENGTHS.1 / LENGTHS.0).powf(noise.uniform())) as usize;
            let place = MARGIN + (1.0 - 2.0 * MARGIN) * noise.uniform();
            let start = (place * minutes as f64) as usize;
            start..(start + length).min(minutes - (MARGIN * minutes as f64) as usize).max(start)
        })
        .collect();
    gaps.sort_by_key(|gap| gap.start);
    gaps
}
