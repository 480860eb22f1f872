//! The `model:` section as a user writes it, and the whole of what a network is built from.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::shape::InputShape;

mod check;

/// Channels of a convolutional branch: four attention heads of 16 each.
pub const DEFAULT_CHANNELS: usize = 64;
/// Kernel widths in bars: they cover three, five and seven neighbours at the first dilation.
pub const DEFAULT_KERNEL_SIZES: [usize; 3] = [3, 5, 7];
/// Gaps between the bars that a kernel sees, one block each: the last block sees back 43 bars.
pub const DEFAULT_DILATIONS: [usize; 3] = [1, 2, 4];
/// Width of the recurrent state.
pub const DEFAULT_HIDDEN_SIZE: usize = 128;
/// Recurrent layers on top of each other.
pub const DEFAULT_NUM_LAYERS: usize = 2;
/// Heads of each attention pool.
pub const DEFAULT_ATTENTION_HEADS: usize = 4;
/// Width of the fused features.
pub const DEFAULT_OUTPUT_SIZE: usize = 128;
/// Heads of the attention among branches: they divide the width of the fused features. A fixed number, since there are only a
/// handful of branches to look at.
pub const FUSION_ATTENTION_HEADS: usize = 4;
/// Share of activations dropped in training.
pub const DEFAULT_DROPOUT: f64 = 0.1;

/// Everything a network is built from, apart from its weights. Stored beside them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkSpec {
    /// The architecture.
    pub model: ModelSpec,
    /// What each timeframe's windows look like; the first is the base.
    pub inputs: Vec<InputShape>,
    /// What is read off the features.
    pub heads: Vec<HeadSpec>,
}

/// Which architecture, with its sizes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ModelSpec {
    /// Convolutions over every timeframe, fused.
    Cnn(CnnModelSpec),
    /// A recurrent net over every timeframe, fused.
    Lstm(LstmModelSpec),
    /// Convolutions over every timeframe beside a recurrent net over the base, fused.
    Hybrid(HybridSpec),
}

impl Default for ModelSpec {
    fn default() -> Self {
        Self::Hybrid(HybridSpec::default())
    }
}

/// The two parts of a network of convolutions alone.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CnnModelSpec {
    /// The convolutional branch of each timeframe.
    pub cnn: CnnSpec,
    /// How the branches become one feature vector.
    pub fusion: FusionSpec,
}

/// The two parts of a recurrent network alone.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LstmModelSpec {
    /// The recurrent branch of each timeframe.
    pub lstm: LstmSpec,
    /// How the branches become one feature vector.
    pub fusion: FusionSpec,
}

/// The hybrid's three parts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HybridSpec {
    /// The convolutional branch of each timeframe.
    pub cnn: CnnSpec,
    /// The recurrent branch over the base timeframe.
    pub lstm: LstmSpec,
    /// How the branches become one feature vector.
    pub fusion: FusionSpec,
}

/// Residual blocks of parallel dilated convolutions, pooled by attention.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CnnSpec {
    /// Channels throughout the branch, shared out evenly over the kernels.
    pub channels: usize,
    /// Odd widths in bars of the kernels that run side by side in a block.
    pub kernel_sizes: Vec<usize>,
    /// One block for each: bars between neighbouring taps of its kernels.
    pub dilations: Vec<usize>,
    /// Heads of the pool; they divide `channels`.
    pub attention_heads: usize,
    /// Share of activations dropped in training, 0 ≤ p < 1.
    pub dropout: f64,
}

impl Default for CnnSpec {
    fn default() -> Self {
        Self {
            channels: DEFAULT_CHANNELS,
            kernel_sizes: DEFAULT_KERNEL_SIZES.to_vec(),
            dilations: DEFAULT_DILATIONS.to_vec(),
            attention_heads: DEFAULT_ATTENTION_HEADS,
            dropout: DEFAULT_DROPOUT,
        }
    }
}

/// A stack of LSTM layers, normalised and pooled by attention.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LstmSpec {
    /// Width of the state of each direction.
    pub hidden_size: usize,
    /// Layers on top of each other.
    pub num_layers: usize,
    /// Also read the window from its end; doubles the branch's width. No leak: the window ends at the decision, and the way
    /// back starts there, at the newest bar that was known.
    pub bidirectional: bool,
    /// Heads of the pool; they divide the branch's width.
    pub attention_heads: usize,
    /// Share of activations dropped between layers in training, 0 ≤ p < 1.
    pub dropout: f64,
    /// Share of the weights from state to state dropped in training, 0 ≤ p < 1: the same ones for a whole batch.
    pub recurrent_dropout: f64,
}

impl LstmSpec {
    /// The branch's width: the states of its directions side by side.
    #[must_use]
    pub fn width(&self) -> usize {
        self.hidden_size * if self.bidirectional { 2 } else { 1 }
    }
}

impl Default for LstmSpec {
    fn default() -> Self {
        Self {
            hidden_size: DEFAULT_HIDDEN_SIZE,
            num_layers: DEFAULT_NUM_LAYERS,
            bidirectional: false,
            attention_heads: DEFAULT_ATTENTION_HEADS,
            dropout: DEFAULT_DROPOUT,
            recurrent_dropout: 0.0,
        }
    }
}

/// How the branches' features become one vector.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FusionSpec {
    /// Which fusion.
    pub kind: FusionKind,
    /// Width of the feature vector; with attention a multiple of its four heads.
    pub output_size: usize,
    /// Share of features dropped in training, 0 ≤ p < 1.
    pub dropout: f64,
}

impl Default for FusionSpec {
    fn default() -> Self {
        Self { kind: FusionKind::Concat, output_size: DEFAULT_OUTPUT_SIZE, dropout: DEFAULT_DROPOUT }
    }
}

/// The fusions there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FusionKind {
    /// Side by side, then one linear layer.
    Concat,
    /// A weighted mean of the branches, the weights of each feature found from all branches.
    Gated,
    /// Each branch looks at all of them, then as `concat`.
    Attention,
    /// The branches and the products of their pairs.
    Bilinear,
}

/// A linear reading of the features.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeadSpec {
    /// The task's name, and the first part of the weights' names.
    pub name: String,
    /// What is read.
    pub kind: HeadKind,
}

/// What a head's output means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum HeadKind {
    /// `outputs` numbers, one per horizon.
    Regression {
        /// How many numbers.
        outputs: usize,
    },
    /// Logits, `classes` for each of `horizons`, horizon by horizon.
    Classification {
        /// How many horizons.
        horizons: usize,
        /// How many classes each.
        classes: usize,
    },
}

impl HeadKind {
    /// Width of the head's output.
    #[must_use]
    pub fn width(self) -> usize {
        match self {
            Self::Regression { outputs } => outputs,
            Self::Classification { horizons, classes } => horizons.saturating_mul(classes),
        }
    }
}
