//! `training.scheduler`: the learning rate over time.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Epochs of warm-up: moments have settled by then.
const DEFAULT_WARMUP_EPOCHS: f64 = 2.0;
/// Epochs between two falls of the step schedule: four of them in the default 50 epochs.
const DEFAULT_STEP_EPOCHS: usize = 10;
/// What the step schedule multiplies the rate by.
const DEFAULT_STEP_FACTOR: f64 = 0.3;
/// What the plateau schedule multiplies the rate by.
const DEFAULT_PLATEAU_FACTOR: f64 = 0.3;
/// Epochs without improvement before the rate falls: well under the patience of early stopping, so that it can help.
const DEFAULT_PLATEAU_PATIENCE: usize = 3;
/// The least change that counts as improvement, as for early stopping.
const DEFAULT_PLATEAU_MIN_DELTA: f64 = 1e-4;

/// Which shape the learning rate has, with its numbers. Each begins with a linear warm-up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum SchedulerSpec {
    /// Half a cosine after the warm-up (Loshchilov and Hutter 2017, one cycle).
    Cosine(CosineSpec),
    /// The rate falls by a factor every so many epochs of the run.
    Step(StepSpec),
    /// The rate falls by a factor when a metric has stopped improving.
    Plateau(PlateauSpec),
    /// The rate stays.
    Constant(ConstantSpec),
}

impl Default for SchedulerSpec {
    fn default() -> Self {
        Self::Cosine(CosineSpec::default())
    }
}

/// Half a cosine that would reach its end after the last step.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CosineSpec {
    /// Epochs over which the rate grows from near zero to its peak; fractions are fine.
    pub warmup_epochs: f64,
    /// The rate that it ends at.
    pub min_rate: f64,
}

impl Default for CosineSpec {
    fn default() -> Self {
        Self { warmup_epochs: DEFAULT_WARMUP_EPOCHS, min_rate: 0.0 }
    }
}

/// Falls at fixed epochs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StepSpec {
    /// Epochs over which the rate grows from near zero to its peak; fractions are fine.
    pub warmup_epochs: f64,
    /// Epochs between two falls, counted from the start of the run.
    pub every_epochs: usize,
    /// What the rate is multiplied by, between 0 and 1.
    pub factor: f64,
}

impl Default for StepSpec {
    fn default() -> Self {
        Self {
            warmup_epochs: DEFAULT_WARMUP_EPOCHS,
            every_epochs: DEFAULT_STEP_EPOCHS,
            factor: DEFAULT_STEP_FACTOR,
        }
    }
}

/// Falls where a metric does not improve.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PlateauSpec {
    /// Epochs over which the rate grows from near zero to its peak; fractions are fine.
    pub warmup_epochs: f64,
    /// A metric by its full name, such as `validation/loss`.
    pub metric: String,
    /// What the rate is multiplied by, between 0 and 1.
    pub factor: f64,
    /// Epochs in a row without improvement that are borne; after one more the rate falls, and the count begins again.
    pub patience: usize,
    /// The least change that counts as improvement.
    pub min_delta: f64,
    /// The rate below which it does not fall.
    pub min_rate: f64,
}

impl Default for PlateauSpec {
    fn default() -> Self {
        Self {
            warmup_epochs: DEFAULT_WARMUP_EPOCHS,
            metric: "validation/loss".into(),
            factor: DEFAULT_PLATEAU_FACTOR,
            patience: DEFAULT_PLATEAU_PATIENCE,
            min_delta: DEFAULT_PLATEAU_MIN_DELTA,
            min_rate: 0.0,
        }
    }
}

/// Nothing after the warm-up.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ConstantSpec {
    /// Epochs over which the rate grows from near zero to its peak; fractions are fine.
    pub warmup_epochs: f64,
}

impl Default for ConstantSpec {
    fn default() -> Self {
        Self { warmup_epochs: DEFAULT_WARMUP_EPOCHS }
    }
}

impl SchedulerSpec {
    /// Epochs over which the rate grows from near zero to its peak.
    #[must_use]
    pub const fn warmup_epochs(&self) -> f64 {
        match self {
            Self::Cosine(spec) => spec.warmup_epochs,
            Self::Step(spec) => spec.warmup_epochs,
            Self::Plateau(spec) => spec.warmup_epochs,
            Self::Constant(spec) => spec.warmup_epochs,
        }
    }

    /// The same shape with another warm-up.
    #[must_use]
    pub fn with_warmup_epochs(mut self, epochs: f64) -> Self {
        match &mut self {
            Self::Cosine(spec) => spec.warmup_epochs = epochs,
            Self::Step(spec) => spec.warmup_epochs = epochs,
            Self::Plateau(spec) => spec.warmup_epochs = epochs,
            Self::Constant(spec) => spec.warmup_epochs = epochs,
        }
        self
    }

    /// The rate below which it does not fall, and the warm-up apart; none for a shape that has no such number.
    #[must_use]
    pub const fn min_rate(&self) -> Option<f64> {
        match self {
            Self::Cosine(spec) => Some(spec.min_rate),
            Self::Plateau(spec) => Some(spec.min_rate),
            Self::Step(_) | Self::Constant(_) => None,
        }
    }
}
