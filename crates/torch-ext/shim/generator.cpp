#include "guard.h"

#include <ATen/Context.h>
#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <mutex>

namespace {

// A negative ordinal is the CPU, any other the CUDA device of that number.
at::Generator generator_of(int64_t cuda_ordinal) {
  const auto device = cuda_ordinal < 0 ? at::Device(at::kCPU)
                                       : at::Device(at::kCUDA, static_cast<c10::DeviceIndex>(cuda_ordinal));
  return at::globalContext().defaultGenerator(device);
}

}  // namespace

extern "C" char* tapeline_generator_state(int64_t cuda_ordinal, at::Tensor** state) {
  return tapeline::guard([&] {
    auto generator = generator_of(cuda_ordinal);
    const std::lock_guard<std::mutex> lock(generator.mutex());
    *state = new at::Tensor(generator.get_state());
  });
}

extern "C" char* tapeline_set_generator_state(int64_t cuda_ordinal, const at::Tensor* state) {
  return tapeline::guard([&] {
    auto generator = generator_of(cuda_ordinal);
    const std::lock_guard<std::mutex> lock(generator.mutex());
    generator.set_state(*state);
  });
}
