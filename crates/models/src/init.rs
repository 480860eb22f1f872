//! First weights: PyTorch's default distributions, drawn from a stream keyed by the seed and the weight's name, so that one
//! weight's start does not depend on which others there are. A replica takes the weights of another network instead.

use std::collections::BTreeMap;
use std::f64::consts::TAU;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use tch::{Device, Tensor};

use crate::error::{ModelError, WeightFault};
use crate::parameters::Parameters;

/// How a weight starts.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Start {
    Zeros,
    Ones,
    /// Uniform between `-bound` and `bound`.
    Uniform {
        bound: f64,
    },
    /// Normal around zero.
    Normal {
        deviation: f64,
    },
}

impl Start {
    /// Linear and convolutional layers: Kaiming's uniform with a = √5 comes to ±1/√(inputs of one output).
    pub(crate) fn fan_in(inputs: usize) -> Self {
        Self::Uniform { bound: (inputs as f64).sqrt().recip() }
    }

    /// Xavier's uniform (Glorot and Bengio, 2010).
    pub(crate) fn xavier(inputs: usize, outputs: usize) -> Self {
        Self::Uniform { bound: (6.0 / (inputs + outputs) as f64).sqrt() }
    }
}

/// Makes the weights of a network and remembers them by name.
pub(crate) struct Nursery {
    origin: Origin,
    entries: Vec<(String, Tensor)>,
}

/// Where weights come from.
enum Origin {
    /// Each is drawn.
    Drawn { seed: u64, device: Device },
    /// Each is a leaf of its own over the memory of another network's weight.
    Shared(BTreeMap<String, Tensor>),
}

impl Nursery {
    pub(crate) fn new(seed: u64, device: Device) -> Self {
        Self { origin: Origin::Drawn { seed, device }, entries: Vec::new() }
    }

    /// Hands out the memory of `parameters`: what is written there in place is seen here. The gradients are not shared.
    pub(crate) fn over(parameters: &Parameters) -> Result<Self, ModelError> {
        let alias = |(name, tensor): (&str, &Tensor)| {
            Ok((name.to_owned(), tensor.f_detach()?.f_set_requires_grad(true)?))
        };
        let aliases = parameters.iter().map(alias).collect::<Result<_, ModelError>>()?;
        Ok(Self { origin: Origin::Shared(aliases), entries: Vec::new() })
    }

    /// The part of the tree called `name`.
    pub(crate) fn part(&mut self, name: &str) -> Part<'_> {
        Part { nursery: self, path: name.to_owned() }
    }

    pub(crate) fn into_parameters(self) -> Parameters {
        Parameters::new(self.entries)
    }
}

/// A module's place in the tree of names.
pub(crate) struct Part<'a> {
    nursery: &'a mut Nursery,
    path: String,
}

impl Part<'_> {
    /// A part of this part.
    pub(crate) fn part(&mut self, name: &str) -> Part<'_> {
        Part { path: format!("{}.{name}", self.path), nursery: self.nursery }
    }

    /// The number of this place, the same in every network that has it.
    pub(crate) fn id(&self) -> u64 {
        name_hash(&self.path)
    }

    /// Makes the weight called `name` here.
    pub(crate) fn weight(&mut self, name: &str, shape: &[usize], start: Start) -> Result<Tensor, ModelError> {
        let name = format!("{}.{name}", self.path);
        let tensor = match &mut self.nursery.origin {
            Origin::Drawn { seed, device } => {
                let values = draw(start, shape.iter().product(), *seed, &name);
                let shape: Vec<i64> = shape.iter().map(|&size| size as i64).collect();
                Tensor::f_from_slice(&values)?
                    .f_reshape(&shape)?
                    .f_to_device(*device)?
                    .f_set_requires_grad(true)?
            }
            Origin::Shared(aliases) => {
                let fault = || WeightFault::Missing { name: name.clone() };
                aliases.remove(&name).ok_or_else(|| ModelError::WeightsMismatch { faults: vec![fault()] })?
            }
        };
        self.nursery.entries.push((name, tensor.shallow_clone()));
        Ok(tensor)
    }
}

fn draw(start: Start, count: usize, seed: u64, name: &str) -> Vec<f32> {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    let mut stream = ChaCha8Rng::from_seed(key);
    stream.set_stream(name_hash(name));
    let mut values = || match start {
        Start::Zeros => 0.0,
        Start::Ones => 1.0,
        Start::Uniform { bound } => bound * (2.0 * unit(&mut stream) - 1.0),
        Start::Normal { deviation } => {
            let radius = (-2.0 * (1.0 - unit(&mut stream)).ln()).sqrt();
            deviation * radius * (TAU * unit(&mut stream)).cos()
        }
    };
    (0..count).map(|_| values() as f32).collect()
}

/// A number in [0, 1).
fn unit(stream: &mut ChaCha8Rng) -> f64 {
    f64::from(stream.next_u32()) / 2f64.powi(32)
}

/// FNV-1a, 64 bits.
fn name_hash(name: &str) -> u64 {
    const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    name.bytes().fold(OFFSET, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME))
}
