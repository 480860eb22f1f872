//! The linear readings of the features.

use tch::Tensor;

use crate::ModelError;
use crate::block::linear::Linear;
use crate::init::Nursery;
use crate::spec::HeadSpec;

/// One linear layer per task: `[batch, feature]` to a `[batch, output]` each.
#[derive(Debug)]
pub(crate) struct Heads(Vec<Linear>);

impl Heads {
    pub(crate) fn new(
        nursery: &mut Nursery,
        specs: &[HeadSpec],
        features: usize,
    ) -> Result<Self, ModelError> {
        let heads =
            specs.iter().map(|spec| Linear::new(nursery.part(&spec.name), features, spec.kind.width()));
        Ok(Self(heads.collect::<Result<_, _>>()?))
    }

    pub(crate) fn forward(&self, features: &Tensor) -> Result<Vec<Tensor>, ModelError> {
        self.0.iter().map(|head| head.forward(features)).collect()
    }
}
