//! The pieces that networks are composed of. Each owns its weights and takes the mode with every pass.

pub(crate) mod attention;
pub(crate) mod conv;
pub(crate) mod dropout;
pub(crate) mod fusion;
pub(crate) mod linear;
pub(crate) mod norm;
pub(crate) mod recurrent;

use tch::{Device, Kind, Tensor};

/// Can the fused operations of `tapeline_torch_ext` take `x`?
fn is_float_on_cpu(x: &Tensor) -> bool {
    x.device() == Device::Cpu && x.f_kind().is_ok_and(|kind| kind == Kind::Float)
}
