#include "guard.h"
#include "tensors.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/stack.h>

namespace {

// Keeps the quotient finite where all gradients are zero; the value that torch.nn.utils.clip_grad_norm_ uses.
constexpr double norm_floor = 1e-6;

}  // namespace

extern "C" char* tapeline_clip_gradient_norm(
    size_t count, at::Tensor* const* gradients, double max_norm, at::Tensor** total_norm) {
  return tapeline::guard([&] {
    const at::NoGradGuard no_grad;
    const auto all = tapeline::list(gradients, count);
    const auto norm = at::linalg_vector_norm(at::stack(at::_foreach_norm(all, 2)), 2);
    const auto factor = at::clamp(max_norm / (norm + norm_floor), std::nullopt, 1.0);
    // Reading the factor costs nothing on the CPU and saves a pass; on a device it would wait for the stream.
    const bool is_identity = factor.is_cpu() && factor.item<double>() == 1.0;
    if (!is_identity) {
      at::_foreach_mul_(all, factor);
    }
    *total_norm = new at::Tensor(norm);
  });
}
