//! The `tasks:` and `training:` sections as a user writes them. Every key has a default; unknown keys are refused.

mod average;
mod class_weights;
mod guards;
mod optimizer;
mod part_rates;
mod precision;
mod regression_loss;
mod scheduler;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::curriculum::CurriculumSpec;

pub use average::AverageSpec;
pub use class_weights::ClassWeightsSpec;
pub use guards::GuardsSpec;
pub use optimizer::{AdamSpec, DecaySpec, OptimizerSpec, SgdSpec};
pub use part_rates::PartRatesSpec;
pub use precision::PrecisionSpec;
pub use regression_loss::RegressionLoss;
pub use scheduler::{ConstantSpec, CosineSpec, PlateauSpec, SchedulerSpec, StepSpec};

/// What the network learns to say. A section that is given holds the tasks it lists and no others;
/// a section that is not given holds all three.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TasksSpec {
    /// Returns to come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_prediction: Option<PriceTaskSpec>,
    /// Variance to come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volatility_estimation: Option<VolatilityTaskSpec>,
    /// The kind of market to come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regime_detection: Option<RegimeTaskSpec>,
}

impl Default for TasksSpec {
    fn default() -> Self {
        Self {
            price_prediction: Some(PriceTaskSpec::default()),
            volatility_estimation: Some(VolatilityTaskSpec::default()),
            regime_detection: Some(RegimeTaskSpec::default()),
        }
    }
}

/// Forecasts of the log return over each horizon.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PriceTaskSpec {
    /// What is forecast.
    pub kind: PriceKind,
    /// How far ahead, in base bars.
    pub horizons: Vec<usize>,
    /// Base bars between the decision and the price that is paid.
    pub lag: usize,
    /// How a miss is counted, on targets standardised by train rows.
    pub loss: RegressionLoss,
    /// The task's share of the loss; 1 means as good as naive for every task.
    pub weight: f64,
}

impl Default for PriceTaskSpec {
    fn default() -> Self {
        Self {
            kind: PriceKind::LogReturn,
            horizons: vec![1, 3, 12],
            lag: 0,
            loss: RegressionLoss::Huber,
            weight: 1.0,
        }
    }
}

/// What a price task forecasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PriceKind {
    /// ln p(t+lag+h) − ln p(t+lag).
    LogReturn,
}

/// Forecasts of the log of the realised variance over each horizon.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct VolatilityTaskSpec {
    /// What is forecast.
    pub kind: VolatilityKind,
    /// How far ahead, in base bars.
    pub horizons: Vec<usize>,
    /// How a miss is counted, on targets standardised by train rows.
    pub loss: RegressionLoss,
    /// The task's share of the loss.
    pub weight: f64,
}

impl Default for VolatilityTaskSpec {
    fn default() -> Self {
        Self {
            kind: VolatilityKind::LogRealizedVariance,
            horizons: vec![12],
            loss: RegressionLoss::Mse,
            weight: 0.5,
        }
    }
}

/// What a volatility task forecasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum VolatilityKind {
    /// ln Σ r² over the next h base bars.
    LogRealizedVariance,
}

/// Forecasts of the regime of each horizon.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RegimeTaskSpec {
    /// Which classes.
    pub kind: RegimeKind,
    /// How far ahead, in base bars.
    pub horizons: Vec<usize>,
    /// How a miss is counted.
    pub loss: ClassificationLoss,
    /// Share of the truth that is given to all classes alike in training, in [0, 1): no forecast is to be too sure.
    pub label_smoothing: f64,
    /// What a sample of each class counts for in training, from the classes' train shares.
    pub class_weights: ClassWeightsSpec,
    /// The task's share of the loss.
    pub weight: f64,
}

impl Default for RegimeTaskSpec {
    fn default() -> Self {
        Self {
            kind: RegimeKind::BullBearSidewaysVolatile,
            horizons: vec![12],
            loss: ClassificationLoss::CrossEntropy,
            label_smoothing: 0.0,
            class_weights: ClassWeightsSpec::default(),
            weight: 0.3,
        }
    }
}

/// Which classes a regime task tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RegimeKind {
    /// Volatile by a train quantile of variance; else bull, bear or sideways by the scaled return.
    BullBearSidewaysVolatile,
}

/// How a classification miss is counted.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ClassificationLoss {
    /// Negative log likelihood of the softmax, over ln(classes).
    CrossEntropy,
    /// The same times (1 − p)^γ, p the probability of the true class, over what a uniform forecast would have (Lin et al.
    /// 2017): samples that are known well count less.
    Focal {
        /// γ, at least 0, where it is cross entropy; 2 is usual.
        gamma: f64,
    },
}

/// How the network is trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TrainingSpec {
    /// Passes over the train samples.
    pub num_epochs: usize,
    /// Samples per forward and backward pass.
    pub batch_size: usize,
    /// Batches per step: their gradient is that of one batch with the samples of all, at the memory of one. The last step
    /// of an epoch has what is left.
    pub gradient_accumulation: usize,
    /// How weights follow gradients.
    pub optimizer: OptimizerSpec,
    /// The learning rate over time.
    pub scheduler: SchedulerSpec,
    /// How fast the parts of the network learn.
    pub part_rates: PartRatesSpec,
    /// The longest gradient that is followed.
    pub gradient_clip: GradientClipSpec,
    /// In which numbers the forward and the backward pass compute.
    pub precision: PrecisionSpec,
    /// The weights that are scored and kept: a mean over the last steps; without one, those of the last step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub average: Option<AverageSpec>,
    /// When something looks wrong.
    pub guards: GuardsSpec,
    /// At each epoch's end, how long the gradients of the tasks are and how much they agree, on a batch that stays the same.
    pub task_gradients: bool,
    /// How the tasks are weighed against each other.
    pub balancing: BalancingSpec,
    /// When to give up.
    pub early_stopping: EarlyStoppingSpec,
    /// When to save, and what to keep.
    pub checkpointing: CheckpointingSpec,
    /// Use only kernels that give the same bits each time, on a GPU too, where they are slower and some operations have none.
    /// On the CPU they always do.
    pub deterministic: bool,
    /// What comes first; without one, every epoch learns from everything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub curriculum: Option<CurriculumSpec>,
}

impl Default for TrainingSpec {
    fn default() -> Self {
        Self {
            num_epochs: 50,
            batch_size: 32,
            gradient_accumulation: 1,
            optimizer: OptimizerSpec::default(),
            scheduler: SchedulerSpec::default(),
            part_rates: PartRatesSpec::default(),
            gradient_clip: GradientClipSpec::default(),
            precision: PrecisionSpec::default(),
            average: None,
            guards: GuardsSpec::default(),
            task_gradients: false,
            balancing: BalancingSpec::default(),
            early_stopping: EarlyStoppingSpec::default(),
            checkpointing: CheckpointingSpec::default(),
            deterministic: false,
            curriculum: None,
        }
    }
}

impl TrainingSpec {
    /// Samples behind one update of the weights.
    pub(crate) const fn samples_per_step(&self) -> usize {
        self.batch_size.saturating_mul(self.gradient_accumulation)
    }
}

/// How the losses of the tasks are weighed against each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BalancingSpec {
    /// By the tasks' weights.
    #[default]
    Fixed,
    /// By uncertainties that are learned beside the network (Kendall, Gal and Cipolla 2018). The tasks' weights count in
    /// `validation/loss` alone, and a task of weight 0 is not learned.
    Uncertainty,
}

/// The longest gradient that is followed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct GradientClipSpec {
    /// Largest Euclidean norm over all parameters at once.
    pub norm: f64,
}

impl Default for GradientClipSpec {
    fn default() -> Self {
        Self { norm: 1.0 }
    }
}

/// Training ends when the metric has not improved for `patience` epochs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct EarlyStoppingSpec {
    /// A metric by its full name, such as `validation/loss`.
    pub metric: String,
    /// Epochs without improvement that are borne.
    pub patience: usize,
    /// The least change that counts as improvement.
    pub min_delta: f64,
}

impl Default for EarlyStoppingSpec {
    fn default() -> Self {
        Self { metric: "validation/loss".into(), patience: 10, min_delta: 1e-4 }
    }
}

/// When to save, and what to keep.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CheckpointingSpec {
    /// Save at the end of every so many epochs. The last epoch, the best one and an interruption always save.
    pub every_n_epochs: usize,
    /// Also save every so many steps, inside an epoch too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every_n_steps: Option<usize>,
    /// Also save once so many minutes have passed since the last checkpoint, inside an epoch too. When that is depends on the
    /// machine; what is learned does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every_n_minutes: Option<f64>,
    /// How many of the newest checkpoints stay.
    pub keep_last: usize,
    /// How many of the best checkpoints stay besides.
    pub keep_best: usize,
    /// What `best` means.
    pub metric: String,
}

impl Default for CheckpointingSpec {
    fn default() -> Self {
        Self {
            every_n_epochs: 5,
            every_n_steps: None,
            every_n_minutes: None,
            keep_last: 2,
            keep_best: 1,
            metric: "validation/loss".into(),
        }
    }
}
