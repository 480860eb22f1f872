#include "guard.h"
#include "philox.h"

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cstdint>

// The same integers on every CPU; wider registers only make them sooner.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define TAPELINE_WIDE __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define TAPELINE_WIDE
#endif

namespace {

constexpr int64_t words_per_block = 4;
// 16 blocks fill the lanes of the widest registers.
constexpr int64_t lanes = 16;
// About 15 microseconds of work: below that a second thread costs more than it saves.
constexpr int64_t blocks_per_task = 4096;

struct Stream {
  tapeline::PhiloxKey key;
  uint64_t cursor;
};

struct Survival {
  uint32_t drop_below;
  float scale;
};

inline float survivor(uint32_t word, Survival survival) {
  return word >= survival.drop_below ? survival.scale : 0.0f;
}

inline tapeline::PhiloxBlock block_at(uint64_t index, Stream stream) {
  return tapeline::philox(
      {{tapeline::low_half(index), tapeline::high_half(index), tapeline::low_half(stream.cursor),
        tapeline::high_half(stream.cursor)}},
      stream.key);
}

// Writes the blocks from `first` to `last` to the start of `mask`.
TAPELINE_WIDE void fill_full_blocks(float* mask, int64_t first, int64_t last, Stream stream, Survival survival) {
  int64_t block = first;
  for (; block + lanes <= last; block += lanes) {
    float* out = mask + (block - first) * words_per_block;
    for (int64_t lane = 0; lane < lanes; ++lane) {
      const auto random = block_at(static_cast<uint64_t>(block + lane), stream);
      for (int64_t word = 0; word < words_per_block; ++word) {
        out[lane * words_per_block + word] = survivor(random.word[word], survival);
      }
    }
  }
  for (; block < last; ++block) {
    const auto random = block_at(static_cast<uint64_t>(block), stream);
    for (int64_t word = 0; word < words_per_block; ++word) {
      mask[(block - first) * words_per_block + word] = survivor(random.word[word], survival);
    }
  }
}

// Writes the words from `first` on. What lies before the first whole block or after the last is taken from its block.
void fill(float* mask, int64_t first, int64_t length, Stream stream, Survival survival) {
  const auto word = [&](int64_t index) {
    const auto random = block_at(static_cast<uint64_t>(index / words_per_block), stream);
    return survivor(random.word[index % words_per_block], survival);
  };
  const int64_t last = first + length;
  const int64_t first_block = (first + words_per_block - 1) / words_per_block;
  const int64_t last_block = std::max(first_block, last / words_per_block);
  for (int64_t index = first; index < std::min(first_block * words_per_block, last); ++index) {
    mask[index - first] = word(index);
  }
  float* aligned = mask + (first_block * words_per_block - first);
  at::parallel_for(0, last_block - first_block, blocks_per_task, [&](int64_t from, int64_t to) {
    fill_full_blocks(aligned + from * words_per_block, first_block + from, first_block + to, stream, survival);
  });
  for (int64_t index = last_block * words_per_block; index < last; ++index) {
    mask[index - first] = word(index);
  }
}

}  // namespace

extern "C" char* tapeline_dropout_mask(
    const int64_t* shape,
    size_t dimensions,
    uint32_t drop_below,
    float scale,
    uint64_t seed,
    uint64_t layer,
    uint64_t cursor,
    uint64_t rank,
    uint64_t first,
    at::Tensor** mask) {
  return tapeline::guard([&] {
    // Seed, layer and rank are mixed into the key of the stream; cursor and position are its counter as they are.
    const auto mixed = tapeline::philox(
        {{tapeline::low_half(layer), tapeline::high_half(layer), tapeline::low_half(rank),
          tapeline::high_half(rank)}},
        {tapeline::low_half(seed), tapeline::high_half(seed)});
    const Stream stream{{mixed.word[0], mixed.word[1]}, cursor};
    auto out = at::empty(at::IntArrayRef(shape, dimensions), at::TensorOptions().dtype(at::kFloat));
    const int64_t samples = dimensions == 0 ? 1 : std::max<int64_t>(shape[0], 1);
    const int64_t before = static_cast<int64_t>(first) * (out.numel() / samples);
    fill(out.mutable_data_ptr<float>(), before, out.numel(), stream, {drop_below, scale});
    *mask = new at::Tensor(std::move(out));
  });
}
