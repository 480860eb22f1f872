//! The same bars, split anew for every fold.

use super::Pipeline;
use super::prepare::{Fit, Unscaled, last_ends};
use crate::bar::Bars;
use crate::dataset::Dataset;
use crate::error::DataError;
use crate::fingerprint::Fingerprint;
use crate::fold::{Decided, FoldsSpec, resolve};
use crate::label::{LabelSpec, Places, UnfittedLabel};
use crate::spec::Symbol;
use crate::split::SplitInstants;
use crate::time::Timestamp;
use crate::window::MASKED;

/// Bars with everything that is the same in all folds, and the instants of each. [`Pipeline::folds`] makes it; a fold becomes a
/// [`Dataset`] when it is asked for, so that one is held at a time.
#[derive(Clone, Debug)]
pub struct Folds {
    pipeline: Pipeline,
    labels: Vec<LabelSpec>,
    unscaled: Unscaled,
    fingerprint: Fingerprint,
    instants: Vec<SplitInstants>,
}

impl Pipeline {
    /// Makes the folds of `spec` from base bars, as [`prepare`](Self::prepare) makes one split of them.
    ///
    /// # Errors
    /// As [`prepare`](Self::prepare), and [`DataError::EmptyFold`].
    pub fn folds(&self, bars: Vec<Bars>, labels: &[LabelSpec], spec: &FoldsSpec) -> Result<Folds, DataError> {
        let (unscaled, fingerprint) = self.read_off(bars)?;
        let places =
            Places { symbols: &unscaled.symbols, paths: &unscaled.paths, windows: &unscaled.windows };
        let unfitted: Vec<UnfittedLabel> =
            labels.iter().map(|&spec| UnfittedLabel::measure(spec, places)).collect();
        let decisions = unscaled.windows.decisions();
        let decided = Decided {
            decisions,
            ends: &last_ends(decisions, &unfitted),
            seen_from: &self.seen_from(&unscaled, labels),
        };
        let instants = resolve(decided, spec, self.spec.split.train + self.spec.split.validation)?;
        Ok(Folds { pipeline: self.clone(), labels: labels.to_vec(), unscaled, fingerprint, instants })
    }

    /// By sample: the beginning of the oldest bar that anything about it before its decision is made of.
    fn seen_from(&self, unscaled: &Unscaled, labels: &[LabelSpec]) -> Vec<Timestamp> {
        let warm_up = self.spec.features.iter().map(|feature| feature.feature().warm_up()).max().unwrap_or(0);
        let trailing = labels.iter().map(LabelSpec::looks_back).max().unwrap_or(0);
        let (symbols, windows) = (unscaled.windows.symbols(), &unscaled.windows);
        let oldest = |sample: usize, timeframe: usize| {
            let layout = &self.inputs[timeframe];
            let end = windows.end_rows(timeframe)[sample];
            let table = &unscaled.tables[symbols[sample] as usize][timeframe];
            let back = if timeframe == 0 { trailing } else { 0 };
            let rows = (layout.length.saturating_add(warm_up).saturating_sub(1)).max(back);
            (end != MASKED).then(|| {
                let available = table.available_at()[(end as usize).saturating_sub(rows)];
                available.one_bar_before(layout.timeframe)
            })
        };
        let all =
            |sample: usize| (0..self.inputs.len()).filter_map(|timeframe| oldest(sample, timeframe)).min();
        (0..windows.len()).map(|sample| all(sample).unwrap_or(windows.decisions()[sample])).collect()
    }
}

impl Folds {
    /// The instants of every fold, in the order of their test blocks.
    #[must_use]
    pub fn instants(&self) -> &[SplitInstants] {
        &self.instants
    }

    /// The symbols, ascending.
    #[must_use]
    pub fn symbols(&self) -> &[Symbol] {
        &self.unscaled.symbols
    }

    /// The fingerprint of the base bars.
    #[must_use]
    pub fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    /// Fold number `fold`, counted from 0, with everything that is fitted fitted on its train rows.
    ///
    /// # Errors
    /// [`DataError::Lookup`] for a fold that does not exist; a label that cannot be fitted.
    pub fn dataset(&self, fold: usize) -> Result<Dataset, DataError> {
        let count = self.instants.len();
        let instants =
            *self.instants.get(fold).ok_or(DataError::Lookup { what: "fold", index: fold, count })?;
        let fingerprint = self.fingerprint.clone();
        self.pipeline.finish(self.unscaled.clone(), &self.labels, Fit::At(instants), fingerprint)
    }
}
