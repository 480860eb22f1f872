// Compiled once per instruction set. See lstm.h for what it computes.
#include "lstm.h"

#include "tile.h"

namespace tapeline {
namespace TAPELINE_ISA {
namespace {

constexpr int64_t gates = 4;
// Hidden units that are worked on together: one vector of each gate.
constexpr int64_t block = lanes;
constexpr int64_t block_gates = gates * block;
// Rows of a tile of four vectors.
constexpr int gate_rows = TAPELINE_LANES == 16 ? 6 : 3;
// Rows of a tile as wide as a panel.
constexpr int panel_rows = 6;
// Rows of a tile of a weight's gradient.
constexpr int gradient_rows = TAPELINE_LANES == 16 ? 4 : 2;

struct Plan {
  int64_t batch;
  int64_t time;
  int64_t inputs;
  int64_t hidden;
  int64_t blocks;
  int64_t rows;  // batch · time

  explicit Plan(const LstmWeights& layer)
      : batch(layer.batch),
        time(layer.time),
        inputs(layer.inputs),
        hidden(layer.hidden),
        blocks((layer.hidden + block - 1) / block),
        rows(layer.batch * layer.time) {}

  // Lanes of a block that are hidden units.
  int64_t filled(int64_t at) const { return hidden - at * block < block ? hidden - at * block : block; }
};

// Where a gate's unit is in PyTorch's order, for its place in ours; -1 where there is none.
TAPELINE_INLINE int64_t unit_of(const Plan& plan, int64_t at, int64_t column) {
  const int64_t lane = column % block;
  return lane < plan.filled(at) ? column / block * plan.hidden + at * block + lane : -1;
}

// `weight` `[4 · hidden, width]` to `[block][width][gate][lane]`.
void pack_by_gate(const Plan& plan, const float* weight, int64_t width, float* to) {
  for (int64_t at = 0; at < plan.blocks; ++at) {
    for (int64_t column = 0; column < block_gates; ++column) {
      const int64_t unit = unit_of(plan, at, column);
      float* start = to + at * width * block_gates + column;
      for (int64_t k = 0; k < width; ++k) {
        start[k * block_gates] = unit < 0 ? 0.0f : weight[unit * width + k];
      }
    }
  }
}

// The way of `pack_by_gate` back.
void unpack_by_gate(const Plan& plan, const float* from, int64_t width, float* weight) {
  for (int64_t at = 0; at < plan.blocks; ++at) {
    for (int64_t column = 0; column < block_gates; ++column) {
      const int64_t unit = unit_of(plan, at, column);
      const float* start = from + at * width * block_gates + column;
      for (int64_t k = 0; unit >= 0 && k < width; ++k) {
        weight[unit * width + k] = start[k * block_gates];
      }
    }
  }
}

// `weight` `[4 · hidden, width]` to `[panel of the width][block][gate][lane][panel column]`.
void pack_by_width(const Plan& plan, const float* weight, int64_t width, float* to) {
  for (int64_t column = 0; column < width; column += panel) {
    const int64_t count = width - column < panel ? width - column : panel;
    for (int64_t at = 0; at < plan.blocks; ++at) {
      for (int64_t row = 0; row < block_gates; ++row, to += panel) {
        const int64_t unit = unit_of(plan, at, row);
        std::memset(to, 0, static_cast<size_t>(panel) * sizeof(float));
        if (unit >= 0) {
          std::memcpy(to, weight + unit * width + column, static_cast<size_t>(count) * sizeof(float));
        }
      }
    }
  }
}

// Cuts `rows` into tiles of `most` or a few less, as even as can be, and calls `body` with each one's first row and number.
template <int most, class Body>
TAPELINE_INLINE void for_each_tile(int64_t rows, const Body& body) {
  int64_t first = 0;
  for (int64_t tiles = (rows + most - 1) / most; tiles > 0; --tiles) {
    const int64_t count = (rows - first) / tiles;
    body(first, count);
    first += count;
  }
}

struct Forward {
  float* input_weight;
  float* state_weight;
  float* bias;

  Forward(const Plan& plan, float* memory) {
    input_weight = memory;
    state_weight = input_weight + plan.blocks * plan.inputs * block_gates;
    bias = state_weight + plan.blocks * plan.hidden * block_gates;
  }

  static int64_t floats(const Plan& plan) { return plan.blocks * (plan.inputs + plan.hidden + 1) * block_gates; }
};

// One time of some samples, and one block of hidden units.
struct Place {
  int64_t sample;
  int64_t time;
  int64_t before;  // the time whose state is read; -1 at the start
  int64_t at;      // which block
};

template <int Rows>
TAPELINE_INLINE void forward_tile(
    const Plan& plan, const Forward& from, const Place& place, const float* x, float* out, float* kept, float* cells) {
  Tile<Rows, gates> tile;
  for (int row = 0; row < Rows; ++row) {
    for (int gate = 0; gate < gates; ++gate) {
      tile.at[row][gate] = load(from.bias + place.at * block_gates + gate * lanes);
    }
  }
  const int64_t first = place.sample * plan.time + place.time;
  Tile<Rows, gates>::template add<0>(
      tile, {x + first * plan.inputs, plan.time * plan.inputs, 1},
      from.input_weight + place.at * plan.inputs * block_gates, block_gates, plan.inputs);
  if (place.before >= 0) {
    const float* state = out + (place.sample * plan.time + place.before) * plan.hidden;
    Tile<Rows, gates>::template add<0>(
        tile, {state, plan.time * plan.hidden, 1}, from.state_weight + place.at * plan.hidden * block_gates,
        block_gates, plan.hidden);
  }
  for (int row = 0; row < Rows; ++row) {
    const int64_t here = (place.at * plan.batch + place.sample + row) * plan.time;
    const Floats input = sigmoid(tile.at[row][0]);
    const Floats forget = sigmoid(tile.at[row][1]);
    const Floats candidate = tanh(tile.at[row][2]);
    const Floats output = sigmoid(tile.at[row][3]);
    Floats cell = input * candidate;
    if (place.before >= 0) {
      cell += forget * load(cells + (here + place.before) * block);
    }
    float* gate = kept + (here + place.time) * block_gates;
    store(gate, input);
    store(gate + lanes, forget);
    store(gate + 2 * lanes, candidate);
    store(gate + 3 * lanes, output);
    store(cells + (here + place.time) * block, cell);
    store_first(
        out + (first + row * plan.time) * plan.hidden + place.at * block, output * tanh(cell), plan.filled(place.at));
  }
}

// `body` for a number of rows that is known only now.
#define TAPELINE_FOR_ROWS(count, call)  \
  switch (count) {                      \
    case 1: call(1); break;             \
    case 2: call(2); break;             \
    case 3: call(3); break;             \
    case 4: call(4); break;             \
    case 5: call(5); break;             \
    default: call(6); break;            \
  }

// The `step`-th time in the order of reading, and the one before it.
TAPELINE_INLINE Place at_step(const LstmWeights& layer, int64_t step) {
  if (layer.from_the_end) {
    return {0, layer.time - 1 - step, step == 0 ? -1 : layer.time - step, 0};
  }
  return {0, step, step - 1, 0};
}

void forward(
    const LstmWeights& layer, float* memory, const float* x, float* out, float* kept, float* cells) {
  const Plan plan(layer);
  const Forward to(plan, memory);
  pack_by_gate(plan, layer.input_weight, plan.inputs, to.input_weight);
  pack_by_gate(plan, layer.state_weight, plan.hidden, to.state_weight);
  for (int64_t at = 0; at < plan.blocks; ++at) {
    for (int64_t column = 0; column < block_gates; ++column) {
      const int64_t unit = unit_of(plan, at, column);
      to.bias[at * block_gates + column] = unit < 0 ? 0.0f : layer.input_bias[unit] + layer.state_bias[unit];
    }
  }
  for (int64_t step = 0; step < plan.time; ++step) {
    for (int64_t at = 0; at < plan.blocks; ++at) {
      for_each_tile<gate_rows>(plan.batch, [&](int64_t first, int64_t count) {
        Place place = at_step(layer, step);
        place.sample = first;
        place.at = at;
#define TAPELINE_CALL(rows) forward_tile<rows>(plan, to, place, x, out, kept, cells)
        TAPELINE_FOR_ROWS(count, TAPELINE_CALL)
#undef TAPELINE_CALL
      });
    }
  }
}

struct Backward {
  float* input_weight;     // by width
  float* state_weight;     // by width
  float* gate_gradients;   // [block][batch][time][gate][lane]
  float* cell_gradients;   // [block][batch][lane]
  float* state_gradients;  // [batch][panels of hidden]
  float* sums;             // of one weight's gradient, as packed by gate

  Backward(const Plan& plan, float* memory) {
    input_weight = memory;
    state_weight = input_weight + panels(plan.inputs) * panel * plan.blocks * block_gates;
    gate_gradients = state_weight + panels(plan.hidden) * panel * plan.blocks * block_gates;
    cell_gradients = gate_gradients + plan.rows * plan.blocks * block_gates;
    state_gradients = cell_gradients + plan.blocks * plan.batch * block;
    sums = state_gradients + plan.batch * state_row(plan);
  }

  static int64_t state_row(const Plan& plan) { return (panels(plan.hidden) * panel + block - 1) / block * block; }

  static int64_t floats(const Plan& plan) {
    const int64_t widest = plan.inputs > plan.hidden ? plan.inputs : plan.hidden;
    const int64_t columns = (panels(plan.inputs) + panels(plan.hidden)) * panel + plan.rows + widest;
    return columns * plan.blocks * block_gates + plan.blocks * plan.batch * block + plan.batch * state_row(plan);
  }
};

// One time through the gates: the gradients of what the gates were before they were bent.
void back_through_gates(
    const Plan& plan, const Backward& at, const Place& place, const float* kept, const float* cells,
    const float* out_gradient) {
  for (int64_t block_at = 0; block_at < plan.blocks; ++block_at) {
    const int64_t filled = plan.filled(block_at);
    for (int64_t sample = 0; sample < plan.batch; ++sample) {
      const int64_t here = (block_at * plan.batch + sample) * plan.time;
      const float* gate = kept + (here + place.time) * block_gates;
      const Floats input = load(gate);
      const Floats forget = load(gate + lanes);
      const Floats candidate = load(gate + 2 * lanes);
      const Floats output = load(gate + 3 * lanes);
      const Floats bent = tanh(load(cells + (here + place.time) * block));
      float* cell_gradient = at.cell_gradients + (block_at * plan.batch + sample) * block;
      const Floats state_gradient =
          load_first(out_gradient + (sample * plan.time + place.time) * plan.hidden + block_at * block, filled) +
          load(at.state_gradients + sample * Backward::state_row(plan) + block_at * block);
      const Floats cell = load(cell_gradient) + state_gradient * output * (1.0f - bent * bent);
      float* to = at.gate_gradients + (here + place.time) * block_gates;
      store(to, cell * candidate * input * (1.0f - input));
      const Floats before = place.before < 0 ? Floats{} : load(cells + (here + place.before) * block);
      store(to + lanes, cell * before * forget * (1.0f - forget));
      store(to + 2 * lanes, cell * input * (1.0f - candidate * candidate));
      store(to + 3 * lanes, state_gradient * bent * output * (1.0f - output));
      store(cell_gradient, cell * forget);
    }
  }
}

// The gates' gradients of one time times a weight, for one panel of its width. `put(row, vector, value)` takes the result.
template <int Rows, class Put>
TAPELINE_INLINE void through_weight(
    const Plan& plan, const float* gate_gradients, int64_t sample, int64_t time, const float* weight, const Put& put) {
  Tile<Rows, panel_vectors> tile;
  Tile<Rows, panel_vectors>::clear(tile);
  for (int64_t at = 0; at < plan.blocks; ++at) {
    const float* left = gate_gradients + ((at * plan.batch + sample) * plan.time + time) * block_gates;
    Tile<Rows, panel_vectors>::template add<0>(
        tile, {left, plan.time * block_gates, 1}, weight + at * block_gates * panel, panel, block_gates);
  }
  for (int row = 0; row < Rows; ++row) {
    for (int vector = 0; vector < panel_vectors; ++vector) {
      put(row, vector, tile.at[row][vector]);
    }
  }
}

void back_through_state(const Plan& plan, const Backward& at, int64_t time) {
  for (int64_t column = 0; column < plan.hidden; column += panel) {
    const float* weight = at.state_weight + column * plan.blocks * block_gates;
    for_each_tile<panel_rows>(plan.batch, [&](int64_t first, int64_t count) {
      const auto put = [&](int64_t row, int64_t vector, Floats value) {
        store(at.state_gradients + (first + row) * Backward::state_row(plan) + column + vector * lanes, value);
      };
#define TAPELINE_CALL(rows) through_weight<rows>(plan, at.gate_gradients, first, time, weight, put)
      TAPELINE_FOR_ROWS(count, TAPELINE_CALL)
#undef TAPELINE_CALL
    });
  }
}

void back_to_input(const Plan& plan, const Backward& at, int64_t time, float* x_gradient) {
  for (int64_t column = 0; column < plan.inputs; column += panel) {
    const float* weight = at.input_weight + column * plan.blocks * block_gates;
    for_each_tile<panel_rows>(plan.batch, [&](int64_t first, int64_t count) {
      const auto put = [&](int64_t row, int64_t vector, Floats value) {
        const int64_t place = column + vector * lanes;
        const int64_t left = plan.inputs - place;
        if (left > 0) {
          float* to = x_gradient + ((first + row) * plan.time + time) * plan.inputs + place;
          store_first(to, value, left < lanes ? left : lanes);
        }
      };
#define TAPELINE_CALL(rows) through_weight<rows>(plan, at.gate_gradients, first, time, weight, put)
      TAPELINE_FOR_ROWS(count, TAPELINE_CALL)
#undef TAPELINE_CALL
    });
  }
}

// `Rows` rows of a weight's gradient for one block of hidden units. Sample by sample the `count` rows of `left` from
// `left_first` on meet the gates' gradients from `right_first` on.
struct Meeting {
  const float* left;
  int64_t width;
  int64_t left_first;
  int64_t right_first;
  int64_t count;
};

template <int Rows>
TAPELINE_INLINE void outer_tile(
    const Plan& plan, const Meeting& meeting, const float* gate_gradients, int64_t k, float* sums) {
  Tile<Rows, gates> tile;
  Tile<Rows, gates>::clear(tile);
  for (int64_t sample = 0; sample < plan.batch; ++sample) {
    const float* left = meeting.left + (sample * plan.time + meeting.left_first) * meeting.width + k;
    Tile<Rows, gates>::template add<0>(
        tile, {left, 1, meeting.width}, gate_gradients + (sample * plan.time + meeting.right_first) * block_gates,
        block_gates, meeting.count);
  }
  for (int row = 0; row < Rows; ++row) {
    for (int gate = 0; gate < gates; ++gate) {
      store(sums + (k + row) * block_gates + gate * lanes, tile.at[row][gate]);
    }
  }
}

void outer(const Plan& plan, const Backward& at, const Meeting& meeting, float* weight_gradient) {
  for (int64_t block_at = 0; block_at < plan.blocks; ++block_at) {
    const float* gate_gradients = at.gate_gradients + block_at * plan.rows * block_gates;
    float* sums = at.sums + block_at * meeting.width * block_gates;
    int64_t k = 0;
    for (; k + gradient_rows <= meeting.width; k += gradient_rows) {
      outer_tile<gradient_rows>(plan, meeting, gate_gradients, k, sums);
    }
    for (; k < meeting.width; ++k) {
      outer_tile<1>(plan, meeting, gate_gradients, k, sums);
    }
  }
  unpack_by_gate(plan, at.sums, meeting.width, weight_gradient);
}

void bias_gradient(const Plan& plan, const Backward& at, float* to) {
  for (int64_t block_at = 0; block_at < plan.blocks; ++block_at) {
    Floats totals[gates] = {};
    const float* from = at.gate_gradients + block_at * plan.rows * block_gates;
    for (int64_t row = 0; row < plan.rows; ++row) {
      for (int gate = 0; gate < gates; ++gate) {
        totals[gate] += load(from + row * block_gates + gate * lanes);
      }
    }
    for (int gate = 0; gate < gates; ++gate) {
      store_first(to + gate * plan.hidden + block_at * block, totals[gate], plan.filled(block_at));
    }
  }
}

void backward(
    const LstmWeights& layer, float* memory, const float* x, const float* out, const float* kept, const float* cells,
    const float* out_gradient, float* x_gradient, const LstmGradients& to) {
  const Plan plan(layer);
  const Backward at(plan, memory);
  pack_by_width(plan, layer.state_weight, plan.hidden, at.state_weight);
  if (x_gradient != nullptr) {
    pack_by_width(plan, layer.input_weight, plan.inputs, at.input_weight);
  }
  std::memset(at.cell_gradients, 0, static_cast<size_t>(at.sums - at.cell_gradients) * sizeof(float));
  for (int64_t step = plan.time - 1; step >= 0; --step) {
    const Place place = at_step(layer, step);
    back_through_gates(plan, at, place, kept, cells, out_gradient);
    if (step > 0) {
      back_through_state(plan, at, place.time);
    }
    if (x_gradient != nullptr) {
      back_to_input(plan, at, place.time, x_gradient);
    }
  }
  outer(plan, at, {x, plan.inputs, 0, 0, plan.time}, to.input_weight);
  // The state before a time meets the gates of that time.
  const int64_t left = layer.from_the_end ? 1 : 0;
  outer(plan, at, {out, plan.hidden, left, 1 - left, plan.time - 1}, to.state_weight);
  bias_gradient(plan, at, to.bias);
}

int64_t kept_gates(const LstmWeights& layer) {
  const Plan plan(layer);
  return plan.blocks * plan.rows * block_gates;
}

int64_t kept_cells(const LstmWeights& layer) {
  const Plan plan(layer);
  return plan.blocks * plan.rows * block;
}

int64_t forward_memory(const LstmWeights& layer) {
  return Forward::floats(Plan(layer));
}

int64_t backward_memory(const LstmWeights& layer) {
  return Backward::floats(Plan(layer));
}

}  // namespace

extern const LstmKernel lstm;
const LstmKernel lstm = {kept_gates, kept_cells, forward_memory, backward_memory, forward, backward};

}  // namespace TAPELINE_ISA
}  // namespace tapeline
