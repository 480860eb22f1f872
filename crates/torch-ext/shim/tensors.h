// Lists of tensors as they cross the boundary: pointers that the caller owns, and their number.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <vector>

namespace tapeline {

inline std::vector<at::Tensor> list(at::Tensor* const* tensors, size_t count) {
  std::vector<at::Tensor> out;
  out.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    out.push_back(*tensors[i]);
  }
  return out;
}

// The same, those that are laid out otherwise copied: the fused operations read memory in order.
inline std::vector<at::Tensor> contiguous_list(at::Tensor* const* tensors, size_t count) {
  auto out = list(tensors, count);
  for (auto& tensor : out) {
    tensor = tensor.contiguous();
  }
  return out;
}

}  // namespace tapeline
