//! Branches side by side, a fusion, heads: what all architectures have in common.

use tch::Tensor;

use crate::block::fusion::Fusion;
use crate::cnn::CnnBranch;
use crate::head::Heads;
use crate::init::Nursery;
use crate::lstm::LstmBranch;
use crate::network::{Mode, Network, Outputs};
use crate::parameters::Parameters;
use crate::shape::check_inputs;
use crate::spec::{CnnSpec, LstmSpec, ModelSpec, NetworkSpec};
use crate::{InputShape, ModelError};

/// The timeframe on which decisions are made.
const BASE: usize = 0;

/// What reads one timeframe: `[batch, time, feature]` to `[batch, width]`.
enum Branch {
    Cnn(CnnBranch),
    Lstm(LstmBranch),
}

impl Branch {
    fn width(&self) -> usize {
        match self {
            Self::Cnn(branch) => branch.width(),
            Self::Lstm(branch) => branch.width(),
        }
    }

    fn forward(&self, x: &Tensor, mode: Mode) -> Result<Tensor, ModelError> {
        match self {
            Self::Cnn(branch) => branch.forward(x, mode),
            Self::Lstm(branch) => branch.forward(x, mode),
        }
    }
}

pub(crate) struct Branched {
    spec: NetworkSpec,
    /// Each with the timeframe that it reads.
    branches: Vec<(usize, Branch)>,
    fusion: Fusion,
    heads: Heads,
    parameters: Parameters,
}

impl Branched {
    /// `spec` has been checked.
    pub(crate) fn new(spec: &NetworkSpec, mut nursery: Nursery) -> Result<Self, ModelError> {
        let (branches, fusion) = match &spec.model {
            ModelSpec::Cnn(model) => (cnn_branches(spec, &model.cnn, &mut nursery)?, &model.fusion),
            ModelSpec::Lstm(model) => (lstm_branches(spec, &model.lstm, &mut nursery)?, &model.fusion),
            ModelSpec::Hybrid(model) => {
                let mut branches = cnn_branches(spec, &model.cnn, &mut nursery)?;
                let lstm = LstmBranch::new(nursery.part("lstm"), &model.lstm, spec.inputs[BASE].features)?;
                branches.push((BASE, Branch::Lstm(lstm)));
                (branches, &model.fusion)
            }
        };
        let widths: Vec<usize> = branches.iter().map(|(_, branch)| branch.width()).collect();
        let output_size = fusion.output_size;
        let fusion = Fusion::new(nursery.part("fuse"), fusion, &widths)?;
        let heads = Heads::new(&mut nursery, &spec.heads, output_size)?;
        Ok(Self { spec: spec.clone(), branches, fusion, heads, parameters: nursery.into_parameters() })
    }
}

/// `cnn.0`, `cnn.1`, …: one for each timeframe.
fn cnn_branches(
    spec: &NetworkSpec,
    cnn: &CnnSpec,
    nursery: &mut Nursery,
) -> Result<Vec<(usize, Branch)>, ModelError> {
    let mut parts = nursery.part("cnn");
    let branch = |(timeframe, input): (usize, &InputShape)| {
        let branch = CnnBranch::new(parts.part(&timeframe.to_string()), cnn, input.features)?;
        Ok((timeframe, Branch::Cnn(branch)))
    };
    spec.inputs.iter().enumerate().map(branch).collect()
}

/// `lstm.0`, `lstm.1`, …: one for each timeframe.
fn lstm_branches(
    spec: &NetworkSpec,
    lstm: &LstmSpec,
    nursery: &mut Nursery,
) -> Result<Vec<(usize, Branch)>, ModelError> {
    let mut parts = nursery.part("lstm");
    let branch = |(timeframe, input): (usize, &InputShape)| {
        let branch = LstmBranch::new(parts.part(&timeframe.to_string()), lstm, input.features)?;
        Ok((timeframe, Branch::Lstm(branch)))
    };
    spec.inputs.iter().enumerate().map(branch).collect()
}

impl Network for Branched {
    fn spec(&self) -> &NetworkSpec {
        &self.spec
    }

    fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    fn forward(&self, inputs: &[Tensor], mode: Mode) -> Result<Outputs, ModelError> {
        check_inputs(&self.spec.inputs, inputs, mode)?;
        let mut parts = Vec::with_capacity(self.branches.len());
        for (timeframe, branch) in &self.branches {
            parts.push(branch.forward(&inputs[*timeframe], mode)?);
        }
        let features = self.fusion.forward(&parts, mode)?;
        let heads = self.heads.forward(&features)?;
        Ok(Outputs { features, heads, branches: parts })
    }
}
