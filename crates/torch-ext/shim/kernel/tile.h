// A tile of a matrix product in registers: some rows by one panel of vectors.
#pragma once

#include "vector.h"

namespace tapeline {
namespace TAPELINE_ISA {

// Vectors side by side in a panel of packed weights.
constexpr int64_t panel_vectors = TAPELINE_PANEL_VECTORS;
constexpr int64_t panel = panel_vectors * lanes;

TAPELINE_INLINE constexpr int64_t panels(int64_t columns) {
  return (columns + panel - 1) / panel;
}

// Where the left factor lies: element (row, k) at `start[row * row_step + k * k_step]`.
struct Left {
  const float* start;
  int64_t row_step;
  int64_t k_step;
};

template <int Rows, int Vectors>
struct Tile {
  Floats at[Rows][Vectors];

  TAPELINE_INLINE void clear(Tile& tile) {
    for (int row = 0; row < Rows; ++row) {
      for (int vector = 0; vector < Vectors; ++vector) {
        tile.at[row][vector] = Floats{};
      }
    }
  }

  // Adds the product of `Rows` rows of `left` with `count` rows of `right`, which are `right_step` apart; the first `From`
  // vectors are left as they are.
  template <int From>
  TAPELINE_INLINE void add(Tile& tile, Left left, const float* right, int64_t right_step, int64_t count) {
    const float* a = left.start;
    for (int64_t k = 0; k < count; ++k) {
      Floats b[Vectors];
#pragma GCC unroll 8
      for (int vector = From; vector < Vectors; ++vector) {
        b[vector] = load(right + vector * lanes);
      }
#pragma GCC unroll 8
      for (int row = 0; row < Rows; ++row) {
        const Floats factor = all(a[row * left.row_step]);
#pragma GCC unroll 8
        for (int vector = From; vector < Vectors; ++vector) {
          tile.at[row][vector] += factor * b[vector];
        }
      }
      a += left.k_step;
      right += right_step;
    }
  }
};

}  // namespace TAPELINE_ISA
}  // namespace tapeline
