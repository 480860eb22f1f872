//! `training.guards`: when something about the training looks wrong.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// When something about the training looks wrong. All but the first say so and go on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct GuardsSpec {
    /// Steps in a row whose loss or gradient is not finite that end the run. Each of them is skipped. One that a loss scale
    /// above 1 explains does not count.
    pub non_finite_steps: usize,
    /// A loss so many standard deviations above the running mean is a spike.
    pub loss_spike: f64,
    /// A gradient so many times as long as the running geometric mean is exploding.
    pub exploding_norm: f64,
    /// A share of dead features, at an epoch's end, that is too large.
    pub dead_units: f64,
    /// Epochs after which the train loss of some task must have fallen.
    pub no_learning_epochs: usize,
    /// By which share of what it was in the first epoch.
    pub no_learning_fall: f64,
}

impl Default for GuardsSpec {
    fn default() -> Self {
        Self {
            // One bad batch may pass, weights that are gone do not come back.
            non_finite_steps: 10,
            // Losses of market data have heavy tails: 6 σ is seen now and then.
            loss_spike: 12.0,
            exploding_norm: 100.0,
            dead_units: 0.25,
            no_learning_epochs: 5,
            no_learning_fall: 1e-3,
        }
    }
}
