//! What every operation asks of the lists and numbers it is given.

use tch::{Device, Kind, Tensor};

use crate::Error;

/// Each list has `expected` entries.
pub(crate) fn check_counts<const N: usize>(
    operation: &'static str,
    expected: usize,
    counts: [(&'static str, usize); N],
) -> Result<(), Error> {
    match counts.into_iter().find(|(_, found)| *found != expected) {
        Some((list, found)) => Err(Error::Count { operation, list, expected, found }),
        None => Ok(()),
    }
}

/// Each number holds: name, then the number, whether it may be so, and what it may be.
pub(crate) fn check_numbers<const N: usize>(
    operation: &'static str,
    numbers: [(&'static str, (f64, bool, &'static str)); N],
) -> Result<(), Error> {
    match numbers.into_iter().find(|(_, (_, holds, _))| !holds) {
        Some((name, (found, _, expected))) => Err(Error::Number { operation, name, expected, found }),
        None => Ok(()),
    }
}

pub(crate) fn is_finite_and_not_negative(value: f64) -> bool {
    value.is_finite() && value >= 0.0
}

/// All of `tensors` are `f32` and on the CPU.
pub(crate) fn cpu_floats<'a>(
    operation: &'static str,
    list: &'static str,
    tensors: impl Iterator<Item = &'a Tensor>,
) -> Result<(), Error> {
    for (index, tensor) in tensors.enumerate() {
        let found = tensor.f_kind()?;
        if found != Kind::Float {
            return Err(Error::Kind { operation, list, index, expected: Kind::Float, found });
        }
        if tensor.device() != Device::Cpu {
            return Err(Error::NotOnCpu { operation, device: tensor.device() });
        }
    }
    Ok(())
}

/// A tensor of `f32` with this shape.
pub(crate) fn float_of_shape(
    operation: &'static str,
    list: &'static str,
    index: usize,
    tensor: &Tensor,
    shape: &[i64],
) -> Result<(), Error> {
    let found = tensor.f_kind()?;
    if found != Kind::Float {
        return Err(Error::Kind { operation, list, index, expected: Kind::Float, found });
    }
    let found = tensor.size();
    if found != shape {
        return Err(Error::Shape { operation, list, index, expected: shape.to_vec(), found });
    }
    Ok(())
}

/// The same, and laid out so that it can be updated in place.
pub(crate) fn in_place(
    operation: &'static str,
    list: &'static str,
    index: usize,
    tensor: &Tensor,
    shape: &[i64],
) -> Result<(), Error> {
    float_of_shape(operation, list, index, tensor, shape)?;
    if tensor.is_contiguous() { Ok(()) } else { Err(Error::Layout { operation, list, index }) }
}

/// The flag that says whether a step is skipped: one number.
pub(crate) fn skip_of<'a>(
    operation: &'static str,
    skip: Option<&'a Tensor>,
) -> Result<Option<&'a Tensor>, Error> {
    skip.map(|skip| float_of_shape(operation, "skip", 0, skip, &[]).map(|()| skip)).transpose()
}
