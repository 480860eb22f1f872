// One direction of one LSTM layer over a batch, from a state of zeros.
//
//   i, f, o = σ(W·x[t] + b + V·h[t-1] + b')      g = tanh(likewise)
//   c[t] = f·c[t-1] + i·g                        h[t] = o·tanh(c[t])
//
// Weights are PyTorch's: gates i, f, g, o on top of each other. Inputs and outputs are `[batch, time, width]`. What is kept
// for the way back is laid out block by block of hidden units: `[block][batch][time][gate][lane]`.
#pragma once

#include <cstdint>

namespace tapeline {

struct LstmWeights {
  int64_t batch;
  int64_t time;
  int64_t inputs;
  int64_t hidden;
  bool from_the_end;          // reads the last time first
  const float* input_weight;  // [4 · hidden, inputs]
  const float* state_weight;  // [4 · hidden, hidden]
  const float* input_bias;    // [4 · hidden]
  const float* state_bias;    // [4 · hidden]
};

struct LstmGradients {
  float* input_weight;
  float* state_weight;
  float* bias;  // of both
};

// One set of functions for each instruction set.
struct LstmKernel {
  // Floats that are kept for the way back: the gates, and the cells.
  int64_t (*kept_gates)(const LstmWeights&);
  int64_t (*kept_cells)(const LstmWeights&);
  // Floats of working memory, aligned to 64 bytes.
  int64_t (*forward_memory)(const LstmWeights&);
  int64_t (*backward_memory)(const LstmWeights&);
  void (*forward)(const LstmWeights&, float* memory, const float* x, float* out, float* gates, float* cells);
  // `x_gradient` may be null.
  void (*backward)(
      const LstmWeights&, float* memory, const float* x, const float* out, const float* gates, const float* cells,
      const float* out_gradient, float* x_gradient, const LstmGradients&);
};

const LstmKernel& lstm_kernel();

}  // namespace tapeline
