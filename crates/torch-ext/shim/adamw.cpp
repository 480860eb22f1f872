#include "guard.h"
#include "tensors.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_fused_adamw.h>

extern "C" char* tapeline_adamw_step(
    size_t count,
    at::Tensor* const* parameters,
    at::Tensor* const* gradients,
    at::Tensor* const* first_moments,
    at::Tensor* const* second_moments,
    at::Tensor* const* steps,
    double learning_rate,
    double beta1,
    double beta2,
    double weight_decay,
    double epsilon) {
  return tapeline::guard([&] {
    const at::NoGradGuard no_grad;
    auto dense_gradients = tapeline::list(gradients, count);
    for (auto& gradient : dense_gradients) {
      gradient = gradient.contiguous();
    }
    auto step_counts = tapeline::list(steps, count);
    at::_foreach_add_(step_counts, 1);
    at::_fused_adamw_(
        tapeline::list(parameters, count), dense_gradients, tapeline::list(first_moments, count),
        tapeline::list(second_moments, count), /*max_exp_avg_sqs=*/{}, step_counts, learning_rate, beta1, beta2,
        weight_decay, epsilon, /*amsgrad=*/false, /*maximize=*/false);
  });
}
