// Working memory of a kernel: as many floats as it asks for, at the start of a cache line, given back with the scope.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <new>

namespace tapeline {

class Memory {
 public:
  explicit Memory(int64_t floats) {
    constexpr size_t line = 64;
    const size_t bytes = (static_cast<size_t>(floats) * sizeof(float) + line - 1) / line * line;
    start_ = static_cast<float*>(std::aligned_alloc(line, bytes));
    if (start_ == nullptr) {
      throw std::bad_alloc();
    }
  }
  ~Memory() { std::free(start_); }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  float* start() const { return start_; }

 private:
  float* start_;
};

}  // namespace tapeline
