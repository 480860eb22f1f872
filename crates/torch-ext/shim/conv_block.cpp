#include "guard.h"
#include "kernel/conv_block.h"
#include "memory.h"
#include "shares.h"
#include "tensors.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <torch/csrc/autograd/custom_function.h>

#include <vector>

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// The tensors of a block in the order in which they cross the boundary: the convolutions' weights, their biases, then these.
enum AfterConvolutions { scale, shift, mix, mix_bias, count };

// A block's tensors as the kernel takes them.
struct Block {
  std::vector<tapeline::Convolution> convolutions;
  tapeline::ConvBlockWeights weights;

  Block(const at::Tensor& x, at::TensorList tensors, int64_t dilation) {
    const size_t kernels = (tensors.size() - AfterConvolutions::count) / 2;
    for (size_t index = 0; index < kernels; ++index) {
      const auto& weight = tensors[index];
      convolutions.push_back(
          {weight.size(0), weight.size(2), weight.const_data_ptr<float>(),
           tensors[kernels + index].const_data_ptr<float>()});
    }
    const auto data = [&](AfterConvolutions which) {
      return tensors[2 * kernels + static_cast<size_t>(which)].const_data_ptr<float>();
    };
    weights = {x.size(1),   x.size(2),   dilation,  static_cast<int64_t>(kernels), convolutions.data(),
               data(scale), data(shift), data(mix), data(mix_bias)};
  }
};

const float* sample_of(const at::Tensor& tensor, int64_t sample) {
  return tensor.defined() ? tensor.const_data_ptr<float>() + sample * tensor.size(1) * tensor.size(2) : nullptr;
}

float* sample_of(at::Tensor& tensor, int64_t sample) {
  return tensor.mutable_data_ptr<float>() + sample * tensor.size(1) * tensor.size(2);
}

struct ConvBlock : torch::autograd::Function<ConvBlock> {
  // `mask` may be undefined.
  static at::Tensor forward(
      AutogradContext* context, const at::Tensor& x, at::TensorList tensors, int64_t dilation, const at::Tensor* mask,
      bool is_learning) {
    const auto& kernel = tapeline::conv_block_kernel();
    const Block block(x, tensors, dilation);
    const int64_t batch = x.size(0);
    const int64_t shares = tapeline::shares_of(batch);
    // Without a way back, what it would need is overwritten sample by sample.
    const int64_t kept = is_learning ? batch : shares;
    auto out = at::empty_like(x);
    auto normal = at::empty({kept, x.size(1), kernel.row(x.size(2))}, x.options());
    auto rstd = at::empty({kept}, x.options());
    tapeline::for_each_share(batch, shares, [&](int64_t share, int64_t first, int64_t last) {
      const tapeline::Memory memory(kernel.forward_memory(block.weights));
      kernel.prepare_forward(block.weights, memory.start());
      for (int64_t sample = first; sample < last; ++sample) {
        const int64_t place = is_learning ? sample : share;
        kernel.forward(
            block.weights, memory.start(), sample_of(x, sample), sample_of(*mask, sample), sample_of(out, sample),
            sample_of(normal, place), rstd.mutable_data_ptr<float>() + place);
      }
    });
    if (is_learning) {
      variable_list saved{x, normal, rstd, *mask};
      saved.insert(saved.end(), tensors.begin(), tensors.end());
      context->save_for_backward(std::move(saved));
      context->saved_data["dilation"] = dilation;
    }
    return out;
  }

  static variable_list backward(AutogradContext* context, variable_list out_gradients) {
    TORCH_CHECK(!at::GradMode::is_enabled(), "conv_block has no second derivative");
    const auto& kernel = tapeline::conv_block_kernel();
    const auto saved = context->get_saved_variables();
    const auto &x = saved[0], &normal = saved[1], &rstd = saved[2], &mask = saved[3];
    const auto tensors = at::TensorList(saved).slice(4);
    const Block block(x, tensors, context->saved_data["dilation"].toInt());
    const auto out_gradient = out_gradients[0].contiguous();
    const int64_t batch = x.size(0);
    const int64_t shares = tapeline::shares_of(batch);
    auto x_gradient = at::empty_like(x);
    std::vector<variable_list> sums(static_cast<size_t>(shares));
    for (auto& sum : sums) {
      for (const auto& tensor : tensors) {
        sum.push_back(at::empty_like(tensor));
      }
    }
    tapeline::for_each_share(batch, shares, [&](int64_t share, int64_t first, int64_t last) {
      const tapeline::Memory memory(kernel.backward_memory(block.weights));
      kernel.prepare_backward(block.weights, memory.start());
      for (int64_t sample = first; sample < last; ++sample) {
        kernel.backward(
            block.weights, memory.start(), sample_of(x, sample), sample_of(mask, sample), sample_of(normal, sample),
            rstd.const_data_ptr<float>()[sample], sample_of(out_gradient, sample), sample_of(x_gradient, sample));
      }
      collect(block.weights, memory.start(), sums[static_cast<size_t>(share)]);
    });
    tapeline::add_up(sums);
    variable_list gradients{x_gradient};
    gradients.insert(gradients.end(), sums[0].begin(), sums[0].end());
    // Dilation, mask and is_learning.
    gradients.insert(gradients.end(), 3, at::Tensor());
    return gradients;
  }

 private:
  static void collect(const tapeline::ConvBlockWeights& weights, const float* memory, variable_list& into) {
    std::vector<float*> places;
    for (auto& tensor : into) {
      places.push_back(tensor.mutable_data_ptr<float>());
    }
    float* const* others = places.data() + 2 * weights.convolutions;
    tapeline::conv_block_kernel().gradients(
        weights, memory,
        {places.data(), places.data() + weights.convolutions, others[scale], others[shift], others[mix],
         others[mix_bias]});
  }
};

}  // namespace

extern "C" char* tapeline_conv_block(
    const at::Tensor* x, size_t count, at::Tensor* const* tensors, int64_t dilation, const at::Tensor* mask,
    at::Tensor** out) {
  return tapeline::guard([&] {
    auto weights = tapeline::list(tensors, count);
    bool is_learning = x->requires_grad();
    for (auto& weight : weights) {
      is_learning = is_learning || weight.requires_grad();
      weight = weight.contiguous();
    }
    const at::Tensor none;
    *out = new at::Tensor(ConvBlock::apply(
        x->contiguous(), at::TensorList(weights), dilation, mask == nullptr ? &none : mask,
        is_learning && at::GradMode::is_enabled()));
  });
}
