//! Stochastic gradient descent over plain tensors.

use tch::Tensor;

use crate::operand::{
    check_counts, check_numbers, float_of_shape, in_place, is_finite_and_not_negative, skip_of,
};
use crate::{Error, ffi};

const OPERATION: &str = "sgd_step";

/// The numbers of one update by stochastic gradient descent, with momentum in the form of Sutskever et al. ("On the
/// importance of initialization and momentum in deep learning", 2013) as PyTorch writes it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sgd {
    /// How far a step goes.
    pub learning_rate: f64,
    /// Share of the last way that is gone again, in [0, 1); 0 needs no buffers.
    pub momentum: f64,
    /// Look ahead along the momentum (Nesterov 1983). Needs momentum.
    pub nesterov: bool,
    /// Share of a parameter that is added to its gradient.
    pub weight_decay: f64,
}

impl Default for Sgd {
    /// Plain gradient descent.
    fn default() -> Self {
        Self { learning_rate: 1e-3, momentum: 0.0, nesterov: false, weight_decay: 0.0 }
    }
}

/// Updates all parameters in place, in one fused pass over each.
///
/// All lists have one entry per parameter, `buffers` none where the momentum is 0. Parameters and gradients are `f32` of any
/// shape; buffers have the parameter's shape and start at zero. With `b` the buffer and `μ` the momentum:
/// `g ← g + decay·p; b ← μ·b + g; p -= lr·(g + μ·b)` with Nesterov, `p -= lr·b` without. Gradients are left as they are.
///
/// `skip` is 0-dimensional `f32`: where it is 1 nothing moves, and nobody waits for the device to know.
///
/// # Errors
/// When a length, shape, kind, layout or number is wrong (nothing has changed then), or libtorch refuses.
pub fn sgd_step(
    parameters: &[&Tensor],
    gradients: &[&Tensor],
    buffers: &[Tensor],
    update: &Sgd,
    skip: Option<&Tensor>,
) -> Result<(), Error> {
    update.check()?;
    let count = parameters.len();
    check_counts(OPERATION, count, [("gradients", gradients.len())])?;
    check_counts(OPERATION, if update.momentum > 0.0 { count } else { 0 }, [("buffers", buffers.len())])?;
    for (index, &parameter) in parameters.iter().enumerate() {
        let shape = parameter.size();
        in_place(OPERATION, "parameters", index, parameter, &shape)?;
        float_of_shape(OPERATION, "gradients", index, gradients[index], &shape)?;
        if let Some(buffer) = buffers.get(index) {
            in_place(OPERATION, "buffers", index, buffer, &shape)?;
        }
    }
    if parameters.is_empty() {
        return Ok(());
    }
    ffi::sgd_step(parameters, gradients, buffers, update, skip_of(OPERATION, skip)?)
}

impl Sgd {
    fn check(&self) -> Result<(), Error> {
        let not_negative = |value: f64| (value, is_finite_and_not_negative(value), "a finite number ≥ 0");
        let momentum = self.momentum;
        let holds = (0.0..1.0).contains(&momentum) && (momentum > 0.0 || !self.nesterov);
        let expected = if self.nesterov { "0 < μ < 1 with Nesterov" } else { "0 ≤ μ < 1" };
        check_numbers(
            OPERATION,
            [
                ("learning_rate", not_negative(self.learning_rate)),
                ("momentum", (momentum, holds, expected)),
                ("weight_decay", not_negative(self.weight_decay)),
            ],
        )
    }
}
