//! Bars in, leak-proof tables and windows out, as plain buffers.
//!
//! This crate owns the way from market bars to batches: what bars are and whether they can be true, higher timeframes,
//! features, labels and when they end, the split, everything that is fitted on train rows, and which rows a sample sees.
//!
//! It must never let what becomes known after a decision touch that decision's window, or what becomes known after the
//! last train decision touch anything fitted; [`leak::check`] proves it on any bars. And it must never know libtorch, a
//! model or a training loop, or wait for anything.
//!
//! ```
//! use tapeline_data_pipeline::{DataSpec, LabelSpec, Split, SyntheticSpec};
//!
//! let mut spec = DataSpec { timeframes: vec!["1m".parse()?, "5m".parse()?], ..DataSpec::default() };
//! spec.source.synthetic = Some(SyntheticSpec { symbols: 2, days: 4, ..SyntheticSpec::default() });
//! let pipeline = spec.check()?;
//! let (bars, _audit) = pipeline.read()?;
//! let data = pipeline.prepare(bars, &[LabelSpec::LogReturn { horizon: 12, lag: 0 }])?;
//!
//! let batch = &data.samples(Split::Train)[..32];
//! let mut inputs = vec![0.0; batch.len() * data.inputs()[0].window_len()]; // [batch, time, feature]
//! data.fill_inputs(0, batch, &mut inputs)?;
//! let (mut targets, mut mask) = ([0.0; 32], [0.0; 32]);
//! data.fill_targets(0, batch, &mut targets, &mut mask)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! It does not
//!
//! - split at random, or fit anything on rows that were not there to train on;
//! - repair bars without being told to, or fill a gap silently;
//! - copy windows: memory grows with bars;
//! - know sessions or holidays: a day is 24 hours from midnight UTC, so a daily bar is known late rather than early;
//! - train, evaluate or draw random samples.

mod audit;
mod augment;
mod bar;
mod batch;
mod dataset;
mod difficulty;
mod error;
pub mod feature;
mod fingerprint;
mod fold;
mod gap;
mod ingest;
mod label;
pub mod leak;
mod nearest;
mod null;
mod pipeline;
mod price;
mod repair;
mod resample;
mod scale;
mod source;
mod spec;
mod split;
mod synthetic;
mod table;
mod time;
mod window;
mod zone;

pub use audit::{
    AuditReport, Example, Finding, FindingKind, Gaps, JUMP_SPREADS, Severity, SymbolAudit, audit,
};
pub use augment::{Augmentation, AugmentationSpec, Plan, PriceScalingSpec, TemporalJitterSpec};
pub use bar::{Bar, Bars};
pub use dataset::{Dataset, Fitted, FittedTarget};
pub use difficulty::Difficulty;
pub use error::DataError;
pub use feature::{Amplified, Channel, Feature, FeatureSpec, Stretch, Unit, VOLATILITY_BARS};
pub use fingerprint::{Fingerprint, FingerprintError};
pub use fold::{FoldsSpec, HoldoutSpec, KFoldSpec, MOST_FOLDS, WalkForwardSpec};
pub use ingest::{
    Conflict, IngestError, IngestReport, IngestSpec, LeanPrices, LeanSpec, OnConflict, PassedOver, Vendor,
    ingest,
};
pub use label::{
    AbsentLabels, FittedLabel, LabelColumn, LabelSpec, REGIME_TREND, REGIME_VOLATILE_QUANTILE,
    REGIME_VOLATILITY_BARS, Regime, RegimeThresholds,
};
pub use null::random_walk;
pub use pipeline::{Folds, Pipeline};
pub use price::VARIANCE_FLOOR;
pub use repair::{RepairCount, repair};
pub use resample::resample;
pub use scale::{ChannelScale, Scale, Scaler, TimeframeScale};
pub use source::{SourceNote, read_bars, write_parquet};
pub use spec::{
    Ambiguous, AuditSpec, ColumnsSpec, DEFAULT_SEQUENCE_LENGTH, DataSpec, DecimalMark, EpochUnit, FormatSpec,
    Header, OnError, RepairSpec, ScalingKind, ScalingSpec, SequenceLengthSpec, SourceSpec, SplitKind,
    SplitSpec, Stamp, Symbol, SymbolsSpec, SyntheticSpec, TextSpec, TextTimeSpec, TimeFormat,
    TimeFormatError,
};
pub use split::{Purged, Split, SplitInstants, TrainAgain, TrainPart, TrainSplit};
pub use synthetic::{STRONGEST_BEST_IC, built_in_market};
pub use table::{InputLayout, Table};
pub use time::{Span, TimeError, Timeframe, Timestamp};
pub use window::{MASKED, WindowIndex, WindowTransform};
pub use zone::{Zone, ZoneError};
