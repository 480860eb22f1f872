// One residual block of parallel convolutions, sample by sample, so that all of a sample stays in the fastest memory.
//
//   pre   = conv(x) + bias                  several odd widths at one dilation, their channels side by side
//   n     = (pre - mean) · rstd             over time and channels of the sample together
//   out   = x + mix · (gelu(n · scale + shift) · mask) + mix_bias
//
// Rows are times, `[time, channel]`. Internal rows are `row` floats apart: the channels, and zeros up to a whole panel.
#pragma once

#include <cstdint>

namespace tapeline {

// Consecutive output channels that share a kernel width; `weight` is `[channel, input, width]`.
struct Convolution {
  int64_t channels;
  int64_t width;
  const float* weight;
  const float* bias;
};

struct ConvBlockWeights {
  int64_t time;
  int64_t channels;
  int64_t dilation;
  int64_t convolutions;
  const Convolution* convolution;
  const float* scale;
  const float* shift;
  const float* mix;  // [output, input]
  const float* mix_bias;
};

// Sums over samples, each laid out as its weight.
struct ConvBlockGradients {
  float* const* weight;  // one per convolution
  float* const* bias;
  float* scale;
  float* shift;
  float* mix;
  float* mix_bias;
};

// One set of functions for each instruction set.
struct ConvBlockKernel {
  // Floats from one internal row to the next.
  int64_t (*row)(int64_t channels);
  // Floats of working memory that the other functions need, aligned to 64 bytes.
  int64_t (*forward_memory)(const ConvBlockWeights&);
  int64_t (*backward_memory)(const ConvBlockWeights&);
  // Puts the weights where the loops want them: once, before any sample.
  void (*prepare_forward)(const ConvBlockWeights&, float* memory);
  // One sample. `mask` may be null. `normal` keeps `[time, row]` and `deviation` one number for the way back; `normal` may
  // lie anywhere, also where the last sample's was.
  void (*forward)(
      const ConvBlockWeights&, float* memory, const float* x, const float* mask, float* out, float* normal, float* rstd);
  void (*prepare_backward)(const ConvBlockWeights&, float* memory);
  // One sample. Sums up the weights' gradients in `memory`.
  void (*backward)(
      const ConvBlockWeights&, float* memory, const float* x, const float* mask, const float* normal, float rstd,
      const float* out_gradient, float* x_gradient);
  // The sums of all samples since `prepare_backward`.
  void (*gradients)(const ConvBlockWeights&, const float* memory, const ConvBlockGradients&);
};

const ConvBlockKernel& conv_block_kernel();

}  // namespace tapeline
