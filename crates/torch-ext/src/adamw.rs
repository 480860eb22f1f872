//! AdamW over plain tensors.

use tch::{Kind, Tensor};

use crate::Error;
use crate::ffi::{self, AdamWLists};

const OPERATION: &str = "adamw_step";

/// The numbers of one AdamW update (Loshchilov and Hutter, "Decoupled weight decay regularization", 2019).
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
    /// Share of a parameter, times the learning rate, that is taken off before the step.
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
/// # Errors
/// When a length, shape, kind, layout or number is wrong (nothing has changed then), or libtorch refuses.
pub fn adamw_step(
    parameters: &[&Tensor],
    gradients: &[&Tensor],
    first_moments: &[Tensor],
    second_moments: &[Tensor],
    steps: &[Tensor],
    update: &AdamW,
) -> Result<(), Error> {
    update.check()?;
    let expected = parameters.len();
    for (list, found) in [
        ("gradients", gradients.len()),
        ("first_moments", first_moments.len()),
        ("second_moments", second_moments.len()),
        ("steps", steps.len()),
    ] {
        if found != expected {
            return Err(Error::Count { operation: OPERATION, list, expected, found });
        }
    }
    for (index, &parameter) in parameters.iter().enumerate() {
        let shape = parameter.size();
        in_place("parameters", index, parameter, &shape)?;
        float_of_shape("gradients", index, gradients[index], &shape)?;
        in_place("first_moments", index, &first_moments[index], &shape)?;
        in_place("second_moments", index, &second_moments[index], &shape)?;
        in_place("steps", index, &steps[index], &[])?;
    }
    if parameters.is_empty() {
        return Ok(());
    }
    ffi::adamw_step(&AdamWLists { parameters, gradients, first_moments, second_moments, steps }, update)
}

impl AdamW {
    fn check(&self) -> Result<(), Error> {
        let finite = |value: f64| value.is_finite() && value >= 0.0;
        let share = |value: f64| (0.0..1.0).contains(&value);
        for (name, found, holds, expected) in [
            ("learning_rate", self.learning_rate, finite(self.learning_rate), "a finite number ≥ 0"),
            ("beta1", self.beta1, share(self.beta1), "0 ≤ β < 1"),
            ("beta2", self.beta2, share(self.beta2), "0 ≤ β < 1"),
            ("epsilon", self.epsilon, finite(self.epsilon), "a finite number ≥ 0"),
            ("weight_decay", self.weight_decay, finite(self.weight_decay), "a finite number ≥ 0"),
        ] {
            if !holds {
                return Err(Error::Number { operation: OPERATION, name, expected, found });
            }
        }
        Ok(())
    }
}

fn float_of_shape(list: &'static str, index: usize, tensor: &Tensor, shape: &[i64]) -> Result<(), Error> {
    let found = tensor.f_kind()?;
    if found != Kind::Float {
        return Err(Error::Kind { operation: OPERATION, list, index, expected: Kind::Float, found });
    }
    let found = tensor.size();
    if found != shape {
        return Err(Error::Shape { operation: OPERATION, list, index, expected: shape.to_vec(), found });
    }
    Ok(())
}

fn in_place(list: &'static str, index: usize, tensor: &Tensor, shape: &[i64]) -> Result<(), Error> {
    float_of_shape(list, index, tensor, shape)?;
    if !tensor.is_contiguous() {
        return Err(Error::Layout { operation: OPERATION, list, index });
    }
    Ok(())
}
