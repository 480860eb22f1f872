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
