//! LSTM layers on top of each other.

use tch::Tensor;

use super::dropout::Dropout;
use crate::ModelError;
use crate::init::{Part, Start};
use crate::network::Mode;
use crate::spec::LstmSpec;

/// The gates of a cell: input, forget, candidate, output.
const GATES: usize = 4;

/// `[time, batch, feature]` to `[time, batch, width]`, from a state of zeros.
///
/// Each layer is a call of its own, so that the dropout between them is keyed; libtorch's own draws from the global generator.
#[derive(Debug)]
pub(crate) struct LstmStack {
    /// Per layer: input and state weights, input and state biases, then the same for the way back.
    layers: Vec<Vec<Tensor>>,
    /// Between a layer and the next.
    dropouts: Vec<Dropout>,
    hidden_size: usize,
    bidirectional: bool,
}

impl LstmStack {
    pub(crate) fn new(mut part: Part<'_>, spec: &LstmSpec, features: usize) -> Result<Self, ModelError> {
        let directions: &[&str] = if spec.bidirectional { &["", "_reverse"] } else { &[""] };
        let start = Start::fan_in(spec.hidden_size);
        let rows = GATES * spec.hidden_size;
        let mut layers = Vec::with_capacity(spec.num_layers);
        for layer in 0..spec.num_layers {
            let inputs = if layer == 0 { features } else { spec.width() };
            let mut weights = Vec::with_capacity(4 * directions.len());
            for direction in directions {
                let suffix = format!("l{layer}{direction}");
                weights.push(part.weight(&format!("weight_ih_{suffix}"), &[rows, inputs], start)?);
                weights.push(part.weight(
                    &format!("weight_hh_{suffix}"),
                    &[rows, spec.hidden_size],
                    start,
                )?);
                weights.push(part.weight(&format!("bias_ih_{suffix}"), &[rows], start)?);
                weights.push(part.weight(&format!("bias_hh_{suffix}"), &[rows], start)?);
            }
            layers.push(weights);
        }
        let dropouts = (1..spec.num_layers)
            .map(|layer| Dropout::new(&part.part(&format!("drop_l{layer}")), spec.dropout))
            .collect();
        Ok(Self { layers, dropouts, hidden_size: spec.hidden_size, bidirectional: spec.bidirectional })
    }

    pub(crate) fn forward(&self, x: &Tensor, mode: Mode) -> Result<Tensor, ModelError> {
        let directions = if self.bidirectional { 2 } else { 1 };
        // The batch size is the input's own: libtorch reads past the end of a state with another one.
        let state = [directions, x.size()[1], self.hidden_size as i64];
        let zeros = Tensor::f_zeros(state, (x.f_kind()?, x.device()))?;
        let initial = [&zeros, &zeros];
        let mut out = x.shallow_clone();
        for (index, weights) in self.layers.iter().enumerate() {
            if index > 0 {
                out = self.dropouts[index - 1].forward(out, mode)?;
            }
            let weights: Vec<&Tensor> = weights.iter().collect();
            (out, _, _) = out.f_lstm(&initial, &weights, true, 1, 0.0, true, self.bidirectional, false)?;
        }
        Ok(out)
    }
}
