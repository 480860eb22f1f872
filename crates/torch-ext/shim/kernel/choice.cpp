#include "choice.h"

#include "conv_block.h"
#include "lstm.h"

namespace tapeline {

namespace portable {
extern const ConvBlockKernel conv_block;
extern const LstmKernel lstm;
}

#if defined(TAPELINE_X86)
namespace avx2 {
extern const ConvBlockKernel conv_block;
extern const LstmKernel lstm;
}
namespace avx512 {
extern const ConvBlockKernel conv_block;
extern const LstmKernel lstm;
}

namespace {

enum class Width { portable, avx2, avx512 };

Width widest() {
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) {
    return Width::portable;
  }
  const bool all512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  return all512 ? Width::avx512 : Width::avx2;
}

const Width width = widest();

}  // namespace

const char* chosen_kernels() {
  return width == Width::avx512 ? "avx512" : width == Width::avx2 ? "avx2" : "portable";
}

const ConvBlockKernel& conv_block_kernel() {
  return width == Width::avx512 ? avx512::conv_block : width == Width::avx2 ? avx2::conv_block : portable::conv_block;
}

const LstmKernel& lstm_kernel() {
  return width == Width::avx512 ? avx512::lstm : width == Width::avx2 ? avx2::lstm : portable::lstm;
}
#else
const char* chosen_kernels() {
  return "portable";
}

const ConvBlockKernel& conv_block_kernel() {
  return portable::conv_block;
}

const LstmKernel& lstm_kernel() {
  return portable::lstm;
}
#endif

}  // namespace tapeline
