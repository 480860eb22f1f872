//! Convolutions over time.

use tapeline_torch_ext::conv_block;
use tch::Tensor;

use super::dropout::Dropout;
use super::is_float_on_cpu;
use super::norm::SampleNorm;
use crate::ModelError;
use crate::init::{Part, Start};
use crate::network::Mode;
use crate::spec::CnnSpec;

/// A convolution of width one: a linear layer at every bar, `[batch, time, input]` to `[batch, time, output]`.
#[derive(Debug)]
pub(crate) struct Pointwise {
    weight: Tensor,
    bias: Tensor,
}

impl Pointwise {
    pub(crate) fn new(mut part: Part<'_>, inputs: usize, outputs: usize) -> Result<Self, ModelError> {
        let weight = part.weight("weight", &[outputs, inputs, 1], Start::fan_in(inputs))?;
        let bias = part.weight("bias", &[outputs], Start::fan_in(inputs))?;
        Ok(Self { weight, bias })
    }

    pub(crate) fn forward(&self, x: &Tensor) -> Result<Tensor, ModelError> {
        Ok(x.f_linear(&self.weight.f_squeeze_dim(2)?, Some(&self.bias))?)
    }
}

/// Kernels of several odd widths at one dilation, their outputs side by side; as long as the input.
///
/// They run as one convolution: a narrow kernel is a wide one with zeros at its ends.
#[derive(Debug)]
struct ParallelConvs {
    weights: Vec<Tensor>,
    biases: Vec<Tensor>,
    widest: usize,
    dilation: usize,
}

impl ParallelConvs {
    fn new(mut part: Part<'_>, spec: &CnnSpec, dilation: usize) -> Result<Self, ModelError> {
        let mut weights = Vec::with_capacity(spec.kernel_sizes.len());
        let mut biases = Vec::with_capacity(spec.kernel_sizes.len());
        let shares = shares(spec.channels, spec.kernel_sizes.len());
        for (index, (&kernel, share)) in spec.kernel_sizes.iter().zip(shares).enumerate() {
            let mut conv = part.part(&index.to_string());
            let start = Start::fan_in(spec.channels * kernel);
            weights.push(conv.weight("weight", &[share, spec.channels, kernel], start)?);
            biases.push(conv.weight("bias", &[share], start)?);
        }
        let widest = spec.kernel_sizes.iter().copied().max().unwrap_or(1);
        Ok(Self { weights, biases, widest, dilation })
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor, ModelError> {
        let bias = Tensor::f_cat(&self.biases, 0)?;
        let reach = ((self.widest - 1) / 2 * self.dilation) as i64;
        let image = x.f_transpose(1, 2)?.f_unsqueeze(2)?;
        let dilation = [1, self.dilation as i64];
        let out = image.f_conv2d(&self.joint_weight()?, Some(&bias), [1, 1], [0, reach], dilation, 1)?;
        Ok(out.f_squeeze_dim(2)?.f_transpose(1, 2)?)
    }

    /// All kernels as one, `[output, input, 1, widest]`. In memory the input channels lie innermost, as they do in the
    /// activations: so nothing is reordered on the way into the convolution or out of it.
    fn joint_weight(&self) -> Result<Tensor, ModelError> {
        let widened = self
            .weights
            .iter()
            .map(|weight| {
                let margin = (self.widest as i64 - weight.size()[2]) / 2;
                weight.f_transpose(1, 2)?.f_constant_pad_nd([0, 0, margin, margin])
            })
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Tensor::f_cat(&widened, 0)?.f_contiguous()?.f_transpose(1, 2)?.f_unsqueeze(2)?)
    }
}

/// `total` in `parts` shares that differ by one at most, the larger ones first.
fn shares(total: usize, parts: usize) -> impl Iterator<Item = usize> {
    (0..parts).map(move |part| total / parts + usize::from(part < total % parts))
}

/// Parallel convolutions, norm, GELU, dropout and a pointwise mix, added to the input: `[batch, time, channel]` to the same.
#[derive(Debug)]
pub(crate) struct ConvBlock {
    convs: ParallelConvs,
    norm: SampleNorm,
    dropout: Dropout,
    mix: Pointwise,
}

impl ConvBlock {
    pub(crate) fn new(mut part: Part<'_>, spec: &CnnSpec, dilation: usize) -> Result<Self, ModelError> {
        let convs = ParallelConvs::new(part.part("convs"), spec, dilation)?;
        let norm = SampleNorm::new(part.part("norm"), spec.channels)?;
        let dropout = Dropout::new(&part.part("drop"), spec.dropout);
        let mix = Pointwise::new(part.part("mix"), spec.channels, spec.channels)?;
        Ok(Self { convs, norm, dropout, mix })
    }

    pub(crate) fn forward(&self, x: &Tensor, mode: Mode) -> Result<Tensor, ModelError> {
        if is_float_on_cpu(x) { self.fused(x, mode) } else { self.by_operation(x, mode) }
    }

    /// In one operation, sample by sample: twice as fast on the CPU, which waits for memory otherwise.
    fn fused(&self, x: &Tensor, mode: Mode) -> Result<Tensor, ModelError> {
        let block = tapeline_torch_ext::ConvBlock {
            weights: &self.convs.weights,
            biases: &self.convs.biases,
            dilation: self.convs.dilation,
            scale: self.norm.weight(),
            shift: self.norm.bias(),
            mix: &self.mix.weight,
            mix_bias: &self.mix.bias,
        };
        Ok(conv_block(x, &block, self.dropout.keyed(mode))?)
    }

    /// In libtorch's operations, for any device.
    fn by_operation(&self, x: &Tensor, mode: Mode) -> Result<Tensor, ModelError> {
        let hidden = self.norm.forward(&self.convs.forward(x)?)?.f_gelu("none")?;
        let hidden = self.dropout.forward(hidden, mode)?;
        Ok(x.f_add(&self.mix.forward(&hidden)?)?)
    }
}

#[cfg(test)]
mod tests;
