//! Networks as values: a spec in, a network out. Its forward pass takes one tensor `[batch, time, feature]` per timeframe and
//! returns the fused features beside what each head reads off them.
//!
//! It never learns where its inputs come from, what its outputs are compared with or how its weights change, and touches no
//! file other than its own weights.
//!
//! ```
//! use tapeline_models::{HeadKind, HeadSpec, InputShape, Mode, ModelSpec, NetworkSpec, build};
//! use tch::{Device, Kind, Tensor};
//!
//! let spec = NetworkSpec {
//!     model: ModelSpec::default(),
//!     inputs: vec![InputShape { length: 60, features: 8 }, InputShape { length: 48, features: 8 }],
//!     heads: vec![HeadSpec { name: "price_prediction".into(), kind: HeadKind::Regression { outputs: 3 } }],
//! };
//! let network = build(&spec, 42, Device::Cpu)?;
//!
//! let window = |length| Tensor::zeros([16, length, 8], (Kind::Float, Device::Cpu));
//! let outputs = network.forward(&[window(60), window(48)], Mode::Evaluate)?;
//! assert_eq!(outputs.features.size(), [16, 128]);
//! assert_eq!(outputs.heads[0].size(), [16, 3]);
//! # Ok::<(), tapeline_models::ModelError>(())
//! ```
//!
//! # Architectures and fusions
//! Each reads every timeframe with branches of its own, fuses them into one vector of features and reads a head for each task
//! off it:
//!
//! | `kind` | branches |
//! |---|---|
//! | `cnn` | `cnn.{i}` for each timeframe: residual blocks of parallel dilated convolutions, an attention pool |
//! | `lstm` | `lstm.{i}` for each timeframe: recurrent layers, layer norm, an attention pool |
//! | `hybrid` | `cnn.{i}` for each timeframe, then `lstm` over the base |
//!
//! With branches `b₁ … bₙ`, and with layer norm and dropout after each:
//!
//! | `fusion.kind` | features before the norm | with one branch |
//! |---|---|---|
//! | `concat` | `gelu(W [b₁ … bₙ] + c)` | the same |
//! | `gated` | `Σ zᵢ ∘ tanh(Wᵢ bᵢ + cᵢ)`, `z` = softmax over the branches of `G [b₁ … bₙ] + g` (Arevalo et al., 2017) | no gate, `z = 1` |
//! | `attention` | `concat` of `norm(tᵢ + attention(tᵢ; t₁ … tₙ))`, `tᵢ = Wᵢ bᵢ + cᵢ`, four heads (Vaswani et al., 2017) | attends to itself |
//! | `bilinear` | `P (Σ pᵢ + Σ_{i<j} pᵢ ∘ pⱼ) + c`, `pᵢ = tanh(Wᵢ bᵢ + cᵢ)` (Kim et al., 2017; pairs as in Rendle, 2010) | no pair |
//!
//! Neither centred convolutions nor a bidirectional recurrent net leak: both see the window alone, and the window ends at the
//! decision. All of it was known then.
//!
//! # Names of weights
//! A file of weights is safetensors, all `f32`, with the metadata `format = "tapeline-weights"` and `version = "1"`. Its names
//! and shapes are those of the `state_dict` of the PyTorch modules in `benches/peers/torch_hybrid.py` and
//! `scripts/torch_networks.py`, the heads apart, which have their task's name. With `C` channels, `F` features of the timeframe,
//! `H` the hidden size, `I` a layer's input width (the features, then `D`), `D` the width of a recurrent branch (`H`, or `2H`
//! when bidirectional), `O` the fused width, `n` branches, `S` the sum of their widths, and `W` the width of a branch (`C` or
//! `D`):
//!
//! | name | shape | what it is |
//! |---|---|---|
//! | `cnn.{i}.stem.weight`, `.bias` | `[C, F, 1]`, `[C]` | timeframe `i`: features to channels |
//! | `cnn.{i}.blocks.{j}.convs.{k}.weight`, `.bias` | `[share, C, kernel]`, `[share]` | dilation `j`, kernel `k`; the shares add up to `C`, larger ones first |
//! | `cnn.{i}.blocks.{j}.norm.weight`, `.bias` | `[C]`, `[C]` | group norm, one group |
//! | `cnn.{i}.blocks.{j}.mix.weight`, `.bias` | `[C, C, 1]`, `[C]` | pointwise mix |
//! | `lstm.lstm.weight_ih_l{n}`, `.weight_hh_l{n}` | `[4H, I]`, `[4H, H]` | layer `n`; gates in the order input, forget, candidate, output |
//! | `lstm.lstm.bias_ih_l{n}`, `.bias_hh_l{n}` | `[4H]`, `[4H]` | both are added |
//! | the four of them with `_reverse` | the same | the way back, when bidirectional |
//! | `lstm.norm.weight`, `.bias` | `[D]`, `[D]` | layer norm |
//! | `lstm.{i}.…` | the same | timeframe `i` of the `lstm` architecture |
//! | `cnn.{i}.pool.q`, `lstm.pool.q` | `[1, 1, W]` | the learned query |
//! | `….pool.mha.in_proj_weight`, `.in_proj_bias` | `[3W, W]`, `[3W]` | query, key and value; the key's bias has no effect |
//! | `….pool.mha.out_proj.weight`, `.bias` | `[W, W]`, `[W]` | after the heads |
//! | `fuse.0.weight`, `.bias` | `[O, S]`, `[O]` | concat: branches to features, the recurrent one last |
//! | `fuse.2.weight`, `.bias` | `[O]`, `[O]` | concat: layer norm |
//! | `fuse.project.{i}.weight`, `.bias` | `[O, W]`, `[O]` | the others: branch `i` to the fused width |
//! | `fuse.norm.weight`, `.bias` | `[O]`, `[O]` | the others: layer norm, for attention of the tokens |
//! | `fuse.gate.weight`, `.bias` | `[n·O, S]`, `[n·O]` | gated, more than one branch: branch by branch |
//! | `fuse.mha.…` | as a pool's, with `O` for `W` | attention |
//! | `fuse.join.0.…`, `fuse.join.2.…` | as `fuse.0`, `fuse.2`, with `n·O` for `S` | attention |
//! | `fuse.mix.weight`, `.bias` | `[O, O]`, `[O]` | bilinear |
//! | `{task}.weight`, `.bias` | `[output, O]`, `[output]` | the task's head |
//!
//! # What it does not do
//! - Train, or keep the state of an optimiser.
//! - Scale inputs or undo the scaling of outputs.
//! - Draw from a global random generator: first weights are a function of seed and name, dropout of the [`Mode`].
//! - Remember anything from one batch to the next.

mod block;
mod branched;
mod cnn;
mod error;
mod head;
mod init;
mod lstm;
mod network;
mod parameters;
mod shape;
mod spec;
mod summary;
mod weights;

pub use error::{ModelError, WeightFault};
pub use network::{Mode, Network, Outputs, build};
pub use parameters::Parameters;
pub use shape::InputShape;
pub use spec::{
    CnnModelSpec, CnnSpec, DEFAULT_ATTENTION_HEADS, DEFAULT_CHANNELS, DEFAULT_DILATIONS, DEFAULT_DROPOUT,
    DEFAULT_HIDDEN_SIZE, DEFAULT_KERNEL_SIZES, DEFAULT_NUM_LAYERS, DEFAULT_OUTPUT_SIZE,
    FUSION_ATTENTION_HEADS, FusionKind, FusionSpec, HeadKind, HeadSpec, HybridSpec, LstmModelSpec, LstmSpec,
    ModelSpec, NetworkSpec,
};
pub use summary::{PartSummary, Summary, summary};
pub use weights::{load_weights, save_weights, weights_from_bytes, weights_to_bytes};
