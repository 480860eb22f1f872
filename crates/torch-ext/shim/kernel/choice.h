// Which of the compiled instruction sets this machine can run.
#pragma once

namespace tapeline {

// Its name.
const char* chosen_kernels();

}  // namespace tapeline
