//! Convolutions over every timeframe beside a recurrent net over the base.

use tch::{Device, Tensor};

use crate::ModelError;
use crate::block::fusion::Fusion;
use crate::cnn::CnnBranch;
use crate::head::Heads;
use crate::init::Nursery;
use crate::lstm::LstmBranch;
use crate::network::{Mode, Network, Outputs};
use crate::parameters::Parameters;
use crate::shape::check_inputs;
use crate::spec::{HybridSpec, NetworkSpec};

pub(crate) struct Hybrid {
    spec: NetworkSpec,
    cnn: Vec<CnnBranch>,
    lstm: LstmBranch,
    fusion: Fusion,
    heads: Heads,
    parameters: Parameters,
}

impl Hybrid {
    /// `spec` has been checked, and `hybrid` is its model.
    pub(crate) fn new(
        spec: &NetworkSpec,
        hybrid: &HybridSpec,
        seed: u64,
        device: Device,
    ) -> Result<Self, ModelError> {
        let mut nursery = Nursery::new(seed, device);
        let mut branches = nursery.part("cnn");
        let cnn = spec
            .inputs
            .iter()
            .enumerate()
            .map(|(index, input)| {
                CnnBranch::new(branches.part(&index.to_string()), &hybrid.cnn, input.features)
            })
            .collect::<Result<Vec<_>, _>>()?;
        let lstm = LstmBranch::new(nursery.part("lstm"), &hybrid.lstm, spec.base().features)?;
        let width = hybrid.cnn.channels * spec.inputs.len() + hybrid.lstm.width();
        let fusion = Fusion::new(nursery.part("fuse"), &hybrid.fusion, width)?;
        let heads = Heads::new(&mut nursery, &spec.heads, hybrid.fusion.output_size)?;
        Ok(Self { spec: spec.clone(), cnn, lstm, fusion, heads, parameters: nursery.into_parameters() })
    }
}

impl Network for Hybrid {
    fn spec(&self) -> &NetworkSpec {
        &self.spec
    }

    fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    fn forward(&self, inputs: &[Tensor], mode: Mode) -> Result<Outputs, ModelError> {
        check_inputs(&self.spec.inputs, inputs, mode)?;
        let mut parts = Vec::with_capacity(self.cnn.len() + 1);
        for (branch, input) in self.cnn.iter().zip(inputs) {
            parts.push(branch.forward(input, mode)?);
        }
        parts.push(self.lstm.forward(&inputs[0], mode)?);
        let features = self.fusion.forward(&parts, mode)?;
        let heads = self.heads.forward(&features)?;
        Ok(Outputs { features, heads })
    }
}
