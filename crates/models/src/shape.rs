//! What goes into a network, and the check at its door.

use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use crate::ModelError;
use crate::network::Mode;

/// The windows of one timeframe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputShape {
    /// Bars in a window.
    pub length: usize,
    /// Numbers per bar.
    pub features: usize,
}

/// Do `inputs` hold one `f32` tensor `[batch, time, feature]` per entry of `expected`, all with one batch size? While it
/// learns, a network may be shown less of the past than it will have to answer from. Returns the batch size.
pub(crate) fn check_inputs(
    expected: &[InputShape],
    inputs: &[Tensor],
    mode: Mode,
) -> Result<i64, ModelError> {
    if inputs.len() != expected.len() {
        return Err(ModelError::InputCount { expected: expected.len(), found: inputs.len() });
    }
    let batch = inputs.first().and_then(|input| input.size().first().copied()).unwrap_or(0);
    for (timeframe, (shape, input)) in expected.iter().zip(inputs).enumerate() {
        let found = input.size();
        let expected = [batch, shape.length as i64, shape.features as i64];
        let shortened = match (mode, &found[..]) {
            (Mode::Train { .. }, &[_, bars, _]) => (1..expected[1]).contains(&bars).then_some(bars),
            _ => None,
        };
        if batch < 1 || found != [batch, shortened.unwrap_or(expected[1]), expected[2]] {
            return Err(ModelError::InputShape {
                timeframe,
                expected: [batch.max(1), expected[1], expected[2]],
                found,
            });
        }
        let found = input.f_kind()?;
        if found != Kind::Float {
            return Err(ModelError::InputKind { timeframe, found });
        }
    }
    Ok(batch)
}
