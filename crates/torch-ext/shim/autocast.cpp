// Autocast of the calling thread: libtorch keeps all of it per thread, apart from the casts it remembers.
#include "guard.h"

#include <ATen/Context.h>
#include <ATen/autocast_mode.h>
#include <ATen/detail/CUDAHooksInterface.h>

#include <cstdlib>

namespace {

at::DeviceType device_type(bool cuda) { return cuda ? at::kCUDA : at::kCPU; }

}  // namespace

extern "C" {

struct TapelineAutocast {
  bool cuda;
  bool enabled;
  int kind;
  bool cached;
};

void tapeline_free_message(char* message);

char* tapeline_enter_autocast(bool cuda, int kind, bool cached, TapelineAutocast* before) {
  return tapeline::guard([&] {
    const auto device = device_type(cuda);
    *before = {
        cuda, at::autocast::is_autocast_enabled(device), static_cast<int>(at::autocast::get_autocast_dtype(device)),
        at::autocast::is_autocast_cache_enabled()};
    at::autocast::set_autocast_enabled(device, true);
    at::autocast::set_autocast_dtype(device, static_cast<at::ScalarType>(kind));
    at::autocast::set_autocast_cache_enabled(cached);
    at::autocast::increment_nesting();
  });
}

void tapeline_leave_autocast(TapelineAutocast before) {
  // What was set once can be set again: nothing to report.
  tapeline_free_message(tapeline::guard([&] {
    if (at::autocast::decrement_nesting() == 0) {
      at::autocast::clear_cache();
    }
    const auto device = device_type(before.cuda);
    at::autocast::set_autocast_enabled(device, before.enabled);
    at::autocast::set_autocast_dtype(device, static_cast<at::ScalarType>(before.kind));
    at::autocast::set_autocast_cache_enabled(before.cached);
  }));
}

// -1 where the calling thread casts nothing.
int tapeline_autocast_kind(bool cuda) {
  const auto device = device_type(cuda);
  return at::autocast::is_autocast_enabled(device) ? static_cast<int>(at::autocast::get_autocast_dtype(device)) : -1;
}

// `before`: what was allowed of products and of convolutions.
char* tapeline_allow_tf32(bool products, bool convolutions, bool* before) {
  return tapeline::guard([&] {
    auto& context = at::globalContext();
    before[0] = context.allowTF32CuBLAS();
    before[1] = context.allowTF32CuDNN();
    context.setAllowTF32CuBLAS(products);
    context.setAllowTF32CuDNN(convolutions);
  });
}

char* tapeline_gpu_has_bf16(bool* has) {
  return tapeline::guard([&] { *has = at::detail::getCUDAHooks().supportsBFloat16ConvolutionWithCuDNNv8(); });
}

}  // extern "C"
