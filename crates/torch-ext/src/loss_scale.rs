//! What a scaled loss needs: gradients back in their own unit, and a scale that follows what they do.

use tch::{Kind, Tensor};

use crate::operand::float_of_shape;
use crate::{Error, ffi};

/// How a loss scale moves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScaleGrowth {
    /// What the scale is multiplied by after `interval` good steps in a row.
    pub growth: f64,
    /// What it is multiplied by after a step whose gradient was not finite.
    pub backoff: f64,
    /// Good steps between two growths.
    pub interval: u32,
}

impl Default for ScaleGrowth {
    /// Those of `torch.amp.GradScaler`.
    fn default() -> Self {
        Self { growth: 2.0, backoff: 0.5, interval: 2000 }
    }
}

/// Divides all gradients by `scale` (0-dimensional `f32`) in place. Returns 1 where one of their elements is not finite and
/// 0 otherwise, as 0-dimensional `f32` on the scale's device: nobody waits for it. No two gradients may share memory.
///
/// # Errors
/// When there are no gradients, the scale is not one number of `f32`, or libtorch refuses.
pub fn unscale_gradients(gradients: &[&Tensor], scale: &Tensor) -> Result<Tensor, Error> {
    const OPERATION: &str = "unscale_gradients";
    if gradients.is_empty() {
        return Err(Error::Empty { operation: OPERATION });
    }
    float_of_shape(OPERATION, "scale", 0, scale, &[])?;
    ffi::unscale(gradients, scale)
}

/// Moves `scale` after a step for which [`unscale_gradients`] returned `found_inf`, as `torch.amp.GradScaler.update` does.
/// `growth_tracker` (0-dimensional `i32`) counts the good steps since the scale last moved. A growth beyond what `f32` holds is
/// left out.
///
/// # Errors
/// When a tensor is not one number of its kind, a factor is not positive, or libtorch refuses.
pub fn update_loss_scale(
    scale: &Tensor,
    growth_tracker: &Tensor,
    found_inf: &Tensor,
    growth: &ScaleGrowth,
) -> Result<(), Error> {
    const OPERATION: &str = "update_loss_scale";
    float_of_shape(OPERATION, "scale", 0, scale, &[])?;
    float_of_shape(OPERATION, "found_inf", 0, found_inf, &[])?;
    let (list, index, found) = ("growth_tracker", 0, growth_tracker.f_kind()?);
    if found != Kind::Int {
        return Err(Error::Kind { operation: OPERATION, list, index, expected: Kind::Int, found });
    }
    if growth_tracker.dim() != 0 {
        let (expected, found) = (Vec::new(), growth_tracker.size());
        return Err(Error::Shape { operation: OPERATION, list, index, expected, found });
    }
    for (name, found) in [("growth", growth.growth), ("backoff", growth.backoff)] {
        if !(found.is_finite() && found > 0.0) {
            return Err(Error::Number { operation: OPERATION, name, expected: "a finite number > 0", found });
        }
    }
    let factors = [growth.growth, growth.backoff];
    ffi::update_scale(scale, growth_tracker, found_inf, factors, i64::from(growth.interval))
}
