//! Autocast for as long as a guard lives: operations that gain by it take and give half precision.

use std::marker::PhantomData;

use tch::{Device, Kind};

use crate::Error;
use crate::ffi::{self, AutocastState};

const OPERATION: &str = "Autocast::enter";

/// libtorch's numbers for the two kinds that can be cast to.
const CODES: [(Kind, i32); 2] = [(Kind::Half, 5), (Kind::BFloat16, 15)];

/// Whether libtorch remembers a weight that it has cast, for the next time that it is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CastCache {
    /// Until the outermost guard of any thread goes: the memory is that of the process. With several threads, chance decides
    /// how often a weight is cast, and with that how its gradient is rounded.
    UntilTheOutermostLeaves,
    /// Never: a weight is cast each time that it is used.
    Never,
}

/// While it lives, operations on its device that the calling thread runs are cast as PyTorch's `torch.autocast` casts them:
/// products and convolutions run in the guard's kind, what needs the range runs in `f32`. What the fused operations of this
/// crate are given they compute in `f32`: who wants them cast takes libtorch's operations.
///
/// Guards may be nested and go in the reverse order. It holds for one thread and stays there. Losses belong outside, in
/// `f32`, and so does the backward pass, which uses the kinds of the forward pass.
#[derive(Debug)]
#[must_use = "autocast ends when the guard is dropped"]
pub struct Autocast {
    before: AutocastState,
    /// The state is the thread's.
    not_send: PhantomData<*const ()>,
}

impl Autocast {
    /// Begins autocast to `kind`, [`Kind::BFloat16`] or [`Kind::Half`].
    ///
    /// # Errors
    /// When `kind` is another.
    pub fn enter(device: Device, kind: Kind, cache: CastCache) -> Result<Self, Error> {
        let Some((_, code)) = CODES.into_iter().find(|(known, _)| *known == kind) else {
            let (list, index, expected) = ("kind", 0, Kind::BFloat16);
            return Err(Error::Kind { operation: OPERATION, list, index, expected, found: kind });
        };
        let cached = cache == CastCache::UntilTheOutermostLeaves;
        Ok(Self { before: ffi::enter_autocast(device.is_cuda(), code, cached)?, not_send: PhantomData })
    }
}

impl Drop for Autocast {
    fn drop(&mut self) {
        ffi::leave_autocast(self.before);
    }
}

/// What the calling thread casts to on `device`; `None` where it casts nothing.
#[must_use]
pub fn autocast_kind(device: Device) -> Option<Kind> {
    let code = ffi::autocast_kind(device.is_cuda());
    CODES.into_iter().find(|(_, known)| *known == code).map(|(kind, _)| kind)
}

/// While it lives, products and convolutions of `f32` on a GPU may, or may not, be rounded to 10 bits on the way in (TF32). Left
/// alone, libtorch rounds in convolutions and LSTMs and not in products. It holds for the whole process; guards go in the
/// reverse order.
#[derive(Debug)]
#[must_use = "what was allowed before is allowed again when the guard is dropped"]
pub struct Tf32 {
    /// Products and convolutions.
    before: [bool; 2],
}

impl Tf32 {
    /// Allows it, or forbids it.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub fn allow(allowed: bool) -> Result<Self, Error> {
        Ok(Self { before: ffi::allow_tf32([allowed; 2])? })
    }
}

impl Drop for Tf32 {
    fn drop(&mut self) {
        // It took these values before, and there is nobody to tell.
        drop(ffi::allow_tf32(self.before));
    }
}

/// Whether the current GPU computes in [`Kind::BFloat16`] by itself: compute capability 8.0 or later.
///
/// # Errors
/// Where there is no GPU, or libtorch was built without.
pub fn gpu_has_bf16() -> Result<bool, Error> {
    ffi::gpu_has_bf16()
}
