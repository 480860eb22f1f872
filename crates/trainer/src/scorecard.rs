//! What is said about a trained network on one span: every score with its interval, the naive baselines beside it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A score and its 95 % moving-block bootstrap interval. `None` means undefined, never zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The score on the whole span.
    pub value: Option<f64>,
    /// The interval's lower end.
    pub low: Option<f64>,
    /// The interval's upper end.
    pub high: Option<f64>,
}

/// All scores of one span.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scorecard {
    /// `train`, `validation` or `test`.
    pub split: String,
    /// Decisions scored.
    pub samples: usize,
    /// First decision, RFC 3339.
    pub from: String,
    /// Last decision, RFC 3339.
    pub to: String,
    /// Every metric by its full name `<split>/<task>/h<horizon>/<metric>`.
    pub metrics: BTreeMap<String, Option<f64>>,
    /// One per price horizon.
    pub price: Vec<PriceScore>,
    /// One per volatility horizon.
    pub volatility: Vec<VolatilityScore>,
    /// One per regime horizon.
    pub regime: Vec<RegimeScore>,
    /// The features before the heads.
    pub features: FeatureScore,
    /// What each feature alone says of each outcome that is a number.
    #[serde(default)]
    pub feature_ics: Vec<FeatureIc>,
}

/// What each feature alone says of one outcome, on an even choice of the span's decisions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FeatureIc {
    /// The task's name.
    pub task: String,
    /// Base bars ahead.
    pub horizon: usize,
    /// Decisions looked at.
    pub rows: usize,
    /// Rank IC of each feature, a mean over symbols; `None` where the feature does not vary.
    pub rank_ic: Vec<Option<f64>>,
    /// How many of them are told from 0 when 5 % of those may be false (Benjamini and Hochberg 1995).
    pub discoveries: usize,
}

/// Scores of a return forecast, in return units.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PriceScore {
    /// The task's name.
    pub task: String,
    /// Base bars ahead.
    pub horizon: usize,
    /// Decisions with a complete label.
    pub rows: usize,
    /// Mean over symbols of each symbol's Pearson correlation over time.
    pub ic_series: Estimate,
    /// The same on ranks.
    pub rank_ic_series: Estimate,
    /// Mean over decision times of the rank correlation over symbols; undefined under 10 symbols.
    pub rank_ic_cross: Estimate,
    /// 1 − Σ(y−ŷ)²/Σy².
    pub r2_zero: Option<f64>,
    /// Mean absolute error of the log return.
    pub mae: Option<f64>,
    /// Root mean squared error of the log return.
    pub rmse: Option<f64>,
    /// Share of right signs among called decisions: those whose forecast and return are both not zero.
    pub directional_accuracy: Option<f64>,
    /// Share of called decisions, of which `directional_accuracy` speaks, among all.
    pub called_share: Option<f64>,
    /// What the distribution that was forecast is worth, where one was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distribution: Option<DistributionScore>,
    /// Rank IC of each symbol.
    pub per_symbol: Vec<(String, Option<f64>)>,
    /// On the built-in market: the IC of the best possible forecast on the same rows.
    pub best_possible_ic: Option<f64>,
    /// Naive forecasts on the same rows.
    pub baselines: Vec<PriceBaseline>,
    /// At most 2,000 pairs (forecast, realised), spread evenly over the span and over symbols.
    pub pairs: Vec<(f32, f32)>,
}

/// Scores of forecasts that say how sure they are, in return units.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct DistributionScore {
    /// Share of outcomes that the central interval is to hold.
    pub nominal_coverage: f64,
    /// Share that it holds.
    pub coverage: Option<f64>,
    /// Of quantiles: mean pinball loss over rows and the three of them.
    pub pinball: Option<f64>,
    /// Of normal distributions: mean negative log likelihood, in nats.
    pub nll: Option<f64>,
    /// Of normal distributions: mean continuous ranked probability score.
    pub crps: Option<f64>,
}

/// A naive return forecast.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PriceBaseline {
    /// `zero`; `train_mean`, that of each symbol; `persistence`, the return of as many bars before, or 0 where it is not
    /// known; `ridge_last_bar`.
    pub name: String,
    /// Per-series IC.
    pub ic_series: Option<f64>,
    /// Per-series rank IC.
    pub rank_ic_series: Option<f64>,
    /// R² against zero.
    pub r2_zero: Option<f64>,
    /// Share of right signs among called decisions.
    pub directional_accuracy: Option<f64>,
    /// Share of called decisions among all.
    pub called_share: Option<f64>,
}

/// Scores of a forecast of log realised variance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VolatilityScore {
    /// The task's name.
    pub task: String,
    /// Base bars ahead.
    pub horizon: usize,
    /// Decisions with a complete label above the floor.
    pub rows: usize,
    /// R² of the log forecast μ against each symbol's mean log over train rows (all symbols' mean for one without any): 0
    /// for a forecast that knows which symbol it is about and nothing else.
    pub r2_log: Option<f64>,
    /// QLIKE of exp(μ + s²/2), s² the mean squared residual of μ on the *validation* span: on that span itself it is measured
    /// on what it is scored on. Undefined where a variance is beyond all numbers.
    pub qlike: Option<f64>,
    /// Per-series rank IC. Its interval is drawn from blocks of a day or longer, since volatility follows the time of day; a
    /// span of fewer than eight of them has none.
    pub rank_ic_series: Estimate,
    /// Naive forecasts on the same rows.
    pub baselines: Vec<VolatilityBaseline>,
    /// At most 2,000 pairs (forecast, realised) of log variance.
    pub pairs: Vec<(f32, f32)>,
}

/// A naive variance forecast.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VolatilityBaseline {
    /// `train_mean`, that of each symbol; `persistence`, the variance of as many bars before; `ewma`, exponentially weighted.
    pub name: String,
    /// Decisions it has a forecast for and is scored on: `persistence` has none where the past is not known or stood still.
    pub rows: usize,
    /// R² of its log forecast, as above. That of `train_mean` is the mean of the logs; those of the others are the logs of
    /// their variances, moved by each symbol's mean log residual on train rows.
    pub r2_log: Option<f64>,
    /// QLIKE of its variance.
    pub qlike: Option<f64>,
}

/// Scores of a regime forecast.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RegimeScore {
    /// The task's name.
    pub task: String,
    /// Base bars ahead.
    pub horizon: usize,
    /// Decisions with a complete label.
    pub rows: usize,
    /// The classes' names, in the order of the rows and columns of `confusion`.
    pub classes: Vec<String>,
    /// Share of each class.
    pub shares: Vec<f64>,
    /// What a sample of each class counted for in training, from train rows; empty where all counted alike.
    #[serde(default)]
    pub class_weights: Vec<f64>,
    /// Share of right classes.
    pub accuracy: Option<f64>,
    /// Unweighted mean of the classes' F1.
    pub macro_f1: Option<f64>,
    /// Matthews correlation for K classes.
    pub mcc: Option<f64>,
    /// Expected calibration error, 15 bins of equal mass.
    pub ece: Option<f64>,
    /// What class scores are divided by so that the validation span is the most likely; undefined where no number does it.
    #[serde(default)]
    pub temperature: Option<f64>,
    /// Expected calibration error at that temperature: on the validation span itself, measured where it was fitted.
    #[serde(default)]
    pub ece_calibrated: Option<f64>,
    /// Decisions by true class (row) and predicted class (column).
    pub confusion: Vec<Vec<u64>>,
    /// Naive forecasts on the same rows.
    pub baselines: Vec<RegimeBaseline>,
}

/// A naive regime forecast.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RegimeBaseline {
    /// `majority`; `stratified`, classes drawn with their train shares; `persistence`.
    pub name: String,
    /// Share of right classes.
    pub accuracy: Option<f64>,
    /// Unweighted mean of the classes' F1.
    pub macro_f1: Option<f64>,
    /// Matthews correlation for K classes.
    pub mcc: Option<f64>,
}

/// How good the features before the heads are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FeatureScore {
    /// How many there are.
    pub dimensions: usize,
    /// Mean variance over dimensions.
    pub mean_variance: Option<f64>,
    /// Dimensions that hardly vary.
    pub dead: usize,
    /// Effective rank of their covariance; undefined above 512 dimensions.
    pub effective_rank: Option<f64>,
}
