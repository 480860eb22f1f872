//! Adam and AdamW over plain tensors.

use tch::Tensor;

use crate::Error;
use crate::ffi::{self, AdamLists, Decay};
use crate::operand::{
    check_counts, check_numbers, float_of_shape, in_place, is_finite_and_not_negative, skip_of,
};

/// The numbers of one AdamW update (Loshchilov and Hutter, "Decoupled weight decay regularization", 2019), or of one of Adam.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamW {
    /// How far a step goes.
    pub learning_rate: f64,
    /// Decay of the first moment, in [0, 1).
    pub beta1: f64,
    /// Decay of the second moment, in [0, 1).
    pub beta2: f64,
    /// Added to the root of the second moment; positive.
    pub epsilon: f64,
    /// AdamW: share of a parameter, times the learning rate, that is taken off before the step. Adam: share of a parameter
    /// that is added to its gradient.
    pub weight_decay: f64,
}

impl Default for AdamW {
    /// PyTorch's defaults, without weight decay.
    fn default() -> Self {
        Self { learning_rate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.0 }
    }
}

/// Updates all parameters in place, in one fused pass over each, and increments `steps` first.
///
/// All lists have one entry per parameter. Parameters and gradients are `f32` of any shape, moments have the parameter's
/// shape and start at zero, steps are 0-dimensional `f32` and start at zero. With `m` and `v` the moments and `t` the step:
/// `p -= lr·decay·p; m += (1-β₁)(g-m); v += (1-β₂)(g²-v); p -= lr/(1-β₁ᵗ) · m / (√(v/(1-β₂ᵗ)) + ε)`.
/// Gradients are left as they are.
///
/// `skip` is 0-dimensional `f32`: where it is 1 nothing moves, the steps included, and nobody waits for the device to know.
///
/// # Errors
/// When a length, shape, kind, layout or number is wrong (nothing has changed then), or libtorch refuses.
pub fn adamw_step(
    parameters: &[&Tensor],
    gradients: &[&Tensor],
    first_moments: &[Tensor],
    second_moments: &[Tensor],
    steps: &[Tensor],
    update: &AdamW,
    skip: Option<&Tensor>,
) -> Result<(), Error> {
    let lists = AdamLists { parameters, gradients, first_moments, second_moments, steps };
    step(&lists, update, Decay::Parameter, skip)
}

/// As [`adamw_step`], but the decay acts through the gradient (Kingma and Ba, "Adam", 2015, with an L2 penalty): with
/// `g ← g + decay·p` in the place of `p -= lr·decay·p`.
///
/// # Errors
/// When a length, shape, kind, layout or number is wrong (nothing has changed then), or libtorch refuses.
pub fn adam_step(
    parameters: &[&Tensor],
    gradients: &[&Tensor],
    first_moments: &[Tensor],
    second_moments: &[Tensor],
    steps: &[Tensor],
    update: &AdamW,
    skip: Option<&Tensor>,
) -> Result<(), Error> {
    let lists = AdamLists { parameters, gradients, first_moments, second_moments, steps };
    step(&lists, update, Decay::Gradient, skip)
}

fn step(lists: &AdamLists<'_>, update: &AdamW, decay: Decay, skip: Option<&Tensor>) -> Result<(), Error> {
    let operation = decay.operation();
    update.check(operation)?;
    let counts = [
        ("gradients", lists.gradients.len()),
        ("first_moments", lists.first_moments.len()),
        ("second_moments", lists.second_moments.len()),
        ("steps", lists.steps.len()),
    ];
    check_counts(operation, lists.parameters.len(), counts)?;
    for (index, &parameter) in lists.parameters.iter().enumerate() {
        let shape = parameter.size();
        in_place(operation, "parameters", index, parameter, &shape)?;
        float_of_shape(operation, "gradients", index, lists.gradients[index], &shape)?;
        in_place(operation, "first_moments", index, &lists.first_moments[index], &shape)?;
        in_place(operation, "second_moments", index, &lists.second_moments[index], &shape)?;
        in_place(operation, "steps", index, &lists.steps[index], &[])?;
    }
    if lists.parameters.is_empty() {
        return Ok(());
    }
    ffi::adam_step(lists, update, decay, skip_of(operation, skip)?)
}

impl AdamW {
    fn check(&self, operation: &'static str) -> Result<(), Error> {
        let not_negative = |value: f64| (value, is_finite_and_not_negative(value), "a finite number ≥ 0");
        let share = |value: f64| (value, (0.0..1.0).contains(&value), "0 ≤ β < 1");
        check_numbers(
            operation,
            [
                ("learning_rate", not_negative(self.learning_rate)),
                ("beta1", share(self.beta1)),
                ("beta2", share(self.beta2)),
                ("epsilon", not_negative(self.epsilon)),
                ("weight_decay", not_negative(self.weight_decay)),
            ],
        )
    }
}
