//! The exponential moving average of a network's weights, of which scores and artefacts are made.

use tapeline_models::{Network, Parameters};
use tch::Tensor;

use crate::error::TrainError;
use crate::spec::AverageSpec;

/// The part of a checkpoint's tensors that holds the average.
const PART: &str = "average/";

/// The average, one tensor for each weight.
pub(crate) struct Average {
    decay: f64,
    tensors: Vec<Tensor>,
}

impl Average {
    /// That of a network that was not trained yet: its weights.
    pub(crate) fn new(spec: &AverageSpec, parameters: &Parameters) -> Result<Self, TrainError> {
        Ok(Self { decay: spec.decay, tensors: copies(&parameters.tensors())? })
    }

    /// Follows `parameters` after update number `updates`, from 1: `average += (1 − decay) · (weight − average)`. `skip` is 1
    /// on the device, 0-dim, where the update was none.
    pub(crate) fn follow(
        &mut self,
        parameters: &Parameters,
        updates: usize,
        skip: Option<&Tensor>,
    ) -> Result<(), TrainError> {
        let _no_grad = tch::no_grad_guard();
        let share = 1.0 - decay_at(self.decay, updates);
        let on_device = skip.map(|skip| skip.f_rsub_scalar(1.0)?.f_mul_scalar(share)).transpose()?;
        for (average, weight) in self.tensors.iter_mut().zip(parameters.tensors()) {
            let _ = match &on_device {
                Some(share) => average.f_lerp_tensor_(weight, share)?,
                None => average.f_lerp_(weight, share)?,
            };
        }
        Ok(())
    }

    /// Runs `body` while `network` has the averaged weights.
    pub(crate) fn in_place<T>(
        &self,
        network: &dyn Network,
        body: impl FnOnce() -> Result<T, TrainError>,
    ) -> Result<T, TrainError> {
        let parameters = network.parameters().tensors();
        let own = copies(&parameters)?;
        put(&self.tensors, &parameters)?;
        let done = body();
        put(&own, &parameters)?;
        done
    }

    /// Puts the averaged weights into `network` for good.
    pub(crate) fn put_into(&self, network: &dyn Network) -> Result<(), TrainError> {
        put(&self.tensors, &network.parameters().tensors())
    }

    /// What a resume needs. The tensors are those in use.
    pub(crate) fn named(&self, parameters: &Parameters) -> Vec<(String, Tensor)> {
        let named = parameters.iter().zip(&self.tensors);
        named.map(|((name, _), tensor)| (format!("{PART}{name}"), tensor.shallow_clone())).collect()
    }
}

/// Puts the average among `saved`, if there is one, into the weights of `network`.
pub(crate) fn put_saved(saved: &[(String, Tensor)], network: &dyn Network) -> Result<(), TrainError> {
    let averages = saved.iter().filter_map(|(name, value)| Some((name.strip_prefix(PART)?, value)));
    let averages: Vec<(&str, &Tensor)> = averages.collect();
    if averages.is_empty() {
        return Ok(());
    }
    let _no_grad = tch::no_grad_guard();
    for (name, weight) in network.parameters().iter() {
        let refused = |found: String| TrainError::OptimizerState { name: format!("{PART}{name}"), found };
        let found = averages.iter().find(|(known, _)| *known == name);
        let (_, value) = found.ok_or_else(|| refused("missing".into()))?;
        if value.size() != weight.size() {
            return Err(refused(format!("a tensor of shape {:?}", value.size())));
        }
        weight.shallow_clone().f_copy_(value)?;
    }
    Ok(())
}

/// What `tensors` hold, in memory of its own.
pub(crate) fn copies(tensors: &[&Tensor]) -> Result<Vec<Tensor>, TrainError> {
    let _no_grad = tch::no_grad_guard();
    let copy = |tensor: &&Tensor| {
        let mut copy = tensor.f_detach()?.f_empty_like()?;
        copy.f_copy_(tensor)?;
        Ok(copy)
    };
    tensors.iter().map(copy).collect()
}

pub(crate) fn put(values: &[Tensor], parameters: &[&Tensor]) -> Result<(), TrainError> {
    let _no_grad = tch::no_grad_guard();
    for (value, parameter) in values.iter().zip(parameters) {
        parameter.shallow_clone().f_copy_(value)?;
    }
    Ok(())
}

/// The share of the average that update number `updates` keeps.
fn decay_at(decay: f64, updates: usize) -> f64 {
    let updates = updates as f64;
    decay.min((1.0 + updates) / (10.0 + updates))
}

#[cfg(test)]
mod tests;
