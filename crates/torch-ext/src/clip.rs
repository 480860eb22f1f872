//! Gradients kept within a ball.

use tch::Tensor;

use crate::{Error, ffi};

const OPERATION: &str = "clip_gradient_norm";

/// Scales all gradients in place by one factor so that their joint Euclidean norm is at most `max_norm`, as
/// `torch.nn.utils.clip_grad_norm_` does: the factor is `min(1, max_norm / (norm + 1e-6))`.
///
/// Returns the norm before scaling as a 0-dimensional tensor on the gradients' device. On CUDA nothing waits for the device.
/// A norm that is not finite makes the gradients not finite either: read the norm to notice.
///
/// # Errors
/// When there are no gradients, `max_norm` is not a positive number, or libtorch refuses (kinds or devices that do not go
/// together).
pub fn clip_gradient_norm(gradients: &[&Tensor], max_norm: f64) -> Result<Tensor, Error> {
    if gradients.is_empty() {
        return Err(Error::Empty { operation: OPERATION });
    }
    if !(max_norm.is_finite() && max_norm > 0.0) {
        return Err(Error::Number {
            operation: OPERATION,
            name: "max_norm",
            expected: "a finite number > 0",
            found: max_norm,
        });
    }
    ffi::clip_gradient_norm(gradients, max_norm)
}
