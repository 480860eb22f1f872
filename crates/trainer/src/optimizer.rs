//! Optimisers whose state is plain tensors, saved under `part/name`. Weights that decay and weights that do not are groups
//! of their own.

use std::collections::BTreeMap;

use tapeline_models::Parameters;
use tapeline_torch_ext::{AdamW, Sgd, adam_step, adamw_step, sgd_step};
use tch::{Kind, Tensor};

use crate::error::TrainError;
use crate::spec::{OptimizerSpec, PartRatesSpec};

/// Something that is learned.
#[derive(Clone, Copy)]
pub(crate) struct Learned<'a> {
    pub(crate) name: &'a str,
    pub(crate) tensor: &'a Tensor,
    pub(crate) decays: bool,
    /// What the learning rate is multiplied by.
    pub(crate) rate_factor: f64,
}

/// The weights of a network; which of them decay is for `spec` to say, how fast they learn for `rates`.
pub(crate) fn learned<'a>(
    spec: &OptimizerSpec,
    rates: &PartRatesSpec,
    parameters: &'a Parameters,
) -> impl Iterator<Item = Learned<'a>> + use<'a> {
    let (decay, rates) = (spec.decay(), *rates);
    parameters.iter().map(move |(name, tensor)| Learned {
        name,
        tensor,
        decays: decay.covers(&tensor.size()),
        rate_factor: rates.of(name),
    })
}

/// How many numbers of a network decay: none where the decay is 0.
#[must_use]
pub fn decaying_parameters(spec: &OptimizerSpec, parameters: &Parameters) -> usize {
    if spec.weight_decay() == 0.0 {
        return 0;
    }
    let learned = learned(spec, &PartRatesSpec::default(), parameters);
    learned.filter(|it| it.decays).map(|it| it.tensor.numel()).sum()
}

/// An optimiser of some tensors, which are known by their positions.
pub(crate) struct Optimizer {
    spec: OptimizerSpec,
    groups: Vec<Group>,
}

/// Tensors with one weight decay and one learning rate.
struct Group {
    weight_decay: f64,
    rate_factor: f64,
    members: Vec<usize>,
    state: State,
}

/// One tensor for each member of a group.
enum State {
    Adam {
        first_moments: Vec<Tensor>,
        second_moments: Vec<Tensor>,
        steps: Vec<Tensor>,
    },
    /// Without momentum there is none.
    Sgd {
        momenta: Vec<Tensor>,
    },
}

impl Optimizer {
    /// Fresh state for `learned`.
    pub(crate) fn new(spec: &OptimizerSpec, learned: &[Learned<'_>]) -> Result<Self, TrainError> {
        let mut factors: Vec<f64> = learned.iter().map(|it| it.rate_factor).collect();
        factors.sort_by(|one, other| other.total_cmp(one));
        factors.dedup();
        let mut groups = Vec::with_capacity(2 * factors.len());
        for (decays, &rate_factor) in
            [true, false].iter().flat_map(|decays| factors.iter().map(move |f| (*decays, f)))
        {
            let is_member = |it: &Learned<'_>| it.decays == decays && it.rate_factor == rate_factor;
            let members: Vec<usize> =
                (0..learned.len()).filter(|&position| is_member(&learned[position])).collect();
            let tensors: Vec<&Tensor> = members.iter().map(|&position| learned[position].tensor).collect();
            let weight_decay = if decays { spec.weight_decay() } else { 0.0 };
            groups.push(Group { weight_decay, rate_factor, members, state: State::new(spec, &tensors)? });
        }
        Ok(Self { spec: *spec, groups })
    }

    pub(crate) const fn spec(&self) -> &OptimizerSpec {
        &self.spec
    }

    /// Moves `parameters` along their gradients. Where `skip`, 0-dim, is 1 on the device, nothing moves.
    pub(crate) fn step(
        &mut self,
        parameters: &[&Tensor],
        gradients: &[&Tensor],
        rate: f64,
        skip: Option<&Tensor>,
    ) -> Result<(), TrainError> {
        for group in &self.groups {
            let (parameters, gradients) = (group.members_of(parameters), group.members_of(gradients));
            group.step(&self.spec, &parameters, &gradients, rate, skip)?;
        }
        Ok(())
    }

    /// The state as `part/name`. The tensors are its own: what changes in them changes here.
    pub(crate) fn named(&self, learned: &[Learned<'_>]) -> Vec<(String, Tensor)> {
        let mut named = Vec::new();
        for group in &self.groups {
            for (part, tensors) in group.state.parts() {
                named.extend(group.members.iter().zip(tensors).map(|(&position, tensor)| {
                    (format!("{part}/{}", learned[position].name), tensor.shallow_clone())
                }));
            }
        }
        named
    }
}

impl Group {
    fn members_of<'a>(&self, list: &[&'a Tensor]) -> Vec<&'a Tensor> {
        self.members.iter().map(|&position| list[position]).collect()
    }

    fn step(
        &self,
        spec: &OptimizerSpec,
        parameters: &[&Tensor],
        gradients: &[&Tensor],
        rate: f64,
        skip: Option<&Tensor>,
    ) -> Result<(), TrainError> {
        let (weight_decay, learning_rate) = (self.weight_decay, self.rate_factor * rate);
        match (spec, &self.state) {
            (
                OptimizerSpec::Adamw(numbers) | OptimizerSpec::Adam(numbers),
                State::Adam { first_moments, second_moments, steps },
            ) => {
                let ([beta1, beta2], epsilon) = (numbers.betas, numbers.epsilon);
                let update = AdamW { learning_rate, beta1, beta2, epsilon, weight_decay };
                let step = if matches!(spec, OptimizerSpec::Adamw(_)) { adamw_step } else { adam_step };
                step(parameters, gradients, first_moments, second_moments, steps, &update, skip)?;
            }
            (OptimizerSpec::Sgd(numbers), State::Sgd { momenta }) => {
                let (momentum, nesterov) = (numbers.momentum, numbers.nesterov);
                let update = Sgd { learning_rate, momentum, nesterov, weight_decay };
                sgd_step(parameters, gradients, momenta, &update, skip)?;
            }
            (OptimizerSpec::Adamw(_) | OptimizerSpec::Adam(_), State::Sgd { .. })
            | (OptimizerSpec::Sgd(_), State::Adam { .. }) => unreachable!("made for this optimiser"),
        }
        Ok(())
    }
}

impl State {
    fn new(spec: &OptimizerSpec, tensors: &[&Tensor]) -> Result<Self, tch::TchError> {
        let zeros = || tensors.iter().map(|tensor| tensor.f_zeros_like()).collect::<Result<Vec<_>, _>>();
        let count = |tensor: &&Tensor| Tensor::f_zeros([0_i64; 0], (Kind::Float, tensor.device()));
        Ok(match spec {
            OptimizerSpec::Adamw(_) | OptimizerSpec::Adam(_) => Self::Adam {
                first_moments: zeros()?,
                second_moments: zeros()?,
                steps: tensors.iter().map(count).collect::<Result<_, _>>()?,
            },
            OptimizerSpec::Sgd(numbers) => {
                Self::Sgd { momenta: if numbers.momentum > 0.0 { zeros()? } else { Vec::new() } }
            }
        })
    }

    fn parts(&self) -> Vec<(&'static str, &[Tensor])> {
        match self {
            Self::Adam { first_moments, second_moments, steps } => {
                vec![("first_moment", first_moments), ("second_moment", second_moments), ("step", steps)]
            }
            Self::Sgd { momenta } => vec![("momentum", momenta)],
        }
    }
}

/// Copies `saved` into the tensors that have its names. Nothing has changed when it is refused.
pub(crate) fn restore(named: Vec<(String, Tensor)>, saved: &[(String, Tensor)]) -> Result<(), TrainError> {
    let refused = |name: &str, found| TrainError::OptimizerState { name: name.into(), found };
    let mut saved: BTreeMap<&str, &Tensor> = saved.iter().map(|(name, value)| (&**name, value)).collect();
    let mut pairs = Vec::with_capacity(saved.len());
    for (name, tensor) in named {
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

#[cfg(test)]
mod tests;
