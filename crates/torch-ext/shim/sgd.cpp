#include "guard.h"
#include "tensors.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/_fused_sgd.h>

// The buffers are all zero before the first step, which then needs no rule of its own: 0 times the momentum plus the gradient.
extern "C" char* tapeline_sgd_step(
    size_t count,
    at::Tensor* const* parameters,
    at::Tensor* const* gradients,
    size_t buffer_count,
    at::Tensor* const* buffers,
    double learning_rate,
    double momentum,
    bool nesterov,
    double weight_decay,
    const at::Tensor* skip) {
  return tapeline::guard([&] {
    const at::NoGradGuard no_grad;
    at::_fused_sgd_(
        tapeline::list(parameters, count), tapeline::contiguous_list(gradients, count),
        tapeline::list(buffers, buffer_count), weight_decay, momentum, learning_rate, /*dampening=*/0.0, nesterov,
        /*maximize=*/false, /*is_first_step=*/false, /*grad_scale=*/std::nullopt,
        skip == nullptr ? std::optional<at::Tensor>() : *skip);
  });
}
