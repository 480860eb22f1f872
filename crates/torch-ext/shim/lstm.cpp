#include "guard.h"
#include "kernel/lstm.h"
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

// One share of a batch, which is a layer's whole batch to the kernel.
struct Layer {
  tapeline::LstmWeights weights;
  int64_t first;  // sample

  // `tensors` are input weight, state weight and their biases.
  Layer(const at::Tensor& x, at::TensorList tensors, bool from_the_end, int64_t first, int64_t last)
      : weights{
            last - first,
            x.size(1),
            x.size(2),
            tensors[1].size(1),
            from_the_end,
            tensors[0].const_data_ptr<float>(),
            tensors[1].const_data_ptr<float>(),
            tensors[2].const_data_ptr<float>(),
            tensors[3].const_data_ptr<float>()},
        first(first) {}

  const float* part_of(const at::Tensor& tensor) const {
    return tensor.const_data_ptr<float>() + first * tensor.size(1) * tensor.size(2);
  }

  float* part_of(at::Tensor& tensor) const {
    return tensor.mutable_data_ptr<float>() + first * tensor.size(1) * tensor.size(2);
  }
};

struct Lstm : torch::autograd::Function<Lstm> {
  static at::Tensor forward(
      AutogradContext* context, const at::Tensor& x, at::TensorList tensors, bool from_the_end, bool is_learning) {
    const auto& kernel = tapeline::lstm_kernel();
    const int64_t shares = tapeline::shares_of(x.size(0));
    auto out = at::empty({x.size(0), x.size(1), tensors[1].size(1)}, x.options());
    variable_list kept(static_cast<size_t>(2 * shares));
    tapeline::for_each_share(x.size(0), shares, [&](int64_t share, int64_t first, int64_t last) {
      const Layer layer(x, tensors, from_the_end, first, last);
      auto gates = at::empty({kernel.kept_gates(layer.weights)}, x.options());
      auto cells = at::empty({kernel.kept_cells(layer.weights)}, x.options());
      const tapeline::Memory memory(kernel.forward_memory(layer.weights));
      kernel.forward(
          layer.weights, memory.start(), layer.part_of(x), layer.part_of(out), gates.mutable_data_ptr<float>(),
          cells.mutable_data_ptr<float>());
      if (is_learning) {
        kept[static_cast<size_t>(2 * share)] = gates;
        kept[static_cast<size_t>(2 * share + 1)] = cells;
      }
    });
    if (is_learning) {
      variable_list saved{x, out};
      saved.insert(saved.end(), tensors.begin(), tensors.end());
      saved.insert(saved.end(), kept.begin(), kept.end());
      context->save_for_backward(std::move(saved));
      context->saved_data["from_the_end"] = from_the_end;
      context->saved_data["x_learns"] = x.requires_grad();
    }
    return out;
  }

  static variable_list backward(AutogradContext* context, variable_list out_gradients) {
    TORCH_CHECK(!at::GradMode::is_enabled(), "lstm has no second derivative");
    const auto& kernel = tapeline::lstm_kernel();
    const auto saved = context->get_saved_variables();
    const auto &x = saved[0], &out = saved[1];
    const auto tensors = at::TensorList(saved).slice(2, 4);
    const auto kept = at::TensorList(saved).slice(6);
    const auto shares = static_cast<int64_t>(kept.size() / 2);
    const bool from_the_end = context->saved_data["from_the_end"].toBool();
    const auto out_gradient = out_gradients[0].contiguous();
    auto x_gradient = context->saved_data["x_learns"].toBool() ? at::empty_like(x) : at::Tensor();
    // Of both weights and of the biases, by share.
    std::vector<variable_list> sums(static_cast<size_t>(shares));
    for (auto& sum : sums) {
      sum = {at::empty_like(tensors[0]), at::empty_like(tensors[1]), at::empty_like(tensors[2])};
    }
    tapeline::for_each_share(x.size(0), shares, [&](int64_t share, int64_t first, int64_t last) {
      const Layer layer(x, tensors, from_the_end, first, last);
      const tapeline::Memory memory(kernel.backward_memory(layer.weights));
      auto& sum = sums[static_cast<size_t>(share)];
      kernel.backward(
          layer.weights, memory.start(), layer.part_of(x), layer.part_of(out),
          kept[static_cast<size_t>(2 * share)].const_data_ptr<float>(),
          kept[static_cast<size_t>(2 * share + 1)].const_data_ptr<float>(), layer.part_of(out_gradient),
          x_gradient.defined() ? layer.part_of(x_gradient) : nullptr,
          {sum[0].mutable_data_ptr<float>(), sum[1].mutable_data_ptr<float>(), sum[2].mutable_data_ptr<float>()});
    });
    tapeline::add_up(sums);
    const auto& sum = sums[0];
    // Both biases have the same gradient, each in memory of its own: it may be changed in place.
    return {x_gradient, sum[0], sum[1], sum[2], sum[2].clone(), at::Tensor(), at::Tensor()};
  }
};

}  // namespace

extern "C" char* tapeline_lstm(
    const at::Tensor* x, size_t count, at::Tensor* const* tensors, int from_the_end, at::Tensor** out) {
  return tapeline::guard([&] {
    auto weights = tapeline::list(tensors, count);
    bool is_learning = x->requires_grad();
    for (auto& weight : weights) {
      is_learning = is_learning || weight.requires_grad();
      weight = weight.contiguous();
    }
    *out = new at::Tensor(Lstm::apply(
        x->contiguous(), at::TensorList(weights), from_the_end != 0, is_learning && at::GradMode::is_enabled()));
  });
}
