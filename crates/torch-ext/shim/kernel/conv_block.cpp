// Compiled once per instruction set. See conv_block.h for what it computes.
#include "conv_block.h"

#include "tile.h"

namespace tapeline {
namespace TAPELINE_ISA {
namespace {

// Rows of a tile: with the vectors of a panel they fill the registers.
constexpr int tile_rows = 6;
// Rows of a tile of a weight's gradient; divides the usual numbers of channels.
constexpr int gradient_rows = 4;
constexpr float epsilon = 1e-5f;

TAPELINE_INLINE int64_t round_up(int64_t value, int64_t to) {
  return (value + to - 1) / to * to;
}

TAPELINE_INLINE void zero(float* from, int64_t count) {
  std::memset(from, 0, static_cast<size_t>(count) * sizeof(float));
}

// Sizes that everything else is derived from.
struct Plan {
  int64_t time;
  int64_t channels;
  int64_t row;        // floats from one internal row to the next
  int64_t vectors;    // of a row
  int64_t rows;       // times, rounded up to whole tiles
  int64_t taps;       // of the widest kernel
  int64_t halo;       // rows of zeros before and after
  int64_t dilation;

  explicit Plan(const ConvBlockWeights& block)
      : time(block.time),
        channels(block.channels),
        row(panels(block.channels) * panel),
        vectors(row / lanes),
        rows(round_up(block.time, tile_rows)),
        taps(1),
        dilation(block.dilation) {
    for (int64_t index = 0; index < block.convolutions; ++index) {
      if (block.convolution[index].width > taps) {
        taps = block.convolution[index].width;
      }
    }
    halo = taps / 2 * dilation;
  }

  int64_t padded() const { return (rows + 2 * halo) * row; }
  int64_t sample() const { return rows * row; }
  int64_t tap_matrix() const { return channels * row; }
  // How many rows a tap looks back or ahead.
  int64_t offset(int64_t tap) const { return (tap - taps / 2) * dilation; }
};

// Does a kernel of `width` have the tap at `tap` of the widest, `taps`?
TAPELINE_INLINE bool has_tap(int64_t width, int64_t tap, int64_t taps) {
  const int64_t distance = tap > taps / 2 ? tap - taps / 2 : taps / 2 - tap;
  return distance <= width / 2;
}

// The first output channel whose kernel has `tap`; all before it are zero there.
TAPELINE_INLINE int64_t first_channel(const ConvBlockWeights& block, int64_t tap, int64_t taps) {
  int64_t channel = 0;
  for (int64_t index = 0; index < block.convolutions; ++index) {
    if (has_tap(block.convolution[index].width, tap, taps)) {
      return channel;
    }
    channel += block.convolution[index].channels;
  }
  return channel;
}

// A weight `[output, input, tap]` as panels `[panel][tap][input][panel column]`, the columns being the outputs.
struct Forward {
  float* convolution;
  float* bias;
  float* mix;
  float* scale;
  float* shift;
  float* mix_bias;
  float* x;
  float* active;

  Forward(const Plan& plan, float* memory) {
    convolution = memory;
    bias = convolution + plan.taps * plan.tap_matrix();
    mix = bias + plan.row;
    scale = mix + plan.tap_matrix();
    shift = scale + plan.row;
    mix_bias = shift + plan.row;
    x = mix_bias + plan.row;
    active = x + plan.padded();
  }

  static int64_t floats(const Plan& plan) {
    return (plan.taps + 1) * plan.tap_matrix() + 4 * plan.row + plan.padded() + plan.sample();
  }
};

TAPELINE_INLINE void copy_row(float* to, const float* from, int64_t count, int64_t row) {
  std::memcpy(to, from, static_cast<size_t>(count) * sizeof(float));
  zero(to + count, row - count);
}

// Where column `column` of row `k` of a packed matrix of `height` rows lies.
TAPELINE_INLINE int64_t packed(int64_t height, int64_t k, int64_t column) {
  return (column / panel * height + k) * panel + column % panel;
}

void prepare_forward(const ConvBlockWeights& block, float* memory) {
  const Plan plan(block);
  const Forward to(plan, memory);
  const int64_t height = plan.taps * plan.channels;
  zero(to.convolution, plan.taps * plan.tap_matrix());
  zero(to.bias, plan.row);
  int64_t output = 0;
  for (int64_t index = 0; index < block.convolutions; ++index) {
    const Convolution& convolution = block.convolution[index];
    const int64_t first_tap = (plan.taps - convolution.width) / 2;
    for (int64_t channel = 0; channel < convolution.channels; ++channel, ++output) {
      const float* weight = convolution.weight + channel * plan.channels * convolution.width;
      float* column = to.convolution + packed(height, first_tap * plan.channels, output);
      for (int64_t input = 0; input < plan.channels; ++input) {
        for (int64_t tap = 0; tap < convolution.width; ++tap) {
          column[(tap * plan.channels + input) * panel] = *weight++;
        }
      }
      to.bias[output] = convolution.bias[channel];
    }
  }
  zero(to.mix, plan.tap_matrix());
  for (int64_t output = 0; output < plan.channels; ++output) {
    for (int64_t input = 0; input < plan.channels; ++input) {
      to.mix[packed(plan.channels, input, output)] = block.mix[output * plan.channels + input];
    }
  }
  copy_row(to.scale, block.scale, plan.channels, plan.row);
  copy_row(to.shift, block.shift, plan.channels, plan.row);
  copy_row(to.mix_bias, block.mix_bias, plan.channels, plan.row);
  zero(to.x, plan.padded());
}

// Sample rows at their place between the halos.
TAPELINE_INLINE void stage(const Plan& plan, float* padded, const float* x) {
  for (int64_t time = 0; time < plan.time; ++time) {
    std::memcpy(
        padded + (plan.halo + time) * plan.row, x + time * plan.channels,
        static_cast<size_t>(plan.channels) * sizeof(float));
  }
}

typedef Tile<tile_rows, panel_vectors> RowTile;

// All taps whose first vector with a weight is `From`, then those that start later.
template <int From>
TAPELINE_INLINE void convolve(
    RowTile& tile, const ConvBlockWeights& block, const Plan& plan, const float* rows, const float* weights,
    int64_t first_column) {
  for (int64_t tap = 0; tap < plan.taps; ++tap) {
    const int64_t skipped = (first_channel(block, tap, plan.taps) - first_column) / lanes;
    const bool here = From == 0 ? skipped <= 0 : skipped == From;
    if (here) {
      const Left left = {rows + plan.offset(tap) * plan.row, plan.row, 1};
      RowTile::template add<From>(tile, left, weights + tap * plan.channels * panel, panel, plan.channels);
    }
  }
  if constexpr (From + 1 < panel_vectors) {
    convolve<From + 1>(tile, block, plan, rows, weights, first_column);
  }
}

// The mean of a sample's rows, and one over their deviation; the rows' columns beyond the channels are zero.
struct Moments {
  float mean;
  float rstd;
};

TAPELINE_INLINE Floats kept(const Plan& plan, int64_t vector) {
  Floats lane;
  for (int64_t index = 0; index < lanes; ++index) {
    lane[index] = vector * lanes + index < plan.channels ? 1.0f : 0.0f;
  }
  return lane;
}

TAPELINE_INLINE Moments moments(const Plan& plan, const float* rows) {
  const float count = static_cast<float>(plan.time * plan.channels);
  Floats total[4] = {};
  const int64_t vectors = plan.time * plan.vectors;
  int64_t vector = 0;
  for (; vector + 4 <= vectors; vector += 4) {
    for (int lane = 0; lane < 4; ++lane) {
      total[lane] += load(rows + (vector + lane) * lanes);
    }
  }
  for (; vector < vectors; ++vector) {
    total[0] += load(rows + vector * lanes);
  }
  const float mean = sum((total[0] + total[1]) + (total[2] + total[3])) / count;
  Floats squares = {};
  for (int64_t column = 0; column < plan.vectors; ++column) {
    const Floats lane = kept(plan, column);
    Floats here = {};
    for (int64_t time = 0; time < plan.time; ++time) {
      const Floats off = (load(rows + time * plan.row + column * lanes) - mean) * lane;
      here += off * off;
    }
    squares += here;
  }
  return {mean, 1.0f / __builtin_sqrtf(sum(squares) / count + epsilon)};
}

TAPELINE_INLINE Floats mask_at(const Plan& plan, const float* mask, int64_t time, int64_t column) {
  const int64_t left = plan.channels - column * lanes;
  return left <= 0 ? Floats{} : load_first(mask + time * plan.channels + column * lanes, left < lanes ? left : lanes);
}

void forward(
    const ConvBlockWeights& block, float* memory, const float* x, const float* mask, float* out, float* normal_rows,
    float* rstd) {
  const Plan plan(block);
  const Forward at(plan, memory);
  stage(plan, at.x, x);
  const float* first_row = at.x + plan.halo * plan.row;
  for (int64_t column = 0; column < plan.row; column += panel) {
    const float* weights = at.convolution + column * plan.taps * plan.channels;
    for (int64_t time = 0; time < plan.rows; time += tile_rows) {
      RowTile tile;
      RowTile::clear(tile);
      convolve<0>(tile, block, plan, first_row + time * plan.row, weights, column);
      for (int row = 0; row < tile_rows; ++row) {
        for (int vector = 0; vector < panel_vectors; ++vector) {
          const int64_t place = column + vector * lanes;
          store(at.active + (time + row) * plan.row + place, tile.at[row][vector] + load(at.bias + place));
        }
      }
    }
  }
  const Moments moment = moments(plan, at.active);
  *rstd = moment.rstd;
  for (int64_t time = 0; time < plan.time; ++time) {
    for (int64_t column = 0; column < plan.vectors; ++column) {
      const int64_t place = time * plan.row + column * lanes;
      const Floats n = (load(at.active + place) - moment.mean) * moment.rstd;
      store(normal_rows + place, n);
      const Floats y = n * load(at.scale + column * lanes) + load(at.shift + column * lanes);
      Floats active = y * normal(y).below;
      if (mask != nullptr) {
        active *= mask_at(plan, mask, time, column);
      }
      store(at.active + place, active);
    }
  }
  for (int64_t column = 0; column < plan.row; column += panel) {
    for (int64_t time = 0; time < plan.rows; time += tile_rows) {
      RowTile tile;
      RowTile::clear(tile);
      const Left left = {at.active + time * plan.row, plan.row, 1};
      RowTile::template add<0>(tile, left, at.mix + column * plan.channels, panel, plan.channels);
      const int64_t rows = plan.time - time < tile_rows ? plan.time - time : tile_rows;
      for (int row = 0; row < tile_rows; ++row) {
        if (row >= rows) {
          break;
        }
        for (int vector = 0; vector < panel_vectors; ++vector) {
          const int64_t place = column + vector * lanes;
          const int64_t left_over = plan.channels - place;
          if (left_over > 0) {
            const Floats value = tile.at[row][vector] + load(at.mix_bias + place) +
                                 load(first_row + (time + row) * plan.row + place);
            store_first(out + (time + row) * plan.channels + place, value, left_over < lanes ? left_over : lanes);
          }
        }
      }
    }
  }
}

// The weights turned round, the gradients, and one sample's working rows.
struct Backward {
  float* convolution;  // [panel of inputs][tap][output][panel column]
  float* mix;          // [panel of inputs][output][panel column]
  float* scale;
  float* shift;
  float* convolution_gradient;  // [panel of outputs][tap][input][panel column]
  float* mix_gradient;          // [panel of inputs][output][panel column]
  float* bias_gradient;
  float* scale_gradient;
  float* shift_gradient;
  float* mix_bias_gradient;
  float* x;           // with halo
  float* inner;       // gradients before the norm, with halo
  float* out;         // the gradient that comes in
  float* active;      // what went into the mix

  Backward(const Plan& plan, float* memory) {
    convolution = memory;
    mix = convolution + plan.taps * plan.tap_matrix();
    scale = mix + plan.tap_matrix();
    shift = scale + plan.row;
    convolution_gradient = shift + plan.row;
    mix_gradient = convolution_gradient + plan.taps * plan.tap_matrix();
    bias_gradient = mix_gradient + plan.tap_matrix();
    scale_gradient = bias_gradient + plan.row;
    shift_gradient = scale_gradient + plan.row;
    mix_bias_gradient = shift_gradient + plan.row;
    x = mix_bias_gradient + plan.row;
    inner = x + plan.padded();
    out = inner + plan.padded();
    active = out + plan.sample();
  }

  static int64_t floats(const Plan& plan) {
    return 2 * (plan.taps + 1) * plan.tap_matrix() + 6 * plan.row + 2 * plan.padded() + 2 * plan.sample();
  }
};

void prepare_backward(const ConvBlockWeights& block, float* memory) {
  const Plan plan(block);
  const Backward to(plan, memory);
  zero(memory, Backward::floats(plan));
  const int64_t height = plan.taps * plan.channels;
  int64_t output = 0;
  for (int64_t index = 0; index < block.convolutions; ++index) {
    const Convolution& convolution = block.convolution[index];
    const int64_t first_tap = (plan.taps - convolution.width) / 2;
    for (int64_t channel = 0; channel < convolution.channels; ++channel, ++output) {
      const float* weight = convolution.weight + channel * plan.channels * convolution.width;
      for (int64_t input = 0; input < plan.channels; ++input) {
        float* column = to.convolution + packed(height, first_tap * plan.channels + output, input);
        for (int64_t tap = 0; tap < convolution.width; ++tap) {
          column[tap * plan.channels * panel] = *weight++;
        }
      }
    }
    }
  for (int64_t from = 0; from < plan.channels; ++from) {
    for (int64_t input = 0; input < plan.channels; ++input) {
      to.mix[packed(plan.channels, from, input)] = block.mix[from * plan.channels + input];
    }
  }
  copy_row(to.scale, block.scale, plan.channels, plan.row);
  copy_row(to.shift, block.shift, plan.channels, plan.row);
}

// Adds leftᵀ · right over the rows of a sample to `sums`, `[left column][panel column]`, from vector `From` on.
template <int From>
TAPELINE_INLINE void add_outer(
    const Plan& plan, const float* left, const float* right, float* sums, int64_t columns) {
  int64_t column = 0;
  for (; column + gradient_rows <= columns; column += gradient_rows) {
    Tile<gradient_rows, panel_vectors> tile;
    for (int row = 0; row < gradient_rows; ++row) {
      for (int vector = From; vector < panel_vectors; ++vector) {
        tile.at[row][vector] = load(sums + (column + row) * panel + vector * lanes);
      }
    }
    Tile<gradient_rows, panel_vectors>::template add<From>(
        tile, {left + column, 1, plan.row}, right, plan.row, plan.time);
    for (int row = 0; row < gradient_rows; ++row) {
      for (int vector = From; vector < panel_vectors; ++vector) {
        store(sums + (column + row) * panel + vector * lanes, tile.at[row][vector]);
      }
    }
  }
  for (; column < columns; ++column) {
    Tile<1, panel_vectors> tile;
    for (int vector = From; vector < panel_vectors; ++vector) {
      tile.at[0][vector] = load(sums + column * panel + vector * lanes);
    }
    Tile<1, panel_vectors>::template add<From>(tile, {left + column, 1, plan.row}, right, plan.row, plan.time);
    for (int vector = From; vector < panel_vectors; ++vector) {
      store(sums + column * panel + vector * lanes, tile.at[0][vector]);
    }
  }
}

template <int From>
TAPELINE_INLINE void add_outer_from(
    int64_t skipped, const Plan& plan, const float* left, const float* right, float* sums, int64_t columns) {
  if (skipped <= From) {
    add_outer<From>(plan, left, right, sums, columns);
  } else if constexpr (From + 1 < panel_vectors) {
    add_outer_from<From + 1>(skipped, plan, left, right, sums, columns);
  }
}

void add_column_sums(const Plan& plan, const float* rows, float* sums) {
  for (int64_t column = 0; column < plan.row; column += lanes) {
    Floats total = load(sums + column);
    for (int64_t time = 0; time < plan.time; ++time) {
      total += load(rows + time * plan.row + column);
    }
    store(sums + column, total);
  }
}

void backward(
    const ConvBlockWeights& block, float* memory, const float* x, const float* mask, const float* normal_rows, float rstd,
    const float* out_gradient, float* x_gradient) {
  const Plan plan(block);
  const Backward at(plan, memory);
  stage(plan, at.x, x);
  for (int64_t time = 0; time < plan.time; ++time) {
    std::memcpy(
        at.out + time * plan.row, out_gradient + time * plan.channels,
        static_cast<size_t>(plan.channels) * sizeof(float));
  }
  float* inner = at.inner + plan.halo * plan.row;

  // Back through the mix.
  for (int64_t column = 0; column < plan.row; column += panel) {
    for (int64_t time = 0; time < plan.rows; time += tile_rows) {
      RowTile tile;
      RowTile::clear(tile);
      const Left left = {at.out + time * plan.row, plan.row, 1};
      RowTile::template add<0>(tile, left, at.mix + column * plan.channels, panel, plan.channels);
      for (int row = 0; row < tile_rows; ++row) {
        for (int vector = 0; vector < panel_vectors; ++vector) {
          store(inner + (time + row) * plan.row + column + vector * lanes, tile.at[row][vector]);
        }
      }
    }
  }
  // Back through dropout, GELU, scale and shift.
  Floats total = {};
  Floats product = {};
  for (int64_t column = 0; column < plan.vectors; ++column) {
    const Floats scale = load(at.scale + column * lanes);
    const Floats shift = load(at.shift + column * lanes);
    Floats scale_gradient = load(at.scale_gradient + column * lanes);
    Floats shift_gradient = load(at.shift_gradient + column * lanes);
    for (int64_t time = 0; time < plan.time; ++time) {
      const int64_t place = time * plan.row + column * lanes;
      const Floats n = load(normal_rows + place);
      const Floats y = n * scale + shift;
      const Normal at_y = normal(y);
      Floats active = y * at_y.below;
      Floats slope = at_y.below + y * at_y.density;
      if (mask != nullptr) {
        const Floats kept_here = mask_at(plan, mask, time, column);
        active *= kept_here;
        slope *= kept_here;
      }
      store(at.active + place, active);
      const Floats gradient = load(inner + place) * slope;
      scale_gradient += gradient * n;
      shift_gradient += gradient;
      const Floats scaled = gradient * scale;
      total += scaled;
      product += scaled * n;
      store(inner + place, scaled);
    }
    store(at.scale_gradient + column * lanes, scale_gradient);
    store(at.shift_gradient + column * lanes, shift_gradient);
  }
  // Back through the norm.
  const float count = static_cast<float>(plan.time * plan.channels);
  const float mean = sum(total) / count;
  const float mean_product = sum(product) / count;
  for (int64_t column = 0; column < plan.vectors; ++column) {
    const Floats lane = kept(plan, column) * rstd;
    for (int64_t time = 0; time < plan.time; ++time) {
      const int64_t place = time * plan.row + column * lanes;
      store(inner + place, (load(inner + place) - mean - load(normal_rows + place) * mean_product) * lane);
    }
  }
  // The times that fill up the last tile are no times.
  zero(inner + plan.time * plan.row, (plan.rows - plan.time) * plan.row);

  // The weights' gradients.
  add_column_sums(plan, inner, at.bias_gradient);
  add_column_sums(plan, at.out, at.mix_bias_gradient);
  for (int64_t column = 0; column < plan.row; column += panel) {
    add_outer<0>(plan, at.out, at.active + column, at.mix_gradient + column * plan.channels, plan.channels);
    for (int64_t tap = 0; tap < plan.taps; ++tap) {
      const int64_t skipped = (first_channel(block, tap, plan.taps) - column) / lanes;
      const float* left = at.x + (plan.halo + plan.offset(tap)) * plan.row;
      float* sums = at.convolution_gradient + (column * plan.taps + tap * panel) * plan.channels;
      add_outer_from<0>(skipped, plan, left, inner + column, sums, plan.channels);
    }
  }
  // Back through the convolutions, and past them.
  for (int64_t column = 0; column < plan.row; column += panel) {
    const float* weights = at.convolution + column * plan.taps * plan.channels;
    for (int64_t time = 0; time < plan.rows; time += tile_rows) {
      RowTile tile;
      RowTile::clear(tile);
      for (int64_t tap = 0; tap < plan.taps; ++tap) {
        const int64_t first = first_channel(block, tap, plan.taps);
        const Left left = {inner + (time - plan.offset(tap)) * plan.row + first, plan.row, 1};
        RowTile::template add<0>(
            tile, left, weights + (tap * plan.channels + first) * panel, panel, plan.channels - first);
      }
      const int64_t rows = plan.time - time < tile_rows ? plan.time - time : tile_rows;
      for (int row = 0; row < tile_rows; ++row) {
        if (row >= rows) {
          break;
        }
        for (int vector = 0; vector < panel_vectors; ++vector) {
          const int64_t place = column + vector * lanes;
          const int64_t left_over = plan.channels - place;
          if (left_over > 0) {
            const Floats value = tile.at[row][vector] + load(at.out + (time + row) * plan.row + place);
            store_first(
                x_gradient + (time + row) * plan.channels + place, value, left_over < lanes ? left_over : lanes);
          }
        }
      }
    }
  }
}

void gradients(const ConvBlockWeights& block, const float* memory, const ConvBlockGradients& to) {
  const Plan plan(block);
  const Backward at(plan, const_cast<float*>(memory));
  const int64_t height = plan.taps * plan.channels;
  const auto copy = [&](float* to_row, const float* from) {
    std::memcpy(to_row, from, static_cast<size_t>(plan.channels) * sizeof(float));
  };
  int64_t output = 0;
  for (int64_t index = 0; index < block.convolutions; ++index) {
    const Convolution& convolution = block.convolution[index];
    const int64_t first_tap = (plan.taps - convolution.width) / 2;
    std::memcpy(
        to.bias[index], at.bias_gradient + output, static_cast<size_t>(convolution.channels) * sizeof(float));
    float* weight = to.weight[index];
    for (int64_t channel = 0; channel < convolution.channels; ++channel, ++output) {
      const float* column = at.convolution_gradient + packed(height, first_tap * plan.channels, output);
      for (int64_t input = 0; input < plan.channels; ++input) {
        for (int64_t tap = 0; tap < convolution.width; ++tap) {
          *weight++ = column[(tap * plan.channels + input) * panel];
        }
      }
    }
  }
  for (int64_t from = 0; from < plan.channels; ++from) {
    for (int64_t input = 0; input < plan.channels; ++input) {
      to.mix[from * plan.channels + input] = at.mix_gradient[packed(plan.channels, from, input)];
    }
  }
  copy(to.scale, at.scale_gradient);
  copy(to.shift, at.shift_gradient);
  copy(to.mix_bias, at.mix_bias_gradient);
}

int64_t row(int64_t channels) {
  return panels(channels) * panel;
}

int64_t forward_memory(const ConvBlockWeights& block) {
  return Forward::floats(Plan(block));
}

int64_t backward_memory(const ConvBlockWeights& block) {
  return Backward::floats(Plan(block));
}

}  // namespace

extern const ConvBlockKernel conv_block;
const ConvBlockKernel conv_block = {
    row, forward_memory, backward_memory, prepare_forward, forward, prepare_backward, backward, gradients};

}  // namespace TAPELINE_ISA
}  // namespace tapeline
