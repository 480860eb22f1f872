//! What can go wrong between data and a trained network.

use std::path::PathBuf;

use tapeline_artefact::{ArtefactError, FolderError};
use tapeline_data_pipeline::{DataError, Split};
use tapeline_models::ModelError;

use crate::checkpoint::DamagedCheckpoint;

/// Why a run could not start, go on or be saved.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// The data refused.
    #[error("cannot read a batch")]
    Data(#[from] DataError),
    /// The network refused.
    #[error("cannot run the network")]
    Model(#[from] ModelError),
    /// The artefact could not be made.
    #[error("cannot make the artefact")]
    Artefact(#[from] ArtefactError),
    /// libtorch refused an operation.
    #[error("libtorch refused an operation")]
    Torch(#[from] tch::TchError),
    /// An operation of the shim failed.
    #[error("libtorch refused an operation")]
    TorchExt(#[from] tapeline_torch_ext::Error),
    /// A score could not be worked out.
    #[error("cannot score the forecasts")]
    Score(#[from] tapeline_evaluation::EvaluationError),
    /// A span has nothing to train on or to choose by.
    #[error("the {split:?} span has no sample; give it a larger share in data.split or more bars")]
    EmptySpan {
        /// Which span.
        split: Split,
    },
    /// A policy names a metric that this run will never have.
    #[error("{policy} watches {metric:?}, which this run does not have; the nearest are {}", nearest.join(", "))]
    UnknownMetric {
        /// The configuration key of the policy.
        policy: &'static str,
        /// The name it gives.
        metric: String,
        /// Names that exist, the most similar first.
        nearest: Vec<String>,
    },
    /// A curriculum goes by a return that this run does not forecast.
    #[error("training.curriculum goes by {}; {}", wanted_return(*horizon), forecast_returns(horizons))]
    CurriculumLabel {
        /// The horizon that was asked for; `None` for the first.
        horizon: Option<usize>,
        /// The horizons that are forecast.
        horizons: Vec<usize>,
    },
    /// The `training` section has faults.
    #[error("training cannot be done as configured")]
    Training(#[source] garde::Report),
    /// The system refused a thread.
    #[error("cannot start the threads that share a batch; try fewer (`threads`)")]
    Threads {
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The system refused the thread that writes checkpoints.
    #[error("cannot start the thread that writes checkpoints")]
    WriterThread {
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The thread that writes checkpoints has ended before the run has.
    #[error("the thread that writes checkpoints has ended; resume from the newest checkpoint")]
    WriterEnded,
    /// A thread that shares the batches has ended before the run has.
    #[error("a thread that shares the batches has ended")]
    WorkerEnded,
    /// Steps in a row whose gradient or loss is not a number any more.
    #[error(
        "steps {} to {step} had a loss or a gradient that is not finite, {in_a_row} in a row: nothing can be learned from \
         here. Lower training.optimizer.learning_rate, or look at the samples of the last batch: {}",
        step + 1 - in_a_row,
        samples.join(", ")
    )]
    NonFinite {
        /// The last of them.
        step: usize,
        /// How many there were.
        in_a_row: usize,
        /// The samples of its batch, each by symbol and decision time.
        samples: Vec<String>,
    },
    /// A precision that the device does not have.
    #[error("training.precision: tf32 is of GPUs alone, and this run is on {device:?}; use fp32 or bf16")]
    Precision {
        /// Where the run is.
        device: tch::Device,
    },
    /// A sweep of rates that do not grow.
    #[error(
        "learning rates from {low} to {high} in {steps} steps cannot be tried; give 0 < low < high and at least 2 steps"
    )]
    LrFind {
        /// The first rate.
        low: f64,
        /// The last rate.
        high: f64,
        /// Steps from the one to the other.
        steps: usize,
    },
    /// A rate for a part that the network does not have.
    #[error("training.part_rates.{part} is {factor}, but the network has no such part; leave the key out")]
    NoSuchPart {
        /// The part's key.
        part: &'static str,
        /// Its factor.
        factor: f64,
    },
    /// A policy names a metric that is never defined on these data.
    #[error(
        "{policy} watches {metric:?}, which is undefined under {} symbols; there are {symbols}",
        tapeline_evaluation::ic::MIN_CROSS_SECTION
    )]
    UndefinedMetric {
        /// The configuration key of the policy.
        policy: &'static str,
        /// The metric.
        metric: String,
        /// How many symbols there are.
        symbols: usize,
    },
    /// A resume that would not be the same run.
    #[error("this is not the run that was interrupted; it differs in\n  {}", differences.join("\n  "))]
    Lineage {
        /// `key: then → now`.
        differences: Vec<String>,
    },
    /// There is nothing to resume from.
    #[error("{} holds no whole checkpoint{}", folder.display(), listed(damaged))]
    NoCheckpoint {
        /// The checkpoints' folder.
        folder: PathBuf,
        /// Checkpoints that are there but damaged, and why.
        damaged: Vec<DamagedCheckpoint>,
    },
    /// A checkpoint could not be written or read.
    #[error("cannot {operation} a checkpoint")]
    Checkpoint {
        /// What was tried.
        operation: &'static str,
        /// Why it failed.
        #[source]
        source: FolderError,
    },
    /// A checkpoint's `state.json` cannot be understood.
    #[error("{} cannot be understood", path.display())]
    State {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// A checkpoint was written by a release with another layout.
    #[error("{} has state version {found}; this release reads versions {} to {expected}", path.display(), crate::state::OLDEST_STATE_VERSION)]
    StateVersion {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The newest version that can be read.
        expected: u32,
    },
    /// A checkpoint's optimiser tensors do not fit the network.
    #[error("the optimiser's state for {name} is {found}")]
    OptimizerState {
        /// The tensor's name.
        name: String,
        /// What is there instead.
        found: String,
    },
}

fn wanted_return(horizon: Option<usize>) -> String {
    horizon.map_or_else(
        || "the size of a return".into(),
        |bars| format!("the size of the return over {bars} bars"),
    )
}

fn forecast_returns(horizons: &[usize]) -> String {
    if horizons.is_empty() {
        return "there is no tasks.price_prediction that forecasts one".into();
    }
    let horizons: Vec<String> = horizons.iter().map(ToString::to_string).collect();
    format!("tasks.price_prediction.horizons are {}", horizons.join(", "))
}

fn listed(damaged: &[DamagedCheckpoint]) -> String {
    damaged.iter().map(|checkpoint| format!("\n  {checkpoint}")).collect()
}

/// An error and its causes in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
