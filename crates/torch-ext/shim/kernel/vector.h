// Vectors of floats as wide as the registers of the instruction set that the including file is compiled for, and the few
// functions on them that libm has for single numbers only. Header for the files under `kernel/` alone: each of them is
// compiled once per instruction set, into a namespace of its own, and must not instantiate anything that others share.
#pragma once

#include <cstdint>
#include <cstring>

#if defined(__AVX512F__)
#define TAPELINE_ISA avx512
#define TAPELINE_LANES 16
#define TAPELINE_PANEL_VECTORS 4
#elif defined(__AVX2__)
#define TAPELINE_ISA avx2
#define TAPELINE_LANES 8
#define TAPELINE_PANEL_VECTORS 2
#else
#define TAPELINE_ISA portable
#define TAPELINE_LANES 4
#define TAPELINE_PANEL_VECTORS 2
#endif

#define TAPELINE_INLINE static inline __attribute__((always_inline))

namespace tapeline {
namespace TAPELINE_ISA {

constexpr int64_t lanes = TAPELINE_LANES;

typedef float Floats __attribute__((vector_size(TAPELINE_LANES * 4)));
typedef int32_t Ints __attribute__((vector_size(TAPELINE_LANES * 4)));
// The same at any address.
typedef float LooseFloats __attribute__((vector_size(TAPELINE_LANES * 4), aligned(4), may_alias));

TAPELINE_INLINE Floats load(const float* from) {
  return *reinterpret_cast<const LooseFloats*>(from);
}

TAPELINE_INLINE void store(float* to, Floats value) {
  *reinterpret_cast<LooseFloats*>(to) = value;
}

// The first `count` lanes alone; `count` is at most `lanes`.
TAPELINE_INLINE void store_first(float* to, Floats value, int64_t count) {
  if (count == lanes) {
    store(to, value);
  } else {
    float spilled[lanes];
    store(spilled, value);
    for (int64_t lane = 0; lane < count; ++lane) {
      to[lane] = spilled[lane];
    }
  }
}

// The first `count` lanes; the others are zero.
TAPELINE_INLINE Floats load_first(const float* from, int64_t count) {
  if (count == lanes) {
    return load(from);
  }
  float filled[lanes] = {};
  for (int64_t lane = 0; lane < count; ++lane) {
    filled[lane] = from[lane];
  }
  return load(filled);
}

TAPELINE_INLINE Floats all(float value) {
  return value - Floats{};
}

TAPELINE_INLINE float sum(Floats value) {
  float spilled[lanes];
  store(spilled, value);
  for (int64_t width = lanes / 2; width > 0; width /= 2) {
    for (int64_t lane = 0; lane < width; ++lane) {
      spilled[lane] += spilled[lane + width];
    }
  }
  return spilled[0];
}

TAPELINE_INLINE Floats smaller(Floats a, Floats b) {
  return a < b ? a : b;
}

TAPELINE_INLINE Floats larger(Floats a, Floats b) {
  return a > b ? a : b;
}

// e^x = scale · (1 + rest), scale a power of two. Not for |x| > 87.
struct Exponential {
  Floats scale;
  Floats rest;
};

TAPELINE_INLINE Exponential exponential(Floats x) {
  // 1.5 · 2²³: adding it leaves the nearest integer in the low bits.
  const Floats shift = all(12582912.0f);
  const Floats shifted = x * 1.44269504088896341f + shift;
  const Floats power = shifted - shift;
  // ln 2 in two parts, the first of which has few enough bits that its product with `power` is exact.
  const Floats r = (x - power * 0.693359375f) - power * -2.12194440e-4f;
  // Taylor's series to r⁷/7!: |r| ≤ ln 2 / 2, so the rest is below 6e-9.
  Floats series = r * (1.0f / 5040.0f) + 1.0f / 720.0f;
  series = series * r + 1.0f / 120.0f;
  series = series * r + 1.0f / 24.0f;
  series = series * r + 1.0f / 6.0f;
  series = series * r + 0.5f;
  series = series * r + 1.0f;
  const Ints bits = (reinterpret_cast<Ints>(shifted) << 23) + 0x3f800000;
  return {reinterpret_cast<Floats>(bits), series * r};
}

TAPELINE_INLINE Floats exp(Floats x) {
  const auto [scale, rest] = exponential(larger(smaller(x, all(87.0f)), all(-87.0f)));
  return scale + scale * rest;
}

// 1 / (1 + e⁻ˣ)
TAPELINE_INLINE Floats sigmoid(Floats x) {
  return 1.0f / (1.0f + exp(-x));
}

// With m = e²ˣ − 1, which is exact to the last bits near zero too: m / (m + 2).
TAPELINE_INLINE Floats tanh(Floats x) {
  const auto [scale, rest] = exponential(larger(smaller(x + x, all(40.0f)), all(-40.0f)));
  const Floats less_one = scale * rest + (scale - 1.0f);
  return less_one / (less_one + 2.0f);
}

// The normal distribution at x: the share below, and the density.
struct Normal {
  Floats below;
  Floats density;
};

TAPELINE_INLINE Normal normal(Floats x) {
  const Floats bell = exp(x * x * -0.5f);
  const Floats size = x < 0.0f ? -x : x;
  // Abramowitz and Stegun 7.1.26, absolute error at most 1.5e-7; its argument is |x| / √2.
  const Floats t = 1.0f / (1.0f + (0.3275911f * 0.70710678118654752f) * size);
  Floats tail = t * 1.061405429f - 1.453152027f;
  tail = tail * t + 1.421413741f;
  tail = tail * t - 0.284496736f;
  tail = tail * t + 0.254829592f;
  tail = tail * t * bell * 0.5f;
  return {x < 0.0f ? tail : 1.0f - tail, bell * 0.39894228040143268f};
}

}  // namespace TAPELINE_ISA
}  // namespace tapeline
