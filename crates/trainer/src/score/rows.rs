//! The rows of one label: where it exists, what was forecast and what came.

use tapeline_data_pipeline::{FittedLabel, Split, Timeframe};
use tapeline_evaluation::Panel;

use super::Span;
use crate::error::TrainError;

/// Pairs that a picture shows at most.
const MOST_PAIRS: usize = 2000;
/// The share of labels that [`Rows::overlap`] covers.
const COVERED: f64 = 0.95;
/// The fractional part of the golden ratio: its multiples, modulo 1, keep step with no whole number.
const GOLDEN: f64 = 0.618_033_988_749_894_9;

/// Rows of a label that is a number, in the label's own unit and in the order of (time, symbol).
#[derive(Default)]
pub(super) struct Rows {
    /// Sample ids.
    pub(super) samples: Vec<u32>,
    /// Symbols.
    pub(super) series: Vec<u32>,
    time: Vec<i64>,
    /// When each row's label ends.
    end: Vec<i64>,
    pub(super) forecast: Vec<f64>,
    pub(super) realised: Vec<f64>,
}

impl Rows {
    /// The rows of `label` in `span`; `forecast(row)` is the standardised forecast of the span's row.
    pub(super) fn of(span: &Span<'_>, label: usize, forecast: impl Fn(usize) -> f64) -> Self {
        let column = &span.data.labels()[label];
        let (mean, std) = scaling(&column.fitted);
        let windows = span.data.windows();
        let mut rows = Self::default();
        for (row, &sample) in span.samples.iter().enumerate() {
            let realised = column.values[sample as usize];
            if realised.is_nan() {
                continue;
            }
            rows.samples.push(sample);
            rows.series.push(windows.symbols()[sample as usize]);
            rows.time.push(windows.decisions()[sample as usize].nanos());
            rows.end.push(column.end[sample as usize].nanos());
            rows.forecast.push(forecast(row).mul_add(std, mean));
            rows.realised.push(f64::from(realised));
        }
        rows
    }

    /// Adds rows that were decided later.
    pub(super) fn join(&mut self, later: Self) {
        self.samples.extend(later.samples);
        self.series.extend(later.series);
        self.time.extend(later.time);
        self.end.extend(later.end);
        self.forecast.extend(later.forecast);
        self.realised.extend(later.realised);
    }

    pub(super) fn panel(&self) -> Result<Panel, TrainError> {
        self.panel_of(&self.forecast)
    }

    /// The same rows with another forecast.
    pub(super) fn panel_of(&self, forecast: &[f64]) -> Result<Panel, TrainError> {
        Ok(Panel::new(&self.series, &self.time, forecast, &self.realised)?)
    }

    /// The rows with these numbers, ascending.
    pub(super) fn only(&self, rows: &[usize]) -> Self {
        Self {
            samples: rows.iter().map(|&row| self.samples[row]).collect(),
            series: rows.iter().map(|&row| self.series[row]).collect(),
            time: rows.iter().map(|&row| self.time[row]).collect(),
            end: rows.iter().map(|&row| self.end[row]).collect(),
            forecast: rows.iter().map(|&row| self.forecast[row]).collect(),
            realised: rows.iter().map(|&row| self.realised[row]).collect(),
        }
    }

    /// At most 2,000 pairs (forecast, realised), spread evenly over time and over symbols.
    pub(super) fn pairs(&self) -> Vec<(f32, f32)> {
        let pair = |row: usize| (self.forecast[row] as f32, self.realised[row] as f32);
        spread(self.samples.len(), MOST_PAIRS).into_iter().map(pair).collect()
    }

    /// How many of the distinct decision times, of all symbols together, labels reach over, at least [`COVERED`] of them; the
    /// few that reach over a gap in the bars do not speak for all. At least 1.
    pub(super) fn overlap(&self) -> usize {
        let mut reach = self.times_until(self.end.iter().copied());
        reach.sort_unstable();
        let place = (COVERED * reach.len() as f64).ceil() as usize;
        place.checked_sub(1).map_or(1, |place| reach[place].max(1))
    }

    /// The most distinct decision times in any 24 hours: one turn of the daily cycle.
    pub(super) fn times_per_day(&self) -> usize {
        let day_later = self.time.iter().map(|time| time.saturating_add(Timeframe::DAY.nanos()));
        self.times_until(day_later).into_iter().max().unwrap_or(0)
    }

    /// For each row, how many distinct decision times lie after its own and up to its `ends`.
    fn times_until(&self, ends: impl Iterator<Item = i64>) -> Vec<usize> {
        let mut times = self.time.clone();
        times.dedup();
        let up_to = |instant: i64| times.partition_point(|&time| time <= instant);
        let between = |(&time, end): (&i64, i64)| up_to(end).saturating_sub(up_to(time));
        self.time.iter().zip(ends).map(between).collect()
    }
}

/// At most `most` of `rows` row numbers, ascending: one from each of as many equal stretches, at a place that moves on
/// by the golden ratio. A fixed step would show one symbol alone where it is a multiple of their number.
#[must_use]
pub fn spread(rows: usize, most: usize) -> Vec<usize> {
    if rows <= most {
        return (0..rows).collect();
    }
    let stretch = rows as f64 / most as f64;
    let place = |index: usize| index as f64 + (index as f64 * GOLDEN).fract();
    let mut chosen: Vec<usize> = (0..most).map(|index| (place(index) * stretch) as usize).collect();
    chosen.dedup();
    chosen
}

/// The standardised forecast of `position` by head `head`, of the span's row.
pub(super) fn head_output<'a>(
    span: &'a Span<'_>,
    head: usize,
    position: usize,
) -> impl Fn(usize) -> f64 + 'a {
    let rows = &span.predictions.heads[head];
    move |row| f64::from(rows.row(row)[position])
}

/// Mean and standard deviation of a label over its train rows.
pub(super) fn scaling(fitted: &FittedLabel) -> (f64, f64) {
    match fitted {
        FittedLabel::Regression { mean, std } => (*mean, *std),
        FittedLabel::Regime { .. } => (0.0, 1.0),
    }
}

/// The train samples that have `label`, and their values in the label's unit.
pub(super) fn train_rows(span: &Span<'_>, label: usize) -> (Vec<u32>, Vec<f64>) {
    let values = &span.data.labels()[label].values;
    let samples = span.data.samples(Split::Train).iter().copied();
    samples
        .map(|sample| (sample, f64::from(values[sample as usize])))
        .filter(|(_, value)| !value.is_nan())
        .unzip()
}

#[cfg(test)]
mod tests;
