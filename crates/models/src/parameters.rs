//! The weights of a network by name.

use tch::{Device, Tensor};

use crate::error::ModelError;

/// A network's trainable tensors, in the order of the reference module's `state_dict`. The tensors are the network's own:
/// what changes here in place changes there. Each requires a gradient.
#[derive(Debug)]
pub struct Parameters {
    entries: Vec<(String, Tensor)>,
}

impl Parameters {
    pub(crate) fn new(entries: Vec<(String, Tensor)>) -> Self {
        Self { entries }
    }

    /// The same names with copies on the host: what changes in a network no longer changes there. None requires a gradient.
    ///
    /// # Errors
    /// When a tensor cannot be copied from its device.
    pub fn copied(&self) -> Result<Self, ModelError> {
        let copy = |(name, tensor): (&str, &Tensor)| {
            let copy = tensor.f_detach()?.f_to_device_(Device::Cpu, tensor.kind(), false, true)?;
            Ok((name.to_owned(), copy))
        };
        Ok(Self { entries: self.iter().map(copy).collect::<Result<_, ModelError>>()? })
    }

    /// Names and tensors, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Tensor)> {
        self.entries.iter().map(|(name, tensor)| (name.as_str(), tensor))
    }

    /// The tensors alone, in order.
    #[must_use]
    pub fn tensors(&self) -> Vec<&Tensor> {
        self.entries.iter().map(|(_, tensor)| tensor).collect()
    }

    /// The tensor called `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Tensor> {
        self.entries.iter().find(|(known, _)| known == name).map(|(_, tensor)| tensor)
    }

    /// How many tensors there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// True when there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many numbers they hold together.
    #[must_use]
    pub fn count(&self) -> usize {
        self.entries.iter().map(|(_, tensor)| tensor.numel()).sum()
    }
}
