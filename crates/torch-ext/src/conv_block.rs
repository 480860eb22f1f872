//! A residual block of convolutions in one operation, sample by sample, so that a sample stays in the nearest memory.

use tch::Tensor;

use crate::dropout::mask_of;
use crate::operand::cpu_floats;
use crate::{DropoutKey, Error, ffi};

const OPERATION: &str = "conv_block";

/// The weights of a residual block, as PyTorch's modules hold them.
#[derive(Clone, Copy, Debug)]
pub struct ConvBlock<'a> {
    /// Convolutions side by side, `[share, channel, width]` with odd widths; the shares add up to the channels.
    pub weights: &'a [Tensor],
    /// Their biases, `[share]`.
    pub biases: &'a [Tensor],
    /// Bars between neighbouring taps, at least 1.
    pub dilation: usize,
    /// Of the norm, `[channel]`.
    pub scale: &'a Tensor,
    /// Of the norm, `[channel]`.
    pub shift: &'a Tensor,
    /// The convolution of width one, `[channel, channel, 1]`.
    pub mix: &'a Tensor,
    /// Its bias, `[channel]`.
    pub mix_bias: &'a Tensor,
}

/// `x + mix(dropout(gelu(norm(convolutions(x)))))` for `x` of shape `[batch, time, channel]`; the output has its shape.
///
/// Each convolution sees zeros before the first bar and after the last one. The norm takes time and channels of a sample
/// together, with 1e-5 added to the variance (PyTorch's `GroupNorm` with one group); the GELU is the exact one, to 1.5e-7.
/// Written for 32-bit numbers on the CPU. `dropout` is a probability and the key of its mask, which is that of [`keyed_dropout`](crate::keyed_dropout) on
/// `[batch, time, channel]`.
///
/// A sample's output does not depend on its batch mates, nor on the number of threads. Gradients of the weights are sums over
/// samples, cut into as many shares as there are threads: the same number of threads gives the same bytes. There is no second
/// derivative.
///
/// # Errors
/// When a shape, kind, device or number is wrong, or libtorch refuses.
pub fn conv_block(
    x: &Tensor,
    block: &ConvBlock<'_>,
    dropout: Option<(f64, DropoutKey)>,
) -> Result<Tensor, Error> {
    block.check(x)?;
    let mask = match dropout {
        Some((probability, key)) => Some(mask_of(&x.size(), probability, key)?),
        None => None,
    };
    ffi::conv_block(x, &block.tensors(), block.dilation as i64, mask.as_ref())
}

impl<'a> ConvBlock<'a> {
    /// In the order in which the shim takes them.
    fn tensors(&self) -> Vec<&'a Tensor> {
        let rest = [self.scale, self.shift, self.mix, self.mix_bias];
        self.weights.iter().chain(self.biases).chain(rest).collect()
    }

    fn check(&self, x: &Tensor) -> Result<(), Error> {
        let input = x.size();
        let &[_, _, channels] = &input[..] else {
            return Err(shape("x", 0, &[-1, -1, -1], input));
        };
        if input.contains(&0) {
            return Err(shape("x", 0, &[1, 1, 1], input));
        }
        if self.weights.is_empty() {
            return Err(Error::Empty { operation: OPERATION });
        }
        if self.biases.len() != self.weights.len() {
            let (expected, found) = (self.weights.len(), self.biases.len());
            return Err(Error::Count { operation: OPERATION, list: "biases", expected, found });
        }
        if self.dilation == 0 {
            let expected = "at least 1";
            return Err(Error::Number { operation: OPERATION, name: "dilation", expected, found: 0.0 });
        }
        let mut shares = 0;
        for (index, (weight, bias)) in self.weights.iter().zip(self.biases).enumerate() {
            let found = weight.size();
            let &[share, inputs, width] = &found[..] else {
                return Err(shape("weights", index, &[-1, channels, -1], found));
            };
            if inputs != channels || share < 1 {
                return Err(shape("weights", index, &[share.max(1), channels, width], found));
            }
            if width % 2 == 0 {
                let (name, expected) = ("width", "an odd number");
                return Err(Error::Number { operation: OPERATION, name, expected, found: width as f64 });
            }
            of_shape("biases", index, bias, &[share])?;
            shares += share;
        }
        if shares != channels {
            let (name, expected) = ("channels of all weights", "the channels of x");
            return Err(Error::Number { operation: OPERATION, name, expected, found: shares as f64 });
        }
        of_shape("scale", 0, self.scale, &[channels])?;
        of_shape("shift", 0, self.shift, &[channels])?;
        of_shape("mix", 0, self.mix, &[channels, channels, 1])?;
        of_shape("mix_bias", 0, self.mix_bias, &[channels])?;
        cpu_floats(OPERATION, "x and weights", std::iter::once(x).chain(self.tensors()))
    }
}

fn of_shape(list: &'static str, index: usize, tensor: &Tensor, expected: &[i64]) -> Result<(), Error> {
    let found = tensor.size();
    if found == expected { Ok(()) } else { Err(shape(list, index, expected, found)) }
}

fn shape(list: &'static str, index: usize, expected: &[i64], found: Vec<i64>) -> Error {
    Error::Shape { operation: OPERATION, list, index, expected: expected.to_vec(), found }
}
