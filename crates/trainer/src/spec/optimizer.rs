//! `training.optimizer`: how weights follow gradients.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The peak rate of Adam and AdamW: PyTorch's default.
const DEFAULT_ADAM_RATE: f64 = 1e-3;
/// The peak rate of SGD, whose steps are not normalised: ten times Adam's, a usual start with momentum 0.9.
const DEFAULT_SGD_RATE: f64 = 1e-2;
/// Weight decay of every optimiser: hardly any, since the networks are small beside the data.
const DEFAULT_WEIGHT_DECAY: f64 = 1e-5;
/// Decay of Adam's first and second moment: those of Kingma and Ba 2015.
const DEFAULT_BETAS: [f64; 2] = [0.9, 0.999];
/// Added to the root of Adam's second moment: that of Kingma and Ba 2015.
const DEFAULT_EPSILON: f64 = 1e-8;
/// Momentum of SGD: a step remembers about ten before it.
const DEFAULT_MOMENTUM: f64 = 0.9;

/// Which optimiser, with its numbers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum OptimizerSpec {
    /// Adam with weight decay apart from the gradient (Loshchilov and Hutter 2019).
    Adamw(AdamSpec),
    /// Adam with weight decay added to the gradient (Kingma and Ba 2015).
    Adam(AdamSpec),
    /// Stochastic gradient descent with momentum; weight decay is added to the gradient.
    Sgd(SgdSpec),
}

impl Default for OptimizerSpec {
    fn default() -> Self {
        Self::Adamw(AdamSpec::default())
    }
}

/// The numbers of Adam and AdamW.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AdamSpec {
    /// The peak learning rate.
    pub learning_rate: f64,
    /// Decay of a weight: per unit of learning rate for AdamW, as a share added to its gradient for Adam.
    pub weight_decay: f64,
    /// Which weights decay.
    pub decay: DecaySpec,
    /// Decay of the first and of the second moment, each in [0, 1).
    pub betas: [f64; 2],
    /// Added to the root of the second moment.
    pub epsilon: f64,
}

impl Default for AdamSpec {
    fn default() -> Self {
        Self {
            learning_rate: DEFAULT_ADAM_RATE,
            weight_decay: DEFAULT_WEIGHT_DECAY,
            decay: DecaySpec::default(),
            betas: DEFAULT_BETAS,
            epsilon: DEFAULT_EPSILON,
        }
    }
}

/// The numbers of stochastic gradient descent.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SgdSpec {
    /// The peak learning rate.
    pub learning_rate: f64,
    /// Share of a weight that is added to its gradient.
    pub weight_decay: f64,
    /// Which weights decay.
    pub decay: DecaySpec,
    /// Share of the last way that is gone again, in [0, 1).
    pub momentum: f64,
    /// Take the gradient's step from where the momentum leads (Nesterov 1983). Needs momentum.
    pub nesterov: bool,
}

impl Default for SgdSpec {
    fn default() -> Self {
        Self {
            learning_rate: DEFAULT_SGD_RATE,
            weight_decay: DEFAULT_WEIGHT_DECAY,
            decay: DecaySpec::default(),
            momentum: DEFAULT_MOMENTUM,
            nesterov: true,
        }
    }
}

/// Which weights decay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DecaySpec {
    /// Those that multiply activations: no biases, no scales of norms, no learned query of an attention.
    #[default]
    MatricesOnly,
    /// All.
    All,
}

impl DecaySpec {
    /// Whether a weight of this shape decays. With `matrices_only` it has two axes, or more of which at least two are longer
    /// than 1: a query of `[1, 1, channel]` is a vector, a layer of one output `[1, feature]` is not.
    #[must_use]
    pub fn covers(self, shape: &[i64]) -> bool {
        match self {
            Self::All => true,
            Self::MatricesOnly => match shape {
                [] | [_] => false,
                [_, _] => true,
                _ => shape.iter().filter(|&&length| length > 1).count() >= 2,
            },
        }
    }
}

impl OptimizerSpec {
    /// The peak learning rate.
    #[must_use]
    pub const fn learning_rate(&self) -> f64 {
        match self {
            Self::Adamw(spec) | Self::Adam(spec) => spec.learning_rate,
            Self::Sgd(spec) => spec.learning_rate,
        }
    }

    /// The same optimiser with another peak learning rate.
    #[must_use]
    pub const fn with_learning_rate(mut self, rate: f64) -> Self {
        match &mut self {
            Self::Adamw(spec) | Self::Adam(spec) => spec.learning_rate = rate,
            Self::Sgd(spec) => spec.learning_rate = rate,
        }
        self
    }

    /// How much the weights decay that do.
    #[must_use]
    pub const fn weight_decay(&self) -> f64 {
        match self {
            Self::Adamw(spec) | Self::Adam(spec) => spec.weight_decay,
            Self::Sgd(spec) => spec.weight_decay,
        }
    }

    /// Which weights decay.
    #[must_use]
    pub const fn decay(&self) -> DecaySpec {
        match self {
            Self::Adamw(spec) | Self::Adam(spec) => spec.decay,
            Self::Sgd(spec) => spec.decay,
        }
    }
}
