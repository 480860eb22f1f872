//! LSTM layers on top of each other.

use tapeline_torch_ext::{Direction, Lstm, autocast_kind, lstm};
use tch::Tensor;

use super::dropout::{Dropout, WeightDropout};
use super::is_float_on_cpu;
use crate::ModelError;
use crate::init::{Part, Start};
use crate::network::Mode;
use crate::spec::LstmSpec;

/// The gates of a cell: input, forget, candidate, output.
const GATES: usize = 4;

/// `[batch, time, feature]` to `[batch, time, width]`, from a state of zeros.
///
/// Each layer is a call of its own, so that the dropout between them is keyed; libtorch's own draws from the global generator.
#[derive(Debug)]
pub(crate) struct LstmStack {
    /// Per layer: input and state weights, input and state biases, then the same for the way back.
    layers: Vec<Vec<Tensor>>,
    /// Between a layer and the next.
    dropouts: Vec<Dropout>,
    /// Of the state weights, one for each direction of each layer.
    recurrent_dropouts: Vec<Vec<WeightDropout>>,
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
        let recurrent_dropout = |layer: usize| {
            let dropout = |direction: &&str| {
                WeightDropout::new(
                    &part.part(&format!("drop_hh_l{layer}{direction}")),
                    spec.recurrent_dropout,
                )
            };
            directions.iter().map(dropout).collect()
        };
        let recurrent_dropouts = (0..spec.num_layers).map(recurrent_dropout).collect();
        Ok(Self {
            layers,
            dropouts,
            recurrent_dropouts,
            hidden_size: spec.hidden_size,
            bidirectional: spec.bidirectional,
        })
    }

    pub(crate) fn forward(&self, x: &Tensor, mode: Mode) -> Result<Tensor, ModelError> {
        if is_float_on_cpu(x) { self.layers(x, mode, fused) } else { self.layers_by_operation(x, mode) }
    }

    fn layers_by_operation(&self, x: &Tensor, mode: Mode) -> Result<Tensor, ModelError> {
        self.layers(x, mode, |x, weights| self.by_operation(x, weights))
    }

    fn layers(
        &self,
        x: &Tensor,
        mode: Mode,
        layer: impl Fn(&Tensor, &[Tensor]) -> Result<Tensor, ModelError>,
    ) -> Result<Tensor, ModelError> {
        let mut out = x.shallow_clone();
        for (index, weights) in self.layers.iter().enumerate() {
            if index > 0 {
                out = self.dropouts[index - 1].forward(out, mode)?;
            }
            out = match self.dropped(index, mode)? {
                Some(weights) => layer(&out, &weights)?,
                None => layer(&out, weights)?,
            };
        }
        Ok(out)
    }

    /// The weights of a layer of which some of the way from state to state are dropped; `None` where none is.
    fn dropped(&self, layer: usize, mode: Mode) -> Result<Option<Vec<Tensor>>, ModelError> {
        let mut weights: Vec<Tensor> = self.layers[layer].iter().map(Tensor::shallow_clone).collect();
        let mut is_dropped = false;
        for (weights, dropout) in weights.chunks_mut(4).zip(&self.recurrent_dropouts[layer]) {
            if let Some(state_weight) = dropout.forward(&weights[1], mode)? {
                weights[1] = state_weight;
                is_dropped = true;
            }
        }
        Ok(is_dropped.then_some(weights))
    }

    /// A layer in libtorch's operation, for any device.
    fn by_operation(&self, x: &Tensor, weights: &[Tensor]) -> Result<Tensor, ModelError> {
        let directions = if self.bidirectional { 2 } else { 1 };
        // The batch size is the input's own: libtorch reads past the end of a state with another one.
        let state = [directions, x.size()[0], self.hidden_size as i64];
        // Under autocast the operation is of one kind throughout, and a weight is cast once, not once for each bar.
        let kind = autocast_kind(x.device()).unwrap_or(x.f_kind()?);
        let x = x.f_to_kind(kind)?;
        let zeros = Tensor::f_zeros(state, (kind, x.device()))?;
        let weights: Vec<Tensor> =
            weights.iter().map(|weight| weight.f_to_kind(kind)).collect::<Result<_, _>>()?;
        let weights: Vec<&Tensor> = weights.iter().collect();
        let (out, _, _) =
            x.f_lstm(&[&zeros, &zeros], &weights, true, 1, 0.0, true, self.bidirectional, true)?;
        Ok(out)
    }
}

/// A layer with one operation for each direction.
fn fused(x: &Tensor, weights: &[Tensor]) -> Result<Tensor, ModelError> {
    let direction = |(weights, direction): (&[Tensor], Direction)| {
        let [input_weight, state_weight, input_bias, state_bias] = weights else {
            unreachable!("four tensors for each direction")
        };
        lstm(x, &Lstm { input_weight, state_weight, input_bias, state_bias, direction })
    };
    let directions = weights.chunks(4).zip([Direction::Forward, Direction::Backward]);
    let states = directions.map(direction).collect::<Result<Vec<_>, _>>()?;
    match &states[..] {
        [only] => Ok(only.shallow_clone()),
        both => Ok(Tensor::f_cat(both, 2)?),
    }
}

#[cfg(test)]
mod tests;
