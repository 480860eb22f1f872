//! What a trainer reads: scaled tables, the index of samples, labels, blocks, and everything learned on the way.

use serde::{Deserialize, Serialize};

use crate::augment::AugmentationSpec;
use crate::batch::Gather;
use crate::error::DataError;
use crate::fingerprint::Fingerprint;
use crate::label::{FittedLabel, LabelColumn, LabelSpec, Places, Regime, persistence};
use crate::price::PricePath;
use crate::scale::Scaler;
use crate::spec::Symbol;
use crate::split::{Blocks, Purged, Split, SplitInstants};
use crate::table::{InputLayout, Table};
use crate::time::Span;
use crate::window::WindowIndex;

/// Everything that was learned from train rows, and where they ended. It goes into the artefact, so that new bars are
/// treated like those that were trained on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fitted {
    /// Where the blocks begin.
    pub split: SplitInstants,
    /// The scale of every channel.
    pub scaler: Scaler,
    /// One for each label, in their order.
    pub labels: Vec<FittedTarget>,
}

/// A label and what was learned about it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FittedTarget {
    /// Which label.
    pub spec: LabelSpec,
    /// Its scaling or thresholds.
    pub fitted: FittedLabel,
}

/// Samples ready to be gathered into batches. Made by [`Pipeline::prepare`](crate::Pipeline::prepare).
///
/// A sample is named by its id, its place in the order of (decision time, symbol).
#[derive(Clone, Debug)]
pub struct Dataset {
    pub(crate) inputs: Vec<InputLayout>,
    pub(crate) symbols: Vec<Symbol>,
    pub(crate) paths: Vec<PricePath>,
    pub(crate) tables: Vec<Vec<Table>>,
    pub(crate) windows: WindowIndex,
    pub(crate) labels: Vec<LabelColumn>,
    pub(crate) blocks: Blocks,
    pub(crate) fitted: Fitted,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) stride: usize,
    /// Per timeframe.
    pub(crate) max_age: Vec<Option<Span>>,
    pub(crate) augmentation: Option<AugmentationSpec>,
}

impl Dataset {
    /// What a network reads, per timeframe; the base is first.
    #[must_use]
    pub fn inputs(&self) -> &[InputLayout] {
        &self.inputs
    }

    /// The symbols, ascending.
    #[must_use]
    pub fn symbols(&self) -> &[Symbol] {
        &self.symbols
    }

    /// Scaled tables, by symbol and then timeframe.
    #[must_use]
    pub fn tables(&self) -> &[Vec<Table>] {
        &self.tables
    }

    /// Per sample its symbol, decision time and end rows.
    #[must_use]
    pub fn windows(&self) -> &WindowIndex {
        &self.windows
    }

    /// The ids of the samples in `split`, ascending. Purged samples are in none.
    #[must_use]
    pub fn samples(&self, split: Split) -> &[u32] {
        self.blocks.samples(split)
    }

    /// One column per label, in the order they were asked for.
    #[must_use]
    pub fn labels(&self) -> &[LabelColumn] {
        &self.labels
    }

    /// Everything learned from train rows.
    #[must_use]
    pub fn fitted(&self) -> &Fitted {
        &self.fitted
    }

    /// The fingerprint of the base bars, whatever was made of them: two data sets with one fingerprint test on one span.
    #[must_use]
    pub fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    /// Base bars from one decision to the next.
    #[must_use]
    pub fn stride(&self) -> usize {
        self.stride
    }

    /// How many samples were purged.
    #[must_use]
    pub fn purged(&self) -> Purged {
        self.blocks.purged()
    }

    /// How old the newest visible bar of `timeframe` is when `sample` is decided, in bars of that timeframe: what
    /// [`WindowTransform::Age`](crate::WindowTransform::Age) writes. 0 where the window is masked.
    ///
    /// # Errors
    /// [`DataError::Lookup`] for a timeframe or sample that does not exist.
    pub fn age(&self, timeframe: usize, sample: u32) -> Result<f32, DataError> {
        self.check_timeframe(timeframe)?;
        self.check_samples(&[sample])?;
        Ok(self.gather().age(timeframe, sample as usize))
    }

    /// The scaled channels of the base bar on which `sample` is decided: what a linear baseline reads.
    ///
    /// # Errors
    /// [`DataError::Lookup`] for a sample that does not exist.
    pub fn last_bar_features(&self, sample: u32) -> Result<&[f32], DataError> {
        self.check_samples(&[sample])?;
        let end = self.windows.end_rows(0)[sample as usize];
        let symbol = self.windows.symbols()[sample as usize];
        Ok(self.tables[symbol as usize][0].row(end as usize))
    }

    /// The squared log return of every base bar of a symbol, by base row; 0 for the first bar and for the first after each
    /// long gap, which have none. Empty where there is no such symbol.
    #[must_use]
    pub fn squared_returns(&self, symbol: usize) -> Vec<f64> {
        self.paths.get(symbol).map_or_else(Vec::new, PricePath::squared_returns)
    }

    /// The closing price of the base bar on which `sample` is decided. NaN for a sample that does not exist.
    #[must_use]
    pub fn close(&self, sample: u32) -> f64 {
        self.place(sample).map_or(f64::NAN, |(path, row)| path.close()[row])
    }

    /// The log return of the last `bars` base bars up to the decision. NaN where a long gap or the first bar is in the way.
    #[must_use]
    pub fn past_return(&self, sample: u32, bars: usize) -> f64 {
        self.past(sample, bars, PricePath::log_return)
    }

    /// Σ of the squared log returns of the last `bars` base bars up to the decision. NaN where a long gap or the first bar
    /// is in the way.
    #[must_use]
    pub fn past_realized_variance(&self, sample: u32, bars: usize) -> f64 {
        self.past(sample, bars, PricePath::realized_variance)
    }

    /// The regime of the horizon that ended with the decision, by the thresholds of the label at `label`: what a forecast
    /// of "no change" says. `None` where it is not known, or where that label has no regimes.
    #[must_use]
    pub fn past_regime(&self, sample: u32, label: usize) -> Option<Regime> {
        let column = self.labels.get(label)?;
        let (LabelSpec::BullBearSidewaysVolatile { horizon }, FittedLabel::Regime { thresholds, .. }) =
            (column.spec, &column.fitted)
        else {
            return None;
        };
        let (path, row) = self.place(sample)?;
        let symbol = &self.symbols[self.windows.symbols()[sample as usize] as usize];
        persistence(path, row, horizon, symbol, thresholds)
    }

    /// Built-in market only: the best possible forecast of the next base bar's log return at the decision.
    #[must_use]
    pub fn oracle(&self, sample: u32) -> Option<f64> {
        let (path, row) = self.place(sample)?;
        path.oracle(row)
    }

    fn past(&self, sample: u32, bars: usize, figure: impl Fn(&PricePath, usize, usize) -> f64) -> f64 {
        let figure = |(path, row): (&PricePath, usize)| Some(figure(path, path.behind(row, bars)?, row));
        self.place(sample).and_then(figure).unwrap_or(f64::NAN)
    }

    /// The price path `sample` is on, and its base row.
    fn place(&self, sample: u32) -> Option<(&PricePath, usize)> {
        let places = Places { symbols: &self.symbols, paths: &self.paths, windows: &self.windows };
        ((sample as usize) < self.windows.len()).then(|| places.of(sample as usize))
    }

    pub(crate) fn gather(&self) -> Gather<'_> {
        Gather { inputs: &self.inputs, tables: &self.tables, windows: &self.windows }
    }

    pub(crate) fn check_timeframe(&self, timeframe: usize) -> Result<&InputLayout, DataError> {
        let count = self.inputs.len();
        self.inputs.get(timeframe).ok_or(DataError::Lookup { what: "timeframe", index: timeframe, count })
    }

    pub(crate) fn check_samples(&self, samples: &[u32]) -> Result<(), DataError> {
        let count = self.windows.len();
        match samples.iter().find(|&&sample| sample as usize >= count) {
            Some(&sample) => Err(DataError::Lookup { what: "sample", index: sample as usize, count }),
            None => Ok(()),
        }
    }
}
