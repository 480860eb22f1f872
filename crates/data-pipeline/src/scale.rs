//! Brings channels to one scale. A scaler is fitted on a [`TrainSplit`] and on nothing else: the rows that decisions up to
//! the last train decision could see, of all symbols together.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::spec::{ScalingKind, ScalingSpec};
use crate::split::TrainSplit;
use crate::table::{InputLayout, Table};
use crate::time::{Timeframe, Timestamp};

/// Makes the median absolute deviation of normal numbers their standard deviation.
const MAD_TO_STD: f64 = 1.4826;
/// A scaled MAD below this share of the scaled distance between the first and the last decile says that most values are
/// one value (many wicks are 0): the mean and standard deviation are used instead. The deciles, unlike the standard
/// deviation, do not move with a few wild values, which are what a robust scale is for.
const MAD_NEAR_ZERO: f64 = 0.01;
/// Makes the distance between the first and the last decile of normal numbers their standard deviation.
const DECILES_TO_STD: f64 = 1.0 / 2.5631;
/// A spread below this share of the values it is one of is rounding: the channel is constant and is only centred.
const ROUNDING: f64 = 1e-9;
/// Bytes gathered before they are hashed: enough for the hash to use its wide instructions.
const HASHED_AT_ONCE: usize = 1 << 16;

/// The centre and spread of every scaled channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scaler {
    /// Scaled values are clipped to ± this many spreads.
    pub clip: f64,
    /// In the order of the configuration.
    pub timeframes: Vec<TimeframeScale>,
}

/// The scales of one timeframe's channels, and what they were fitted on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimeframeScale {
    /// The timeframe.
    pub timeframe: Timeframe,
    /// How many rows were fitted on, over all symbols.
    pub rows: u64,
    /// blake3 of those rows' bytes, in hexadecimal.
    pub rows_blake3: String,
    /// One for each channel of the table.
    pub channels: Vec<ChannelScale>,
}

/// How one channel is scaled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChannelScale {
    /// The channel.
    pub channel: String,
    /// `None` for channels that are never scaled: phases, counts, ages and flags.
    pub scale: Option<Scale>,
}

/// x becomes (x − centre) / spread.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scale {
    /// Which pair this is: a robust scaler falls back to [`ScalingKind::Standard`] where the MAD is near zero.
    pub kind: ScalingKind,
    /// Median or mean, in the channel's unit.
    pub centre: f64,
    /// 1.4826 · MAD or standard deviation (of the population), in the channel's unit; 1 for a constant channel.
    pub spread: f64,
}

impl Scaler {
    /// Fits on the usable rows that decisions by the end of `train` could see. `tables` are per symbol and timeframe.
    #[must_use]
    pub fn fit(train: TrainSplit, tables: &[Vec<Table>], inputs: &[InputLayout], spec: &ScalingSpec) -> Self {
        let timeframes = inputs.iter().enumerate().map(|(timeframe, layout)| {
            let known = tables.iter().flat_map(|symbol| {
                train.parts().filter_map(move |part| {
                    let last = last_decision(symbol, part.until())?;
                    Some((symbol.get(timeframe)?, part.from(), last))
                })
            });
            TimeframeScale::fit(&known.collect::<Vec<_>>(), layout, spec.kind)
        });
        Self { clip: spec.clip, timeframes: timeframes.collect() }
    }

    /// Scales `table`, of the timeframe at this place in the configuration, in place.
    pub(crate) fn apply(&self, timeframe: usize, table: &mut Table) {
        let Some(fitted) = self.timeframes.get(timeframe) else { return };
        let width = table.width();
        for row in table.values_mut().chunks_exact_mut(width) {
            for (value, channel) in row.iter_mut().zip(&fitted.channels) {
                if let Some(scale) = &channel.scale {
                    *value = self.scaled(scale, *value);
                }
            }
        }
    }

    /// `value`, in its channel's unit, on the scale of its channel.
    pub(crate) fn scaled(&self, scale: &Scale, value: f32) -> f32 {
        let scaled = (f64::from(value) - scale.centre) / scale.spread;
        scaled.clamp(-self.clip, self.clip) as f32
    }

    /// Whether this scaler can be applied to tables of this layout.
    pub(crate) fn fits(&self, inputs: &[InputLayout]) -> bool {
        let scales =
            || self.timeframes.iter().flat_map(|fitted| &fitted.channels).filter_map(|channel| channel.scale);
        self.clip > 0.0
            && scales().all(|scale| scale.spread > 0.0)
            && self.timeframes.len() == inputs.len()
            && self.timeframes.iter().zip(inputs).all(|(fitted, layout)| {
                fitted.timeframe == layout.timeframe
                    && fitted.channels.iter().map(|channel| &channel.channel).eq(&layout.channels)
            })
    }
}

impl TimeframeScale {
    /// Fits on the usable rows of each table that are available from its first instant to its second.
    fn fit(tables: &[(&Table, Timestamp, Timestamp)], layout: &InputLayout, kind: ScalingKind) -> Self {
        let rows: Vec<&[f32]> =
            tables.iter().flat_map(|(table, from, until)| usable_rows(table, *from, *until)).collect();
        let column = |channel: usize| rows.iter().map(|row| f64::from(row[channel])).collect();
        let channels =
            layout.channels.par_iter().zip(&layout.units).enumerate().map(|(index, (name, unit))| {
                let scale = unit.is_scaled().then(|| Scale::fit(column(index), kind));
                ChannelScale { channel: name.clone(), scale }
            });
        Self {
            timeframe: layout.timeframe,
            channels: channels.collect(),
            rows: rows.len() as u64,
            rows_blake3: hash(&rows),
        }
    }
}

/// The last decision of a symbol with these tables that is not after `until`. What is available later than that, such as a
/// higher bar that ends in a pause of the base, no decision has seen.
fn last_decision(tables: &[Table], until: Timestamp) -> Option<Timestamp> {
    let decisions = tables.first()?.available_at();
    decisions[..decisions.partition_point(|&decision| decision <= until)].last().copied()
}

fn usable_rows(table: &Table, from: Timestamp, until: Timestamp) -> impl Iterator<Item = &[f32]> {
    let first = table.available_at().partition_point(|&available| available < from);
    let known = table.available_at().partition_point(|&available| available <= until);
    (first..known).filter(|&row| table.usable_rows(row) > 0).map(|row| table.row(row))
}

fn hash(rows: &[&[f32]]) -> String {
    let mut hasher = blake3::Hasher::new();
    let mut bytes = Vec::with_capacity(HASHED_AT_ONCE);
    for row in rows {
        bytes.extend(row.iter().flat_map(|value| value.to_le_bytes()));
        if bytes.len() >= HASHED_AT_ONCE {
            hasher.update(&bytes);
            bytes.clear();
        }
    }
    hasher.update(&bytes).finalize().to_hex().to_string()
}

impl Scale {
    /// The scale of `values`, which are finite. Without any, the one that changes nothing.
    fn fit(mut values: Vec<f64>, kind: ScalingKind) -> Self {
        let standard = Self::standard(&values);
        if kind == ScalingKind::Standard || values.is_empty() {
            return standard;
        }
        let usual = DECILES_TO_STD * (quantile(&mut values, 0.9) - quantile(&mut values, 0.1));
        let centre = median(&mut values);
        values.iter_mut().for_each(|value| *value = (*value - centre).abs());
        let spread = MAD_TO_STD * median(&mut values);
        let near_zero = spread <= MAD_NEAR_ZERO * usual || spread <= ROUNDING * centre.abs();
        if near_zero { standard } else { Self { kind, centre, spread } }
    }

    pub(crate) fn standard(values: &[f64]) -> Self {
        let count = values.len().max(1) as f64;
        let centre = values.iter().sum::<f64>() / count;
        let variance = values.iter().map(|value| (value - centre).powi(2)).sum::<f64>() / count;
        let largest = values.iter().fold(0.0, |largest: f64, value| largest.max(value.abs()));
        let constant = variance.sqrt() <= ROUNDING * largest;
        let spread = if constant { 1.0 } else { variance.sqrt() };
        Self { kind: ScalingKind::Standard, centre, spread }
    }
}

/// The value above this share of the others. Reorders `values`, of which there is at least one.
fn quantile(values: &mut [f64], share: f64) -> f64 {
    let place = (share * (values.len() - 1) as f64).round() as usize;
    *values.select_nth_unstable_by(place, f64::total_cmp).1
}

/// The middle value, or the mean of the two in the middle. Reorders `values`, of which there is at least one.
fn median(values: &mut [f64]) -> f64 {
    let half = values.len() / 2;
    let even = values.len().is_multiple_of(2);
    let (below, &mut upper, _) = values.select_nth_unstable_by(half, f64::total_cmp);
    let lower = below.iter().copied().max_by(f64::total_cmp).filter(|_| even).unwrap_or(upper);
    0.5 * (lower + upper)
}
