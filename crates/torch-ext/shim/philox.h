// Philox-4x32-10: a bijection of a 128-bit counter under a 64-bit key (Salmon et al., "Parallel random numbers: as easy
// as 1, 2, 3", SC 2011). Any block of the stream can be had without the ones before it.
#pragma once

#include <cstdint>

namespace tapeline {

struct PhiloxBlock {
  uint32_t word[4];
};

struct PhiloxKey {
  uint32_t low;
  uint32_t high;
};

inline PhiloxBlock philox(PhiloxBlock counter, PhiloxKey key) {
  constexpr uint64_t first_multiplier = 0xD2511F53;
  constexpr uint64_t second_multiplier = 0xCD9E8D57;
  constexpr uint32_t golden_ratio = 0x9E3779B9;
  constexpr uint32_t root_of_three = 0xBB67AE85;
  uint32_t a = counter.word[0], b = counter.word[1], c = counter.word[2], d = counter.word[3];
  for (int round = 0; round < 10; ++round) {
    const uint64_t first = first_multiplier * a;
    const uint64_t second = second_multiplier * c;
    a = static_cast<uint32_t>(second >> 32) ^ b ^ key.low;
    b = static_cast<uint32_t>(second);
    c = static_cast<uint32_t>(first >> 32) ^ d ^ key.high;
    d = static_cast<uint32_t>(first);
    key.low += golden_ratio;
    key.high += root_of_three;
  }
  return {{a, b, c, d}};
}

inline uint32_t low_half(uint64_t value) {
  return static_cast<uint32_t>(value);
}

inline uint32_t high_half(uint64_t value) {
  return static_cast<uint32_t>(value >> 32);
}

}  // namespace tapeline
