//! The pieces that networks are composed of. Each owns its weights and takes the mode with every pass.

pub(crate) mod attention;
pub(crate) mod conv;
pub(crate) mod dropout;
pub(crate) mod fusion;
pub(crate) mod linear;
pub(crate) mod norm;
pub(crate) mod recurrent;

use tapeline_torch_ext::autocast_kind;
use tch::{Device, Kind, Tensor};

/// Can the fused operations of `tapeline_torch_ext` take `x`? They compute in 32 bits: under autocast they step aside.
fn is_float_on_cpu(x: &Tensor) -> bool {
    x.device() == Device::Cpu
        && x.f_kind().is_ok_and(|kind| kind == Kind::Float)
        && autocast_kind(Device::Cpu).is_none()
}
