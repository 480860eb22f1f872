//! The `data:` section as a user writes it. Every key has a default; unknown keys are refused.
//! [`DataSpec::check`] turns it into a [`Pipeline`](crate::Pipeline) or names every fault at once.

mod text;

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::augment::AugmentationSpec;
use crate::feature::FeatureSpec;
use crate::time::{Span, Timeframe, Timestamp};

pub use text::{
    Ambiguous, DecimalMark, EpochUnit, Header, TextSpec, TextTimeSpec, TimeFormat, TimeFormatError,
};

/// Bars per window when `sequence_length` is not given.
pub const DEFAULT_SEQUENCE_LENGTH: usize = 60;

/// Where bars come from and what is made of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DataSpec {
    /// Files with bars, or the built-in market.
    pub source: SourceSpec,
    /// What to do with bars that cannot be true.
    pub audit: AuditSpec,
    /// Named rules that mend bars before anything else sees them, in this order; each use is counted.
    pub repair: Vec<RepairSpec>,
    /// The first is the base, on which decisions are made; the others are resampled from it.
    pub timeframes: Vec<Timeframe>,
    /// Bars per window: one number for all timeframes, or one for each.
    pub sequence_length: SequenceLengthSpec,
    /// By timeframe: when the newest visible bar is older than this at the decision, its window is masked.
    pub max_age: BTreeMap<Timeframe, Span>,
    /// No window reaches back over a gap between base bars longer than this. 4 days let weekends and holidays through.
    pub max_gap: Span,
    /// What is computed from each bar, in the order of the channels.
    pub features: Vec<FeatureSpec>,
    /// How features are brought to one scale; fitted on train rows only.
    pub scaling: ScalingSpec,
    /// How decisions are shared out; labels that reach over a boundary are purged, always.
    pub split: SplitSpec,
    /// A decision every so many base bars.
    pub stride: usize,
    /// What is done to train samples so that no two epochs see them alike; nothing unless it is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub augmentation: Option<AugmentationSpec>,
}

impl Default for DataSpec {
    fn default() -> Self {
        Self {
            source: SourceSpec::default(),
            audit: AuditSpec::default(),
            repair: Vec::new(),
            timeframes: ["5m", "15m", "1h"].iter().filter_map(|text| text.parse().ok()).collect(),
            sequence_length: SequenceLengthSpec::Same(DEFAULT_SEQUENCE_LENGTH),
            max_age: BTreeMap::new(),
            max_gap: Span::from_nanos(4 * crate::time::DAY),
            features: FeatureSpec::DEFAULT.to_vec(),
            scaling: ScalingSpec::default(),
            split: SplitSpec::default(),
            stride: 1,
            augmentation: None,
        }
    }
}

/// Either `path` (files) or `synthetic` (the built-in market). With neither, the built-in market with its defaults.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SourceSpec {
    /// A file named for its symbol, a folder of such files or of `timeframe=5m/symbol=BTCUSDT` folders, or a glob such as
    /// `bars/**/*.csv`; with `columns.symbol`, files of several symbols.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<PathBuf>,
    /// How the files are written.
    pub format: FormatSpec,
    /// How csv and tsv are written in detail; ISO times in UTC and a header unless it says otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<TextSpec>,
    /// Does the time column name a bar's open or its close? Required with `path`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stamp: Option<Stamp>,
    /// Which symbols to read.
    pub symbols: SymbolsSpec,
    /// Bars that open before this instant are left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<Timestamp>,
    /// Bars that open at this instant or later are left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<Timestamp>,
    /// The columns' names in the file.
    pub columns: ColumnsSpec,
    /// How long after its close a bar can be known.
    pub publication_lag: Span,
    /// The built-in market, instead of `path`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub synthetic: Option<SyntheticSpec>,
}

/// How files with bars are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FormatSpec {
    /// By the ending of the files: `.parquet`, `.csv` or `.tsv`.
    #[default]
    Auto,
    /// Apache Parquet.
    Parquet,
    /// Text with a comma, or `text.delimiter`, between cells.
    Csv,
    /// Text with a tab between cells.
    Tsv,
}

/// Which end of a bar its time stamp names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stamp {
    /// The stamp is the bar's first instant.
    Open,
    /// The stamp is the instant the bar ended.
    Close,
}

/// A ticker. Numbers are taken as they are written, so that `600519` and `0700` need no quotes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct Symbol(String);

impl Symbol {
    /// The symbol called `name`.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// Its name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Symbol {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Symbol {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Name;
        impl serde::de::Visitor<'_> for Name {
            type Value = Symbol;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a symbol")
            }

            fn visit_str<E>(self, text: &str) -> Result<Symbol, E> {
                Ok(Symbol(text.into()))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Symbol, E> {
                Ok(Symbol(number.to_string()))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Symbol, E> {
                Ok(Symbol(number.to_string()))
            }
        }
        deserializer.deserialize_any(Name)
    }
}

/// `all`, or a list of symbols.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected `all` or a list of symbols such as [BTCUSDT, ETHUSDT]")]
pub enum SymbolsSpec {
    /// Every symbol the source has.
    #[default]
    #[serde(with = "all")]
    #[schemars(with = "String", extend("const" = "all"))]
    All,
    /// These and no others; one that is missing is an error.
    Only(Vec<Symbol>),
}

mod all {
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(super) fn serialize<S: Serializer>(serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("all")
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(), D::Error> {
        let word = String::deserialize(deserializer)?;
        if word == "all" { Ok(()) } else { Err(de::Error::custom("expected `all`")) }
    }
}

/// The names of the columns in the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ColumnsSpec {
    /// The bar's time stamp; its date, where the time of day stands in a column of its own.
    pub timestamp: String,
    /// The time of day, in a text that has it in a column of its own; `text.time.format` reads both, a space between them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_of_day: Option<String>,
    /// First price.
    pub open: String,
    /// Highest price.
    pub high: String,
    /// Lowest price.
    pub low: String,
    /// Last price.
    pub close: String,
    /// Traded volume; null where there is none, which is read as 0 and noted in the audit.
    pub volume: Option<String>,
    /// The symbol, where one file holds several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub symbol: Option<String>,
}

impl Default for ColumnsSpec {
    fn default() -> Self {
        Self {
            timestamp: "timestamp".into(),
            time_of_day: None,
            open: "open".into(),
            high: "high".into(),
            low: "low".into(),
            close: "close".into(),
            volume: Some("volume".into()),
            symbol: None,
        }
    }
}

/// The built-in market: seeded one-minute bars with a planted signal whose best possible IC is known by construction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SyntheticSpec {
    /// The market's own seed, apart from the run's: three seeds of a run see one market.
    pub seed: u64,
    /// How many symbols, called S00, S01, …; at most 100,000 days of all symbols together (144 million bars, 10 GB).
    pub symbols: usize,
    /// Days of one-minute bars per symbol, at most 36,500: a century.
    pub days: usize,
    /// Correlation of the best possible forecast with the next bar's return, at most 0.7; 0 plants nothing. 0.1 is realistic and
    /// takes hours.
    pub best_ic: f64,
}

impl Default for SyntheticSpec {
    fn default() -> Self {
        Self { seed: 7, symbols: 4, days: 35, best_ic: 0.4 }
    }
}

/// What happens when the audit finds bars that cannot be true.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AuditSpec {
    /// `stop` unless a named repair covers every error.
    pub on_error: OnError,
}

/// What to do with an audit error that no repair covers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnError {
    /// End the run and say which rows.
    #[default]
    Stop,
}

/// A named repair rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RepairSpec {
    /// Drop rows with a non-finite value, a broken OHLC order, a price that is not above zero or a negative volume.
    DropBadRows,
    /// Of rows with one time stamp keep the last.
    KeepLastDuplicate,
    /// Sort rows by time stamp.
    SortByTime,
    /// Fill the first `max_bars` bars of every gap with flat bars at the last close and zero volume.
    ForwardFill {
        /// How many bars to fill at most before the gap is left open.
        max_bars: usize,
    },
}

/// One length for all timeframes, or one for each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(
    untagged,
    expecting = "expected a number of bars such as 60, or one for each timeframe such as {5m: 60, 1h: 48}"
)]
pub enum SequenceLengthSpec {
    /// The same number of bars for every timeframe.
    Same(usize),
    /// A number of bars for each timeframe.
    Each(BTreeMap<Timeframe, usize>),
}

/// How features are brought to one scale.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ScalingSpec {
    /// Which centre and spread.
    pub kind: ScalingKind,
    /// Scaled values are clipped to ± this many spreads.
    pub clip: f64,
}

impl Default for ScalingSpec {
    fn default() -> Self {
        Self { kind: ScalingKind::Robust, clip: 5.0 }
    }
}

/// Which centre and spread a scaler uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ScalingKind {
    /// Median and 1.4826 · MAD; where the MAD is near zero, mean and standard deviation.
    Robust,
    /// Mean and standard deviation.
    Standard,
}

/// Shares of the decision times, oldest first. They are resolved once into instants, which the run stores.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SplitSpec {
    /// The only kind: a random split of a time series does not exist here.
    pub kind: SplitKind,
    /// The oldest share: what is learned from.
    pub train: f64,
    /// The next share: what is chosen by.
    pub validation: f64,
    /// The newest share: opened by `evaluate --split test` only.
    pub test: f64,
}

impl Default for SplitSpec {
    fn default() -> Self {
        Self { kind: SplitKind::Chronological, train: 0.7, validation: 0.15, test: 0.15 }
    }
}

/// How a split is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SplitKind {
    /// By decision time over all symbols at once.
    Chronological,
}
