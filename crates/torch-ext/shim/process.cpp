// What holds for the whole process: its allocator, its threads, the messages handed out.
#include "guard.h"

#include <ATen/Parallel.h>

#include <climits>
#include <cstdlib>
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

extern "C" char* tapeline_set_threads(int intra_op) {
  return tapeline::guard([&] {
    if (at::get_num_interop_threads() != 1) {
      at::set_num_interop_threads(1);
    }
    at::set_num_threads(intra_op);
  });
}
