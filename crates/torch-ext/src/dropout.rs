//! Dropout that can be said again: the mask is a function of a key, not of what was drawn before.

use tch::Tensor;

use crate::{Error, ffi};

const OPERATION: &str = "keyed_dropout";

/// What a mask depends on, beside the shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DropoutKey {
    /// The run's seed.
    pub seed: u64,
    /// Which dropout layer of the network.
    pub layer: u64,
    /// Which batch of the run, counted from its start.
    pub cursor: u64,
    /// Which of the processes that share the work.
    pub rank: u64,
    /// The place in its batch of the tensor's first sample: a part of a batch gets its part of the batch's mask.
    pub first: u64,
}

/// Inverted dropout: each element of `x` becomes zero with `probability` and is divided by `1 - probability` otherwise.
///
/// The element at flat index `i` (row-major, whatever the layout of `x`) of a batch is dropped when word `i` of the
/// Philox-4x32-10 stream of `key` is below `probability·2³²`. The first axis of `x` counts samples, and `i` begins with those
/// before `key.first`. So the mask is the same for any number of threads, on any device. It is made
/// on the CPU, and copied where `x` lives. The gradient is the output's gradient under the same mask and scale.
///
/// # Errors
/// When `probability` is not in [0, 1), or libtorch refuses.
pub fn keyed_dropout(x: &Tensor, probability: f64, key: DropoutKey) -> Result<Tensor, Error> {
    let mask = mask_of(&x.size(), probability, key)?;
    let mask = mask.f_to_device(x.device())?.f_to_kind(x.f_kind()?)?;
    Ok(x.f_mul(&mask)?)
}

/// What [`keyed_dropout`] multiplies with, on the CPU.
pub(crate) fn mask_of(shape: &[i64], probability: f64, key: DropoutKey) -> Result<Tensor, Error> {
    if !(0.0..1.0).contains(&probability) {
        return Err(Error::Number {
            operation: OPERATION,
            name: "probability",
            expected: "0 ≤ p < 1",
            found: probability,
        });
    }
    let scale = (1.0 / (1.0 - probability)) as f32;
    ffi::dropout_mask(shape, drop_below(probability), scale, key)
}

/// The number of 32-bit words that mean "drop".
fn drop_below(probability: f64) -> u32 {
    (probability * 2f64.powi(32)) as u32
}
