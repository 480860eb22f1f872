#include "guard.h"
#include "tensors.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/_amp_foreach_non_finite_check_and_unscale.h>
#include <ATen/ops/_amp_update_scale.h>
#include <ATen/ops/zeros.h>

extern "C" char* tapeline_unscale(
    size_t count, at::Tensor* const* gradients, const at::Tensor* scale, at::Tensor** found_inf) {
  return tapeline::guard([&] {
    const at::NoGradGuard no_grad;
    const auto all = tapeline::list(gradients, count);
    // By way of 64 bits, as torch.amp.GradScaler: the reciprocal of a power of two is exact either way.
    const auto inverse = scale->to(at::kDouble).reciprocal().to(at::kFloat);
    auto found = at::zeros({}, scale->options());
    at::_amp_foreach_non_finite_check_and_unscale_(all, found, inverse);
    *found_inf = new at::Tensor(found);
  });
}

extern "C" char* tapeline_update_scale(
    at::Tensor* scale,
    at::Tensor* growth_tracker,
    const at::Tensor* found_inf,
    double growth,
    double backoff,
    int64_t growth_interval) {
  return tapeline::guard([&] {
    const at::NoGradGuard no_grad;
    at::_amp_update_scale_(*scale, *growth_tracker, *found_inf, growth, backoff, growth_interval);
  });
}
