//! A symbol's bars of one timeframe as rows of channels, and what the channels are.

use serde::{Deserialize, Serialize};

use crate::bar::Bars;
use crate::feature::{Channel, FeatureSpec, Stretch, Unit};
use crate::gap::{Gap, stretches};
use crate::time::{Timeframe, Timestamp};
use crate::window::WindowTransform;

/// ln(1 + how many bars are absent just before this one), in every table.
const MISSING: Channel = Channel { name: "missing", unit: Unit::LogBars };
/// −ln(1 + how many rows of the window are newer), in every window.
const RECENCY: Channel = Channel { name: "recency", unit: Unit::LogBars };
/// How old the newest visible bar is at the decision, in higher timeframes.
const AGE: Channel = Channel { name: "age", unit: Unit::Timeframes };
/// 1, and 0 where the window is masked, in higher timeframes.
const VISIBLE: Channel = Channel { name: "visible", unit: Unit::Flag };

/// What a network reads of one timeframe: windows of `[time, feature]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct InputLayout {
    /// The length of each bar.
    pub timeframe: Timeframe,
    /// Bars per window.
    pub length: usize,
    /// The channels' names: the features in the order of the configuration, `missing`, `recency`, and in higher timeframes
    /// `age` and `visible`.
    pub channels: Vec<String>,
    /// The channels' units.
    pub units: Vec<Unit>,
    /// What is done to a window after its rows were copied from the table.
    pub transforms: Vec<WindowTransform>,
}

impl InputLayout {
    /// The layout of the base timeframe.
    pub(crate) fn base(timeframe: Timeframe, length: usize, features: &[FeatureSpec]) -> Self {
        let mut layout =
            Self { timeframe, length, channels: Vec::new(), units: Vec::new(), transforms: Vec::new() };
        for feature in features {
            layout.channels.extend(feature.channel_names());
            layout.units.extend(feature.feature().channels().iter().map(|channel| channel.unit));
        }
        layout.push(&MISSING);
        layout.transforms.push(WindowTransform::Recency { channel: layout.width() });
        layout.push(&RECENCY);
        layout
    }

    /// The layout of a timeframe above the base.
    pub(crate) fn higher(timeframe: Timeframe, length: usize, features: &[FeatureSpec]) -> Self {
        let mut layout = Self::base(timeframe, length, features);
        layout.transforms.push(WindowTransform::Age { channel: layout.width() });
        layout.push(&AGE);
        layout.transforms.push(WindowTransform::Mask);
        layout.push(&VISIBLE);
        layout
    }

    fn push(&mut self, channel: &Channel) {
        self.channels.push(channel.name.into());
        self.units.push(channel.unit);
    }

    /// Channels per row.
    #[must_use]
    pub fn width(&self) -> usize {
        self.channels.len()
    }

    /// Numbers per window: length × width.
    #[must_use]
    pub fn window_len(&self) -> usize {
        self.length * self.width()
    }
}

/// Rows of channels, one row per existing bar, in time order.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    width: usize,
    values: Vec<f32>,
    available_at: Vec<Timestamp>,
    reach: Vec<u32>,
}

impl Table {
    /// The unscaled table of `bars`. Features start afresh after each of `gaps`.
    pub(crate) fn build(bars: &Bars, gaps: &[Gap], features: &[FeatureSpec], layout: &InputLayout) -> Self {
        let width = layout.width();
        let mut table = Self {
            width,
            values: vec![f32::NAN; bars.len() * width],
            available_at: bars.available_at.clone(),
            reach: (1..).take(bars.len()).collect(),
        };
        let mut column = Vec::new();
        for rows in stretches(bars, gaps) {
            let stretch = Stretch::new(bars, rows.clone());
            let cells = &mut table.values[rows.start * width..rows.end * width];
            let mut at = 0;
            let mut warm_up = 0;
            for feature in features.iter().map(FeatureSpec::feature) {
                let channels = feature.channels().len();
                column.clear();
                column.resize(stretch.len() * channels, f64::NAN);
                feature.compute(&stretch, &mut column);
                for (row, values) in cells.chunks_exact_mut(width).zip(column.chunks_exact(channels)) {
                    for (cell, &value) in row[at..].iter_mut().zip(values) {
                        *cell = value as f32;
                    }
                }
                at += channels;
                warm_up = warm_up.max(feature.warm_up());
            }
            for (index, row) in cells.chunks_exact_mut(width).enumerate() {
                row[at] = missing_before(&stretch, index);
                row[at + 1..].copy_from_slice(&[0.0, 0.0, 1.0][..width - at - 1]);
            }
            table.measure_reach(rows.start + warm_up.min(rows.len())..rows.end);
        }
        table
    }

    /// Marks the rows of `rows` as usable, except those with a value that is not finite.
    fn measure_reach(&mut self, rows: std::ops::Range<usize>) {
        let mut first = rows.start;
        for row in rows {
            if self.row(row).iter().all(|value| value.is_finite()) {
                self.reach[row] = first as u32;
            } else {
                first = row + 1;
            }
        }
    }

    /// How many rows there are.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.available_at.len()
    }

    /// Channels per row.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// All values, `[row, channel]`. Rows that are part of no window may hold NaN.
    #[must_use]
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The channels of `row`, which must be below [`rows`](Self::rows).
    #[must_use]
    pub fn row(&self, row: usize) -> &[f32] {
        &self.values[row * self.width..(row + 1) * self.width]
    }

    /// From when on each row can be known.
    #[must_use]
    pub fn available_at(&self) -> &[Timestamp] {
        &self.available_at
    }

    /// How many usable rows end with `row`, without a long gap among them: the longest window that may end here.
    #[must_use]
    pub fn usable_rows(&self, row: usize) -> usize {
        self.reach.get(row).map_or(0, |&first| row + 1 - first as usize)
    }

    pub(crate) fn values_mut(&mut self) -> &mut [f32] {
        &mut self.values
    }
}

/// ln(1 + how many steps of the timeframe's grid are absent before the bar at `row`); 0 at the start of a stretch.
fn missing_before(bars: &Stretch<'_>, row: usize) -> f32 {
    let Some(before) = row.checked_sub(1) else { return 0.0 };
    let step = bars.timeframe.nanos();
    let apart = bars.open_time[row].since(bars.open_time[before]).nanos();
    let absent = ((apart + step / 2) / step - 1).max(0);
    (absent as f64).ln_1p() as f32
}
