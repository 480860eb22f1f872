//! The state of libtorch's own random generators, for what is not keyed.

use tch::{Device, Tensor};

use crate::{Error, ffi};

/// The state of the default generator of `device`: a tensor of bytes on the CPU, to be stored and given back.
///
/// # Errors
/// When the device has no such generator, or libtorch lacks support for it.
pub fn generator_state(device: Device) -> Result<Tensor, Error> {
    ffi::generator_state(cuda_ordinal(device)?)
}

/// Sets the default generator of `device` to a `state` that [`generator_state`] returned for the same kind of device.
/// From there on it repeats the same numbers, bit by bit.
///
/// # Errors
/// When the state is not one, the device has no such generator, or libtorch lacks support for it.
pub fn set_generator_state(device: Device, state: &Tensor) -> Result<(), Error> {
    ffi::set_generator_state(cuda_ordinal(device)?, state)
}

/// The shim's word for a device: -1 is the CPU.
fn cuda_ordinal(device: Device) -> Result<i64, Error> {
    match device {
        Device::Cpu => Ok(-1),
        Device::Cuda(ordinal) => i64::try_from(ordinal).map_err(|_| Error::Device { device }),
        Device::Mps | Device::Vulkan => Err(Error::Device { device }),
    }
}
