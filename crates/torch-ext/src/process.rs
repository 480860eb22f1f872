//! What holds for the whole process.

use crate::{Error, ffi};

/// Tells glibc's allocator to keep what libtorch frees instead of handing it back to the system after every step, which
/// costs page faults on the next one. The first call in `main`; does nothing with another C library.
pub fn keep_freed_memory() {
    ffi::keep_freed_memory();
}

/// Lets each operation use `threads` threads, and runs operations one after another.
///
/// # Errors
/// When `threads` is zero or beyond what libtorch can count, or operations already run side by side.
pub fn set_threads(threads: usize) -> Result<(), Error> {
    match i32::try_from(threads) {
        Ok(count) if count > 0 => ffi::set_threads(count),
        _ => Err(Error::Number {
            operation: "set_threads",
            name: "threads",
            expected: "at least 1",
            found: threads as f64,
        }),
    }
}

/// Lets libtorch use only such kernels on a GPU that give the same bits each time; an operation that has none is then an
/// error. On the CPU they always do, for one number of threads. Before the first operation on a GPU: cuBLAS is told through
/// `CUBLAS_WORKSPACE_CONFIG`, which is set unless the user has set it.
///
/// # Errors
/// When libtorch refuses.
pub fn use_deterministic_kernels() -> Result<(), Error> {
    ffi::use_deterministic_kernels()
}

/// Which instruction set the kernels of this machine use, libtorch's and then ours, such as `AVX512 + avx512`. Another one
/// moves the last bits of a result.
#[must_use]
pub fn cpu_kernels() -> String {
    ffi::cpu_kernels()
}

/// Runs `body`, in which the operations that this thread calls use no other thread. Others go on as they were.
///
/// For work that is shared out already, and for work too small to share.
///
/// ```standalone_crate
/// use tapeline_torch_ext::{on_one_thread, set_threads};
///
/// set_threads(3)?;
/// assert_eq!(on_one_thread(tch::get_num_threads), 1);
/// assert_eq!(tch::get_num_threads(), 3);
///
/// // A thread that comes later has the number of the process, and has it again.
/// let later = std::thread::spawn(|| (on_one_thread(tch::get_num_threads), tch::get_num_threads()));
/// assert_eq!(later.join().unwrap(), (1, 3));
/// # Ok::<(), tapeline_torch_ext::Error>(())
/// ```
pub fn on_one_thread<T>(body: impl FnOnce() -> T) -> T {
    struct Before(i32);
    impl Drop for Before {
        fn drop(&mut self) {
            ffi::threads_of_this_thread(self.0);
        }
    }
    let _before = Before(ffi::threads_of_this_thread(1));
    body()
}
