//! From bars to a data set, in two stages: what is the same whatever was learned, and what is learned.

use rayon::prelude::*;

use super::Pipeline;
use crate::bar::Bars;
use crate::dataset::{Dataset, Fitted, FittedTarget};
use crate::error::DataError;
use crate::fingerprint::Fingerprint;
use crate::gap::{Gap, long_gaps};
use crate::label::{FittedLabel, LabelSpec, Places, UnfittedLabel};
use crate::price::PricePath;
use crate::resample::resample;
use crate::scale::Scaler;
use crate::spec::Symbol;
use crate::split::{Blocks, SplitInstants};
use crate::table::Table;
use crate::time::Timestamp;
use crate::window::{SymbolWindows, WindowIndex, WindowRules};

impl Pipeline {
    /// Makes samples of base bars, one [`Bars`] per symbol in ascending order, each sorted by time. Resolves the split and
    /// fits everything that is fitted on its train rows.
    ///
    /// # Errors
    /// Bars that are not as promised, no sample at all, an empty block, or a label that cannot be fitted.
    pub fn prepare(&self, bars: Vec<Bars>, labels: &[LabelSpec]) -> Result<Dataset, DataError> {
        let (unscaled, fingerprint) = self.read_off(bars)?;
        self.finish(unscaled, labels, Fit::Resolve, fingerprint)
    }

    /// As [`prepare`](Self::prepare), but learns nothing: split instants, scaler, target scalings and thresholds are those
    /// of `frozen`. A block may be empty.
    ///
    /// # Errors
    /// As [`prepare`](Self::prepare), and [`DataError::ApplyFitted`] when `frozen` belongs to other inputs or labels.
    pub fn prepare_with(
        &self,
        bars: Vec<Bars>,
        labels: &[LabelSpec],
        frozen: &Fitted,
    ) -> Result<Dataset, DataError> {
        if !frozen.scaler.fits(&self.inputs) {
            return Err(DataError::ApplyFitted {
                problem: "its scaler has other timeframes or channels, or no spread",
            });
        }
        if !frozen.labels.iter().map(|target| &target.spec).eq(labels) {
            return Err(DataError::ApplyFitted { problem: "it has other labels, or in another order" });
        }
        let flat = |target: &FittedTarget| matches!(target.fitted, FittedLabel::Regression { std, .. } if std.is_nan() || std <= 0.0);
        if frozen.labels.iter().any(flat) {
            return Err(DataError::ApplyFitted { problem: "a label has no standard deviation" });
        }
        let (unscaled, fingerprint) = self.read_off(bars)?;
        self.finish(unscaled, labels, Fit::Reuse(frozen), fingerprint)
    }
}

/// All that does not depend on what was learned.
#[derive(Clone, Debug)]
pub(crate) struct Unscaled {
    pub(crate) symbols: Vec<Symbol>,
    pub(crate) paths: Vec<PricePath>,
    /// By symbol and then timeframe.
    pub(crate) tables: Vec<Vec<Table>>,
    pub(crate) windows: WindowIndex,
    /// Base bars of all symbols that open on the stride's grid.
    pub(crate) on_grid: usize,
}

/// Where what is learned comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fit<'a> {
    /// The split's shares, and then its train rows.
    Resolve,
    /// The train rows of these instants.
    At(SplitInstants),
    /// An earlier fit.
    Reuse(&'a Fitted),
}

/// One symbol's part of [`Unscaled`].
struct SymbolParts {
    path: PricePath,
    tables: Vec<Table>,
    windows: SymbolWindows,
}

impl Pipeline {
    pub(crate) fn unscaled(&self, bars: &[Bars]) -> Result<Unscaled, DataError> {
        self.check_bars(bars)?;
        let parts: Vec<SymbolParts> =
            bars.par_iter().map(|base| self.symbol_parts(base)).collect::<Result<_, DataError>>()?;
        let mut unscaled = Unscaled {
            symbols: bars.iter().map(|bars| bars.symbol.clone()).collect(),
            paths: Vec::with_capacity(parts.len()),
            tables: Vec::with_capacity(parts.len()),
            windows: WindowIndex::default(),
            on_grid: 0,
        };
        let mut windows = Vec::with_capacity(parts.len());
        for part in parts {
            unscaled.paths.push(part.path);
            unscaled.tables.push(part.tables);
            unscaled.on_grid += part.windows.on_grid();
            windows.push(part.windows);
        }
        unscaled.windows = WindowIndex::merge(&windows, self.inputs.len())?;
        Ok(unscaled)
    }

    fn symbol_parts(&self, base: &Bars) -> Result<SymbolParts, DataError> {
        let gaps: Vec<Gap> = long_gaps(base, self.spec.max_gap);
        let higher: Vec<Bars> = self.inputs[1..]
            .par_iter()
            .map(|layout| resample(base, layout.timeframe))
            .collect::<Result<_, DataError>>()?;
        let bars: Vec<&Bars> = std::iter::once(base).chain(&higher).collect();
        let table = |(bars, layout): (&&Bars, _)| Table::build(bars, &gaps, &self.spec.features, layout);
        let tables: Vec<Table> = bars.par_iter().zip(&self.inputs).map(table).collect();
        let rules = WindowRules { inputs: &self.inputs, max_age: &self.max_age, stride: self.spec.stride };
        let windows = SymbolWindows::find(&bars, &tables, &gaps, rules);
        Ok(SymbolParts { path: PricePath::new(base, &gaps), tables, windows })
    }

    /// The unscaled form of `bars`, with at least one sample, and their fingerprint. Frees the bars.
    pub(super) fn read_off(&self, bars: Vec<Bars>) -> Result<(Unscaled, Fingerprint), DataError> {
        let unscaled = self.unscaled(&bars)?;
        self.check_windows(&unscaled)?;
        let fingerprint = Fingerprint::of_bars(&bars);
        drop(bars);
        Ok((unscaled, fingerprint))
    }

    /// Learns from train rows, or takes what was learned, and applies it.
    pub(crate) fn finish(
        &self,
        unscaled: Unscaled,
        labels: &[LabelSpec],
        fit: Fit<'_>,
        fingerprint: Fingerprint,
    ) -> Result<Dataset, DataError> {
        let Unscaled { symbols, paths, mut tables, windows, on_grid: _ } = unscaled;
        let places = Places { symbols: &symbols, paths: &paths, windows: &windows };
        if let Some(&label) = labels.iter().find(|label| label.horizon() == 0) {
            return Err(DataError::LabelHorizon { label });
        }
        let unfitted: Vec<UnfittedLabel> =
            labels.iter().map(|&spec| UnfittedLabel::measure(spec, places)).collect();
        let decisions = windows.decisions();
        let ends = last_ends(decisions, &unfitted);
        let blocks = match fit {
            Fit::Resolve => Blocks::resolve(decisions, &ends, &self.spec.split)?,
            Fit::At(instants) => Blocks::at(decisions, &ends, instants),
            Fit::Reuse(fitted) => Blocks::at(decisions, &ends, fitted.split),
        };
        let fitted = match fit {
            Fit::Reuse(fitted) => fitted.clone(),
            Fit::Resolve | Fit::At(_) => Fitted {
                split: blocks.instants(),
                scaler: Scaler::fit(blocks.train(), &tables, &self.inputs, &self.spec.scaling),
                labels: unfitted
                    .iter()
                    .map(|label| {
                        let fitted = label.fit(blocks.train(), places)?;
                        Ok(FittedTarget { spec: label.spec(), fitted })
                    })
                    .collect::<Result<Vec<_>, DataError>>()?,
            },
        };
        tables.par_iter_mut().for_each(|symbol| {
            symbol
                .par_iter_mut()
                .enumerate()
                .for_each(|(timeframe, table)| fitted.scaler.apply(timeframe, table));
        });
        let columns = unfitted
            .into_iter()
            .zip(&fitted.labels)
            .map(|(label, target)| label.finish(target.fitted.clone(), places));
        let labels = columns
            .collect::<Option<Vec<_>>>()
            .ok_or(DataError::ApplyFitted { problem: "a label is of another kind" })?;
        let (inputs, stride) = (self.inputs.clone(), self.spec.stride);
        let (max_age, augmentation) = (self.max_age.clone(), self.spec.augmentation);
        Ok(Dataset {
            inputs,
            symbols,
            paths,
            tables,
            windows,
            labels,
            blocks,
            fitted,
            fingerprint,
            stride,
            max_age,
            augmentation,
        })
    }

    fn check_bars(&self, bars: &[Bars]) -> Result<(), DataError> {
        if let Some(pair) = bars.windows(2).find(|pair| pair[0].symbol >= pair[1].symbol) {
            return Err(DataError::OrderSymbols { symbol: pair[1].symbol.clone() });
        }
        bars.iter().try_for_each(|bars| {
            let (found, expected) = (bars.timeframe, self.base());
            if found != expected {
                return Err(DataError::BaseTimeframe { symbol: bars.symbol.clone(), found, expected });
            }
            match first_broken_row(bars) {
                Some((row, problem)) => Err(DataError::UseBars { symbol: bars.symbol.clone(), row, problem }),
                None => Ok(()),
            }
        })
    }

    pub(crate) fn check_windows(&self, unscaled: &Unscaled) -> Result<(), DataError> {
        if !unscaled.windows.is_empty() {
            return Ok(());
        }
        let bars = unscaled.paths.iter().map(|path| path.close().len()).sum();
        let (on_grid, stride) = (unscaled.on_grid, self.spec.stride);
        if on_grid == 0 && bars > 0 {
            return Err(DataError::FindDecisions { bars, stride, timeframe: self.base() });
        }
        let warm_up = self.spec.features.iter().map(|feature| feature.feature().warm_up()).max().unwrap_or(0);
        let need = self.inputs.iter().map(|layout| (layout.length.saturating_add(warm_up), layout.timeframe));
        let (longest, timeframe) = need
            .max_by_key(|(bars, timeframe)| *bars as i128 * i128::from(timeframe.nanos()))
            .unwrap_or((0, self.base()));
        Err(DataError::FindWindows { bars, on_grid, stride, longest, timeframe })
    }
}

/// By sample id: the end of its last label.
pub(super) fn last_ends(decisions: &[Timestamp], labels: &[UnfittedLabel]) -> Vec<Timestamp> {
    let mut ends = decisions.to_vec();
    for label in labels {
        for (last, &end) in ends.iter_mut().zip(label.end()) {
            *last = end.max(*last);
        }
    }
    ends
}

/// The first row that breaks the promises of [`Bars`], and how.
fn first_broken_row(bars: &Bars) -> Option<(usize, &'static str)> {
    let rows = bars.len();
    let prices = [&bars.open, &bars.high, &bars.low, &bars.close];
    let shortest = prices
        .iter()
        .map(|column| column.len())
        .chain([bars.volume.len(), bars.close_time.len(), bars.available_at.len()])
        .min();
    if let Some(shortest) = shortest.filter(|&shortest| shortest < rows) {
        return Some((shortest, "is missing in a column"));
    }
    if rows >= u32::MAX as usize {
        return Some((rows - 1, "is more than 32 bits can count"));
    }
    (0..rows).find_map(|row| {
        let before = row.checked_sub(1);
        let (open, close, available) = (bars.open_time[row], bars.close_time[row], bars.available_at[row]);
        if close <= open || available < close {
            Some((row, "ends before it starts or is available before it ends"))
        } else if before.is_some_and(|before| bars.open_time[before] >= open) {
            Some((row, "does not start after the one above it"))
        } else if before.is_some_and(|before| bars.available_at[before] >= available) {
            Some((row, "is not available later than the one above it"))
        } else if prices.iter().any(|price| !(price[row].is_finite() && price[row] > 0.0)) {
            Some((row, "has a price that is not a finite number above 0"))
        } else if !(bars.volume[row].is_finite() && bars.volume[row] >= 0.0) {
            Some((row, "has a volume that is not a finite number of at least 0"))
        } else {
            None
        }
    })
}
