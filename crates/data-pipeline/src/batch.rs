//! Gathers samples into buffers the caller owns: one copy per window, no allocation, and the same bytes for any number of
//! threads, because every sample has its own place in the buffer.

use std::sync::LazyLock;

use rayon::prelude::*;

use crate::dataset::Dataset;
use crate::error::DataError;
use crate::label::FittedLabel;
use crate::table::{InputLayout, Table};
use crate::time::Timestamp;
use crate::window::{MASKED, WindowIndex, WindowTransform};

/// Batches of at least this many numbers are filled on several threads: below, waking them costs more than the copy.
pub(crate) const PARALLEL_FROM: usize = 1 << 16;

/// Bars of a window whose recency is looked up.
const KNOWN_BARS: usize = 256;

/// The recency of the newest bars of any window, the newest last: a logarithm for each bar of each window would cost more
/// than the copy of the window.
static RECENCY: LazyLock<[f32; KNOWN_BARS]> =
    LazyLock::new(|| std::array::from_fn(|place| WindowTransform::recency((KNOWN_BARS - 1 - place) as u32)));

/// Writes the recency of the bars of `window`, `[time, width]`, into `channel`.
fn write_recency(window: &mut [f32], width: usize, channel: usize) {
    let bars = window.len() / width;
    let (older, newest) = window.split_at_mut(bars.saturating_sub(KNOWN_BARS) * width);
    let known = &RECENCY[KNOWN_BARS - newest.len() / width..];
    newest.chunks_exact_mut(width).zip(known).for_each(|(bar, known)| bar[channel] = *known);
    let oldest_last = older.chunks_exact_mut(width).rev();
    oldest_last
        .zip(KNOWN_BARS as u32..)
        .for_each(|(bar, newer)| bar[channel] = WindowTransform::recency(newer));
}

impl Dataset {
    /// Writes the windows of `samples` of one timeframe into `out`, `[batch, time, feature]`, the oldest bar first.
    ///
    /// # Errors
    /// [`DataError::Lookup`] for a timeframe or sample that does not exist, [`DataError::BufferLength`] when `out` does
    /// not hold exactly these windows. Nothing is written then.
    pub fn fill_inputs(&self, timeframe: usize, samples: &[u32], out: &mut [f32]) -> Result<(), DataError> {
        let layout = self.check_timeframe(timeframe)?;
        self.check_samples(samples)?;
        let window = layout.window_len();
        check_buffer(samples.len() * window, out.len())?;
        let gather = self.gather();
        if out.len() < PARALLEL_FROM {
            for (&sample, out) in samples.iter().zip(out.chunks_exact_mut(window)) {
                gather.fill(timeframe, sample as usize, out);
            }
        } else {
            let each = samples.par_iter().zip(out.par_chunks_exact_mut(window));
            each.for_each(|(&sample, out)| gather.fill(timeframe, sample as usize, out));
        }
        Ok(())
    }

    /// Writes the targets of `samples` for one label: numbers standardised as (value − mean) / std, or class indices; 0
    /// where absent. `mask` is 1 where there is a target and 0 where it is absent. Both are `[batch]`.
    ///
    /// # Errors
    /// [`DataError::Lookup`] for a label or sample that does not exist, [`DataError::BufferLength`] when a buffer does not
    /// hold exactly one number per sample. Nothing is written then.
    pub fn fill_targets(
        &self,
        label: usize,
        samples: &[u32],
        values: &mut [f32],
        mask: &mut [f32],
    ) -> Result<(), DataError> {
        let count = self.labels.len();
        let column =
            self.labels.get(label).ok_or(DataError::Lookup { what: "label", index: label, count })?;
        self.check_samples(samples)?;
        check_buffer(samples.len(), values.len())?;
        check_buffer(samples.len(), mask.len())?;
        let (mean, std) = match column.fitted {
            FittedLabel::Regression { mean, std } => (mean, std),
            FittedLabel::Regime { .. } => (0.0, 1.0),
        };
        for ((&sample, target), mask) in samples.iter().zip(values).zip(mask) {
            let value = column.values[sample as usize];
            let present = !value.is_nan();
            *target = if present { ((f64::from(value) - mean) / std) as f32 } else { 0.0 };
            *mask = if present { 1.0 } else { 0.0 };
        }
        Ok(())
    }
}

/// Tables and an index over them: all a window needs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gather<'a> {
    pub(crate) inputs: &'a [InputLayout],
    /// By symbol and then timeframe.
    pub(crate) tables: &'a [Vec<Table>],
    pub(crate) windows: &'a WindowIndex,
}

impl Gather<'_> {
    /// Writes one window of a timeframe and a sample that exist into a buffer of its length.
    pub(crate) fn fill(&self, timeframe: usize, sample: usize, out: &mut [f32]) {
        let end = self.windows.end_rows(timeframe)[sample];
        self.fill_ending(timeframe, sample, end, self.windows.decisions()[sample], out);
    }

    /// As [`fill`](Self::fill), with the window that ends with row `end`, or a masked one, seen at `decision`.
    pub(crate) fn fill_ending(
        &self,
        timeframe: usize,
        sample: usize,
        end: u32,
        decision: Timestamp,
        out: &mut [f32],
    ) {
        if end == MASKED {
            out.fill(0.0);
            return;
        }
        let table = self.table(timeframe, sample);
        let after = (end as usize + 1) * table.width();
        out.copy_from_slice(&table.values()[after - out.len()..after]);
        let width = table.width();
        for transform in &self.inputs[timeframe].transforms {
            match *transform {
                WindowTransform::Recency { channel } => {
                    write_recency(out, width, channel);
                }
                WindowTransform::Age { channel } => {
                    let age = self.age_at(timeframe, table.available_at()[end as usize], decision);
                    out.chunks_exact_mut(width).for_each(|bar| bar[channel] = age);
                }
                // A masked window was filled above.
                WindowTransform::Mask => {}
            }
        }
    }

    /// The age of one window of a timeframe and a sample that exist, in bars of the timeframe; 0 where it is masked.
    pub(crate) fn age(&self, timeframe: usize, sample: usize) -> f32 {
        let end = self.windows.end_rows(timeframe)[sample];
        if end == MASKED {
            return 0.0;
        }
        let available = self.table(timeframe, sample).available_at()[end as usize];
        self.age_at(timeframe, available, self.windows.decisions()[sample])
    }

    /// The table of one timeframe and the symbol of a sample that exist.
    pub(crate) fn table(&self, timeframe: usize, sample: usize) -> &Table {
        &self.tables[self.windows.symbols()[sample] as usize][timeframe]
    }

    fn age_at(&self, timeframe: usize, available: Timestamp, decision: Timestamp) -> f32 {
        let age = decision.since(available);
        (age.nanos() as f64 / self.inputs[timeframe].timeframe.nanos() as f64) as f32
    }
}

pub(crate) fn check_buffer(expected: usize, found: usize) -> Result<(), DataError> {
    if expected == found { Ok(()) } else { Err(DataError::BufferLength { expected, found }) }
}

#[cfg(test)]
mod tests {
    use super::{KNOWN_BARS, WindowTransform, write_recency};

    #[test]
    fn every_bar_of_a_window_of_any_length_has_its_recency() {
        for (width, channel) in [(1, 0), (3, 1)] {
            for length in [1, 60, KNOWN_BARS, KNOWN_BARS + 1, 700] {
                let mut window = vec![7.0; length * width];
                write_recency(&mut window, width, channel);
                for (newer, bar) in window.chunks(width).rev().enumerate() {
                    let expected =
                        |place| if place == channel { WindowTransform::recency(newer as u32) } else { 7.0 };
                    assert!((0..width).all(|place| bar[place] == expected(place)), "{length}: {newer}");
                }
            }
        }
    }
}
