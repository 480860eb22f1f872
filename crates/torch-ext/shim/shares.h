// A batch cut into shares, one for each thread that an operation may use: the same number of threads gives the same bytes.
#pragma once

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace tapeline {

inline int64_t shares_of(int64_t batch) {
  return std::min<int64_t>(batch, at::get_num_threads());
}

// Calls `body(share, first, last)` for each share of the samples, side by side.
template <class Body>
void for_each_share(int64_t batch, int64_t shares, const Body& body) {
  at::parallel_for(0, shares, 1, [&](int64_t first, int64_t last) {
    for (int64_t share = first; share < last; ++share) {
      body(share, share * batch / shares, (share + 1) * batch / shares);
    }
  });
}

// Adds the tensors of every share to those of the first, in the order of the shares.
inline void add_up(std::vector<std::vector<at::Tensor>>& sums) {
  for (size_t share = 1; share < sums.size(); ++share) {
    for (size_t index = 0; index < sums[0].size(); ++index) {
      sums[0][index].add_(sums[share][index]);
    }
  }
}

}  // namespace tapeline
