//! A layer of an LSTM in one operation: input and state are projected together, straight into the gates.

use tch::Tensor;

use crate::operand::cpu_floats;
use crate::{Error, ffi};

const OPERATION: &str = "lstm";
/// Input, forget, candidate and output.
const GATES: i64 = 4;

/// One direction of one layer, as PyTorch's module holds it: gates input, forget, candidate, output on top of each other.
#[derive(Clone, Copy, Debug)]
pub struct Lstm<'a> {
    /// `[4 · hidden, input]`.
    pub input_weight: &'a Tensor,
    /// `[4 · hidden, hidden]`.
    pub state_weight: &'a Tensor,
    /// `[4 · hidden]`.
    pub input_bias: &'a Tensor,
    /// `[4 · hidden]`.
    pub state_bias: &'a Tensor,
    /// Which end of the window is read first.
    pub direction: Direction,
}

/// The order in which a window is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The first bar first.
    Forward,
    /// The last bar first.
    Backward,
}

/// Runs `x` of shape `[batch, time, input]` through the layer from a state of zeros, to `[batch, time, hidden]`: the state
/// after each bar, at that bar's place.
///
/// Written for 32-bit numbers on the CPU. A sample's output does not depend on its batch mates. Gradients of the weights are
/// sums over samples, cut into as many shares as there are threads: the same number of threads gives the same bytes. There is
/// no second derivative.
///
/// # Errors
/// When a shape, kind or device is wrong, or libtorch refuses.
pub fn lstm(x: &Tensor, layer: &Lstm<'_>) -> Result<Tensor, Error> {
    layer.check(x)?;
    ffi::lstm(x, &layer.tensors(), layer.direction == Direction::Backward)
}

impl<'a> Lstm<'a> {
    /// In the order in which the shim takes them.
    fn tensors(&self) -> [&'a Tensor; 4] {
        [self.input_weight, self.state_weight, self.input_bias, self.state_bias]
    }

    fn check(&self, x: &Tensor) -> Result<(), Error> {
        let input = x.size();
        let &[batch, time, inputs] = &input[..] else {
            return Err(shape("x", &[-1, -1, -1], input));
        };
        if batch.min(time).min(inputs) < 1 {
            return Err(shape("x", &[1, 1, 1], input));
        }
        let hidden = self.state_weight.size().get(1).copied().unwrap_or(0);
        let rows = GATES * hidden;
        let expected: [(_, &[i64]); 4] = [
            ("input_weight", &[rows, inputs]),
            ("state_weight", &[rows.max(GATES), hidden.max(1)]),
            ("input_bias", &[rows]),
            ("state_bias", &[rows]),
        ];
        for ((list, expected), tensor) in expected.into_iter().zip(self.tensors()) {
            if tensor.size() != expected {
                return Err(shape(list, expected, tensor.size()));
            }
        }
        cpu_floats(OPERATION, "x and weights", std::iter::once(x).chain(self.tensors()))
    }
}

fn shape(list: &'static str, expected: &[i64], found: Vec<i64>) -> Error {
    Error::Shape { operation: OPERATION, list, index: 0, expected: expected.to_vec(), found }
}
