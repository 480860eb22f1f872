#include "guard.h"
#include "tensors.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_sub.h>
#include <ATen/ops/_fused_adam.h>
#include <ATen/ops/_fused_adamw.h>

extern "C" char* tapeline_adam_step(
    bool decoupled_decay,
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
    double epsilon,
    const at::Tensor* skip) {
  return tapeline::guard([&] {
    const at::NoGradGuard no_grad;
    const auto dense_gradients = tapeline::contiguous_list(gradients, count);
    auto all = tapeline::list(parameters, count);
    auto first = tapeline::list(first_moments, count);
    auto second = tapeline::list(second_moments, count);
    auto step_counts = tapeline::list(steps, count);
    at::_foreach_add_(step_counts, 1);
    const auto found_inf = skip == nullptr ? std::optional<at::Tensor>() : *skip;
    const auto update = [&](auto fused) {
      fused(
          all, dense_gradients, first, second, /*max_exp_avg_sqs=*/at::TensorList{}, step_counts, learning_rate, beta1,
          beta2, weight_decay, epsilon, /*amsgrad=*/false, /*maximize=*/false, /*grad_scale=*/std::nullopt, found_inf);
    };
    if (decoupled_decay) {
      update([](auto&&... arguments) { at::_fused_adamw_(arguments...); });
    } else {
      update([](auto&&... arguments) { at::_fused_adam_(arguments...); });
    }
    if (found_inf) {
      // The fused steps leave the rest as it was and do not count; a step that was not done is taken back.
      at::_foreach_sub_(step_counts, std::vector<at::Tensor>(count, *found_inf));
    }
  });
}
