//! `training.precision`: in which numbers the forward and the backward pass compute.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// In which numbers a step computes. Weights, their updates and losses are of 32 bits always.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PrecisionSpec {
    /// `fp32` on a CPU, where half precision is no faster; on a GPU `bf16` where it has it (compute capability 8.0 or later),
    /// else `fp32`. Nothing is measured: the same machine always comes to the same.
    #[default]
    Auto,
    /// 32 bits.
    Fp32,
    /// 32 bits, of which products and convolutions on a GPU use 19. A GPU's alone.
    Tf32,
    /// Products and convolutions in `bfloat16`: the range of 32 bits with 8 significant ones.
    Bf16,
    /// Products and convolutions in `float16`: 11 significant bits, little range; the loss is scaled so that gradients stay in
    /// it.
    Fp16,
}
