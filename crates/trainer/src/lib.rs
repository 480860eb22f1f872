//! From data, a network, a spec and a seed to trained weights and honest scores. It owns the loop with its policies (learning
//! rate, when to stop, what to keep), the loss, the checkpoints, and the scorecards.
//!
//! It must never print, read a clock or the environment, or draw from a generator that is not derived from the run's seed. It
//! tells what happens as [events](tapeline_events::Event) and returns what went wrong as an error.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use tapeline_artefact::predict;
//! use tapeline_data_pipeline::{
//!     DataSpec, SequenceLengthSpec, SourceSpec, Span, Split, SyntheticSpec, built_in_market,
//! };
//! use tapeline_events::{Event, Observer, Outcome};
//! use tapeline_models::{HybridSpec, InputShape, ModelSpec, NetworkSpec, build};
//! use tapeline_trainer::{
//!     Calibration, Checkpoints, EVALUATION_BATCH, LIBTORCH, Lineage, Purpose, Run, Start, TasksSpec,
//!     TrainingSpec, child_seed, fit, metric, scorecard,
//! };
//! use tch::Device;
//!
//! struct Epochs(u64);
//! impl Observer for Epochs {
//!     fn observe(&mut self, event: &Event) {
//!         self.0 += u64::from(matches!(event, Event::EpochEnded { .. }));
//!     }
//! }
//!
//! let threads = 1; // share a batch, and an operation elsewhere; they move the last bits, so they are part of the lineage
//! tapeline_torch_ext::set_threads(threads)?;
//!
//! // What is asked, and of which data.
//! let tasks = TasksSpec::default().check()?;
//! let market = SyntheticSpec { seed: 3, symbols: 1, days: 2, best_ic: 0.4 };
//! let data_spec = DataSpec {
//!     source: SourceSpec { synthetic: Some(market.clone()), ..SourceSpec::default() },
//!     timeframes: vec!["1m".parse()?, "5m".parse()?],
//!     sequence_length: SequenceLengthSpec::Same(8),
//!     stride: 10,
//!     ..DataSpec::default()
//! };
//! let data = data_spec.check()?.prepare(built_in_market(&market, Span::ZERO), tasks.labels())?;
//!
//! // Which network, trained how.
//! let mut model = HybridSpec::default();
//! (model.cnn.channels, model.lstm.hidden_size, model.lstm.num_layers) = (16, 16, 1);
//! let inputs = data.inputs().iter();
//! let network_spec = NetworkSpec {
//!     model: ModelSpec::Hybrid(model),
//!     inputs: inputs.map(|input| InputShape { length: input.length, features: input.width() }).collect(),
//!     heads: tasks.heads(),
//! };
//! let seed = 42;
//! let network = build(&network_spec, child_seed(seed, Purpose::Initialisation, 0), Device::Cpu)?;
//! let mut training = TrainingSpec { num_epochs: 2, batch_size: 64, ..TrainingSpec::default() };
//! training.scheduler = training.scheduler.with_warmup_epochs(0.5);
//!
//! let folder = tempfile::tempdir()?;
//! let checkpoints = Checkpoints::at(folder.path());
//! let lineage = Lineage {
//!     tapeline: env!("CARGO_PKG_VERSION").into(),
//!     libtorch: LIBTORCH.into(),
//!     device: "cpu".into(),
//!     threads,
//!     seed,
//!     data: data.fingerprint().to_string(),
//!     pipeline: data_spec,
//!     split: data.fitted().split,
//!     labels: tasks.labels().to_vec(),
//!     tasks: TasksSpec::default(),
//!     network: network_spec,
//!     training: training.clone(),
//! };
//! let run = Run {
//!     data: &data,
//!     network: network.as_ref(),
//!     tasks: &tasks,
//!     training: &training,
//!     lineage,
//!     checkpoints: &checkpoints,
//!     device: Device::Cpu,
//!     clock: || std::time::Duration::ZERO, // nothing is saved by the minute, and nobody is told how long a step took
//!     histograms: false,
//! };
//! let mut epochs = Epochs(0);
//! let ending = fit(&run, Start::Fresh, &|| false, &mut epochs)?;
//! assert_eq!((ending.outcome, epochs.0), (Outcome::Completed, 2));
//!
//! // The best weights, scored on the span that chose them.
//! let loss = metric::find("validation/loss", &tasks).expect("every run has it");
//! checkpoints.best(&loss)?.restore_weights(network.as_ref())?;
//! let said = predict(network.as_ref(), &data, data.samples(Split::Validation), EVALUATION_BATCH, Device::Cpu)?;
//! let calibration = Calibration::on_validation(&data, &tasks, &said);
//! let seed = child_seed(seed, Purpose::Bootstrap, 0);
//! let card = scorecard(&data, &tasks, Split::Validation, &said, &calibration, seed)?;
//! assert!(card.metrics.contains_key("validation/price_prediction/h1/ic_series"));
//! # Ok(())
//! # }
//! ```
//!
//! # What it does not do
//! - Read bars, compute features or cut splits: it takes a [`Dataset`](tapeline_data_pipeline::Dataset).
//! - Know architectures: it takes a [`Network`](tapeline_models::Network).
//! - Open the test span by itself: `fit` reads the train and validation spans alone.
//! - Search hyperparameters or train on several devices.
//! - Write artefacts: that is `tapeline_artefact::Extractor::save`, with the weights the caller chose.

mod average;
mod balance;
mod check;
mod checkpoint;
mod crew;
mod curriculum;
mod error;
mod feed;
mod fit;
mod forecast;
mod guard;
mod lineage;
mod loss;
pub mod metric;
mod optimizer;
mod precision;
mod retain;
mod schedule;
mod score;
mod scorecard;
mod seed;
mod spec;
mod stages;
mod state;
mod step;
mod step_log;
mod stop;
mod targets;
mod task;
mod task_gradients;

#[cfg(test)]
mod small_network;

pub use checkpoint::{Checkpoint, Checkpoints, DamagedCheckpoint};
pub use curriculum::{Curriculum, CurriculumSpec, LabelMagnitudeSpec, PaceSpec, Pacing};
pub use error::TrainError;
pub use fit::{EVALUATION_BATCH, Ending, LrFindSpec, LrPoint, LrSweep, Run, Start, Wish, fit, lr_find};
pub use guard::{GuardMemory, RunningMoments};
pub use lineage::{LIBTORCH, Lineage};
pub use loss::HUBER_DELTA;
pub use metric::{Direction, Metric};
pub use optimizer::decaying_parameters;
pub use precision::Precision;
pub use schedule::{Schedule, StepPlace};
pub use score::{
    Calibration, MOST_MEASURED, MeasuredSamples, SpanRows, agreement_of_features, class_probabilities,
    scorecard, spread,
};
pub use scorecard::{
    DistributionScore, Estimate, FeatureIc, FeatureScore, PriceBaseline, PriceScore, RegimeBaseline,
    RegimeScore, Scorecard, VolatilityBaseline, VolatilityScore,
};
pub use seed::{Purpose, child_seed};
pub use spec::{
    AdamSpec, AverageSpec, BalancingSpec, CheckpointingSpec, ClassWeightsSpec, ClassificationLoss,
    ConstantSpec, CosineSpec, DecaySpec, EarlyStoppingSpec, GradientClipSpec, GuardsSpec, OptimizerSpec,
    PartRatesSpec, PlateauSpec, PrecisionSpec, PriceKind, PriceTaskSpec, RegimeKind, RegimeTaskSpec,
    RegressionLoss, SchedulerSpec, SgdSpec, StepSpec, TasksSpec, TrainingSpec, VolatilityKind,
    VolatilityTaskSpec,
};
pub use state::{EpochRecord, OLDEST_STATE_VERSION, RunningLoss, STATE_VERSION, State};
pub use stop::Progress;
pub use tapeline_evaluation::{Dispersion, MIN_NULL_RUNS, NullBand};
pub use targets::{BoundsSpec, TargetsSpec};
pub use task::{REGIME_CLASSES, Task, TaskKind, Tasks};
