// What holds for the whole process: its allocator, its threads, the messages handed out.
#include "guard.h"
#include "kernel/choice.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>

#include <omp.h>

#include <climits>
#include <cstdlib>
#include <mutex>
#include <string>
#ifdef __GLIBC__
#include <malloc.h>
#endif

extern "C" void tapeline_free_message(char* message) {
  if (message != tapeline::no_memory_for_message) {
    std::free(message);
  }
}

extern "C" void tapeline_keep_freed_memory() {
#ifdef __GLIBC__
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, INT_MAX);
  mallopt(M_TOP_PAD, 64 << 20);
#endif
}

#if defined(__x86_64__)
// MKL keeps a number of its own, where libtorch was built with it.
extern "C" __attribute__((weak)) int MKL_Set_Num_Threads_Local(int threads);
#endif

extern "C" int tapeline_threads_of_this_thread(int threads) {
  // The first call in a thread brings its number up to that of the process.
  const int before = at::get_num_threads();
  omp_set_num_threads(threads);
#if defined(__x86_64__)
  if (MKL_Set_Num_Threads_Local != nullptr) {
    MKL_Set_Num_Threads_Local(threads);
  }
#endif
  return before;
}

extern "C" char* tapeline_set_threads(int intra_op) {
  return tapeline::guard([&] {
    // libtorch takes the first number for good: whoever comes second has to see it, not to set it again.
    static std::mutex one_at_a_time;
    const std::lock_guard<std::mutex> lock(one_at_a_time);
    if (at::get_num_interop_threads() != 1) {
      at::set_num_interop_threads(1);
    }
    at::set_num_threads(intra_op);
  });
}

extern "C" char* tapeline_use_deterministic_kernels() {
  return tapeline::guard([&] {
    // cuBLAS sums in one order only with a workspace of a fixed size.
    setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", 0);
    auto& context = at::globalContext();
    context.setDeterministicAlgorithms(true, false);
    context.setDeterministicCuDNN(true);
    context.setBenchmarkCuDNN(false);
    // Memory that is read before it is written is a bug wherever it happens; filling it costs time everywhere.
    context.setDeterministicFillUninitializedMemory(false);
  });
}

extern "C" char* tapeline_cpu_kernels() {
  std::string words;
  char* failed = tapeline::guard([&] { words = at::get_cpu_capability() + " + " + tapeline::chosen_kernels(); });
  return failed != nullptr ? failed : tapeline::message(words.c_str());
}
