//! AdamW whose state is plain tensors: two moments and a step count for each parameter.

use std::collections::BTreeMap;

use tapeline_models::Parameters;
use tapeline_torch_ext::AdamW;
use tch::{Kind, Tensor};

use crate::error::TrainError;
use crate::spec::OptimizerSpec;

/// Decay of the first moment.
pub(crate) const BETA_1: f64 = 0.9;
/// Decay of the second moment.
pub(crate) const BETA_2: f64 = 0.999;
/// Added to the root of the second moment.
pub(crate) const EPSILON: f64 = 1e-8;

/// The optimiser's state, in the order of the parameters.
pub(crate) struct Optimizer {
    weight_decay: f64,
    first_moments: Vec<Tensor>,
    second_moments: Vec<Tensor>,
    steps: Vec<Tensor>,
}

impl Optimizer {
    /// Fresh state for `parameters`.
    pub(crate) fn new(spec: &OptimizerSpec, parameters: &[&Tensor]) -> Result<Self, TrainError> {
        let zeros = || parameters.iter().map(|tensor| tensor.f_zeros_like()).collect::<Result<Vec<_>, _>>();
        let (first_moments, second_moments) = (zeros()?, zeros()?);
        let count = |tensor: &&Tensor| Tensor::f_zeros([0_i64; 0], (Kind::Float, tensor.device()));
        let steps = parameters.iter().map(count).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { weight_decay: spec.weight_decay, first_moments, second_moments, steps })
    }

    /// Moves `parameters` along their gradients.
    pub(crate) fn step(
        &mut self,
        parameters: &[&Tensor],
        gradients: &[&Tensor],
        rate: f64,
    ) -> Result<(), TrainError> {
        let update = AdamW {
            learning_rate: rate,
            beta1: BETA_1,
            beta2: BETA_2,
            epsilon: EPSILON,
            weight_decay: self.weight_decay,
        };
        let (first, second) = (&self.first_moments, &self.second_moments);
        Ok(tapeline_torch_ext::adamw_step(parameters, gradients, first, second, &self.steps, &update)?)
    }

    /// The state under the parameters' names.
    pub(crate) fn named(&self, parameters: &Parameters) -> Vec<(String, Tensor)> {
        let parts = [
            ("first_moment", &self.first_moments),
            ("second_moment", &self.second_moments),
            ("step", &self.steps),
        ];
        let names: Vec<&str> = parameters.iter().map(|(name, _)| name).collect();
        let mut named = Vec::with_capacity(3 * names.len());
        for (part, tensors) in parts {
            named.extend(
                names
                    .iter()
                    .zip(tensors)
                    .map(|(name, tensor)| (format!("{part}/{name}"), tensor.shallow_clone())),
            );
        }
        named
    }

    /// Takes over state that was saved by [`Optimizer::named`]. Nothing has changed when it is refused.
    pub(crate) fn restore(
        &mut self,
        parameters: &Parameters,
        saved: &[(String, Tensor)],
    ) -> Result<(), TrainError> {
        let refused = |name: &str, found| TrainError::OptimizerState { name: name.into(), found };
        let mut saved: BTreeMap<&str, &Tensor> = saved.iter().map(|(name, value)| (&**name, value)).collect();
        let mut pairs = Vec::with_capacity(saved.len());
        for (name, tensor) in self.named(parameters) {
            match saved.remove(name.as_str()) {
                Some(value) if value.size() == tensor.size() => pairs.push((tensor, value)),
                Some(value) => return Err(refused(&name, format!("a tensor of shape {:?}", value.size()))),
                None => return Err(refused(&name, "missing".into())),
            }
        }
        if let Some(name) = saved.keys().next() {
            return Err(refused(name, "of no parameter of this network".into()));
        }
        let _no_grad = tch::no_grad_guard();
        for (mut tensor, value) in pairs {
            tensor.f_copy_(value)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
