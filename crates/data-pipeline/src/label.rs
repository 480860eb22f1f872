//! What is forecast. Each label of a sample carries its end time: when the last bar it is made of became available. Labels
//! look forward from the decision's own base bar `t` and count base bars; one that would reach past the last bar or over a
//! long gap is absent, never 0.
//!
//! To add a label: a file under `label/`, a variant in [`LabelSpec`] and its line in each match below.

mod log_return;
mod realized_variance;
mod regime;

use garde::Report;
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::DataError;
use crate::price::{PricePath, Unreachable};
use crate::scale::Scale;
use crate::spec::Symbol;
use crate::split::TrainSplit;
use crate::time::Timestamp;
use crate::window::WindowIndex;

pub(crate) use regime::persistence;
pub use regime::{REGIME_TREND, REGIME_VOLATILE_QUANTILE, REGIME_VOLATILITY_BARS, Regime, RegimeThresholds};

/// A label by kind, with its horizon in base bars.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum LabelSpec {
    /// ln of the close `lag + horizon` bars ahead over the close `lag` bars ahead.
    LogReturn {
        /// Bars between entry and exit.
        horizon: usize,
        /// Bars between the decision and the entry.
        #[serde(default)]
        lag: usize,
    },
    /// ln of the sum of the next `horizon` squared log returns; absent where their mean is below
    /// [`VARIANCE_FLOOR`](crate::VARIANCE_FLOOR).
    LogRealizedVariance {
        /// Bars summed over.
        horizon: usize,
    },
    /// The [`Regime`] of the next `horizon` bars: a forecast, not a nowcast.
    BullBearSidewaysVolatile {
        /// Bars looked at.
        horizon: usize,
    },
}

impl LabelSpec {
    /// Bars between the price it starts from and the last it uses.
    #[must_use]
    pub const fn horizon(&self) -> usize {
        match self {
            Self::LogReturn { horizon, .. }
            | Self::LogRealizedVariance { horizon }
            | Self::BullBearSidewaysVolatile { horizon } => *horizon,
        }
    }

    /// Bars before the decision that trailing figures of this label are made of.
    #[must_use]
    pub const fn looks_back(&self) -> usize {
        match self {
            Self::LogReturn { .. } | Self::LogRealizedVariance { .. } => 0,
            Self::BullBearSidewaysVolatile { .. } => REGIME_VOLATILITY_BARS,
        }
    }

    /// Number of classes, or `None` for a label that is a number.
    #[must_use]
    pub const fn classes(&self) -> Option<usize> {
        match self {
            Self::LogReturn { .. } | Self::LogRealizedVariance { .. } => None,
            Self::BullBearSidewaysVolatile { .. } => Some(Regime::ALL.len()),
        }
    }

    /// What becomes of `value`, this label of a sample in its own unit, when every log return of the price path is multiplied
    /// by `factor`. A class stays: its thresholds are those of the path as it was.
    #[must_use]
    pub fn amplified(&self, value: f64, factor: f64) -> f64 {
        match self {
            Self::LogReturn { .. } => value * factor,
            Self::LogRealizedVariance { .. } => value + 2.0 * factor.ln(),
            Self::BullBearSidewaysVolatile { .. } => value,
        }
    }

    /// Whether this label can be made.
    ///
    /// # Errors
    /// All faults, with paths relative to the label.
    pub fn check(&self) -> Result<(), Report> {
        let mut report = Report::new();
        if self.horizon() == 0 {
            report.append(garde::Path::new("horizon"), garde::Error::new("must be at least 1 bar"));
        }
        if report.is_empty() { Ok(()) } else { Err(report) }
    }
}

impl std::fmt::Display for LabelSpec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::LogReturn { horizon, lag } => write!(f, "log_return over {horizon} bars, lag {lag}"),
            Self::LogRealizedVariance { horizon } => write!(f, "log_realized_variance over {horizon} bars"),
            Self::BullBearSidewaysVolatile { horizon } => {
                write!(f, "bull_bear_sideways_volatile over {horizon} bars")
            }
        }
    }
}

/// What was learned about one label from samples that are decided, and whose label ends, by the last train decision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum FittedLabel {
    /// Targets are (value − mean) / std.
    Regression {
        /// Mean, in the label's unit.
        mean: f64,
        /// Standard deviation (of the population), in the label's unit; 1 for a constant label.
        std: f64,
    },
    /// Targets are class indices.
    Regime {
        /// Where `volatile` begins.
        thresholds: RegimeThresholds,
        /// How many fitted samples were of each class, in the order of [`Regime::ALL`].
        class_counts: [u64; 4],
    },
}

/// One label of every sample.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct LabelColumn {
    /// Which label.
    pub spec: LabelSpec,
    /// What was learned about it.
    pub fitted: FittedLabel,
    /// By sample id: the label in its own unit, or the class index; NaN where absent.
    pub values: Vec<f32>,
    /// By sample id: when the last bar the label is made of became available; the decision time where no bar was used.
    pub end: Vec<Timestamp>,
    /// Why labels are absent, over all samples.
    pub absent: AbsentLabels,
}

/// How many labels are absent, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AbsentLabels {
    /// The horizon reaches past the last bar.
    pub past_the_end: usize,
    /// The horizon reaches over a long gap.
    pub beyond_gap: usize,
    /// The price hardly moved: a variance is below its floor.
    pub below_floor: usize,
    /// There are too few bars before the decision for a trailing figure.
    pub too_little_past: usize,
}

/// Why a label does not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Absence {
    PastTheEnd,
    BeyondGap,
    BelowFloor,
    TooLittlePast,
}

impl From<Unreachable> for Absence {
    fn from(reason: Unreachable) -> Self {
        match reason {
            Unreachable::PastTheEnd => Self::PastTheEnd,
            Unreachable::BeyondGap => Self::BeyondGap,
        }
    }
}

/// Samples as places on price paths.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Places<'a> {
    pub(crate) symbols: &'a [Symbol],
    pub(crate) paths: &'a [PricePath],
    pub(crate) windows: &'a WindowIndex,
}

impl<'a> Places<'a> {
    /// The path of `sample` and its base row on it.
    pub(crate) fn of(&self, sample: usize) -> (&'a PricePath, usize) {
        (&self.paths[self.windows.symbols()[sample] as usize], self.windows.end_rows(0)[sample] as usize)
    }

    fn each<T: Send>(&self, value: impl Fn(&PricePath, usize) -> T + Sync) -> Vec<T> {
        let at = |sample| {
            let (path, row) = self.of(sample);
            value(path, row)
        };
        (0..self.windows.len()).into_par_iter().map(at).collect()
    }
}

/// A label of every sample before anything was learned about it.
#[derive(Clone, Debug)]
pub(crate) struct UnfittedLabel {
    spec: LabelSpec,
    values: UnfittedValues,
    end: Vec<Timestamp>,
}

#[derive(Clone, Debug)]
enum UnfittedValues {
    Numbers(Vec<Result<f64, Absence>>),
    Outcomes(Vec<Result<regime::Outcome, Absence>>),
}

impl UnfittedLabel {
    pub(crate) fn measure(spec: LabelSpec, places: Places<'_>) -> Self {
        let values = match spec {
            LabelSpec::LogReturn { horizon, lag } => {
                UnfittedValues::Numbers(places.each(|path, row| log_return::at(path, row, horizon, lag)))
            }
            LabelSpec::LogRealizedVariance { horizon } => {
                UnfittedValues::Numbers(places.each(|path, row| realized_variance::at(path, row, horizon)))
            }
            LabelSpec::BullBearSidewaysVolatile { horizon } => {
                UnfittedValues::Outcomes(places.each(|path, row| regime::outcome(path, row, horizon)))
            }
        };
        let reach = match spec {
            LabelSpec::LogReturn { horizon, lag } => horizon.saturating_add(lag),
            LabelSpec::LogRealizedVariance { horizon } | LabelSpec::BullBearSidewaysVolatile { horizon } => {
                horizon
            }
        };
        let end = places.each(|path, row| path.available_at(path.ahead(row, reach).unwrap_or(row)));
        Self { spec, values, end }
    }

    pub(crate) fn spec(&self) -> LabelSpec {
        self.spec
    }

    /// By sample id.
    pub(crate) fn end(&self) -> &[Timestamp] {
        &self.end
    }

    /// Learns what there is to learn from samples that are decided, and whose label ends, by the last train decision.
    ///
    /// # Errors
    /// [`DataError::FitLabel`] when there is no such sample.
    pub(crate) fn fit(&self, train: TrainSplit, places: Places<'_>) -> Result<FittedLabel, DataError> {
        let known = train
            .parts()
            .flat_map(|part| part.decided().filter(move |&sample| self.end[sample] <= part.until()));
        let nothing = DataError::FitLabel { label: self.spec };
        match &self.values {
            UnfittedValues::Numbers(values) => {
                let numbers: Vec<f64> = known.filter_map(|sample| values[sample].ok()).collect();
                if numbers.is_empty() {
                    return Err(nothing);
                }
                let scale = Scale::standard(&numbers);
                Ok(FittedLabel::Regression { mean: scale.centre, std: scale.spread })
            }
            UnfittedValues::Outcomes(outcomes) => {
                let name = |sample: usize| &places.symbols[places.windows.symbols()[sample] as usize];
                let known: Vec<_> =
                    known.filter_map(|sample| Some((name(sample), outcomes[sample].ok()?))).collect();
                let thresholds = RegimeThresholds::fit(&known).ok_or(nothing)?;
                let mut class_counts = [0; 4];
                for (symbol, outcome) in &known {
                    class_counts[thresholds.classify(symbol, outcome).index()] += 1;
                }
                Ok(FittedLabel::Regime { thresholds, class_counts })
            }
        }
    }

    /// The finished column. `None` when `fitted` is of another kind of label.
    pub(crate) fn finish(self, fitted: FittedLabel, places: Places<'_>) -> Option<LabelColumn> {
        let mut absent = AbsentLabels::default();
        let mut or_count = |value: Result<f32, Absence>| {
            value.unwrap_or_else(|reason| {
                *match reason {
                    Absence::PastTheEnd => &mut absent.past_the_end,
                    Absence::BeyondGap => &mut absent.beyond_gap,
                    Absence::BelowFloor => &mut absent.below_floor,
                    Absence::TooLittlePast => &mut absent.too_little_past,
                } += 1;
                f32::NAN
            })
        };
        let values = match (&self.values, &fitted) {
            (UnfittedValues::Numbers(values), FittedLabel::Regression { .. }) => {
                values.iter().map(|value| or_count(value.map(|number| number as f32))).collect()
            }
            (UnfittedValues::Outcomes(outcomes), FittedLabel::Regime { thresholds, .. }) => {
                let class = |(&symbol, outcome): (&u32, &Result<regime::Outcome, Absence>)| {
                    let symbol = &places.symbols[symbol as usize];
                    or_count(
                        outcome
                            .as_ref()
                            .map(|it| thresholds.classify(symbol, it).index() as f32)
                            .map_err(|&e| e),
                    )
                };
                places.windows.symbols().iter().zip(outcomes).map(class).collect()
            }
            _ => return None,
        };
        Some(LabelColumn { spec: self.spec, fitted, values, end: self.end, absent })
    }
}
