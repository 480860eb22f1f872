//! `training.part_rates`: how fast the parts of the network learn.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the learning rate is multiplied by for each part of the network. A part with 0 stays as it is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PartRatesSpec {
    /// The convolutional branches.
    pub cnn: f64,
    /// The recurrent branches.
    pub lstm: f64,
    /// What makes one vector of the branches.
    pub fusion: f64,
    /// The readings of that vector, and the uncertainties of the tasks.
    pub heads: f64,
}

impl Default for PartRatesSpec {
    fn default() -> Self {
        Self { cnn: 1.0, lstm: 1.0, fusion: 1.0, heads: 1.0 }
    }
}

impl PartRatesSpec {
    /// The key of the part that the weight called `name` belongs to.
    #[must_use]
    pub fn part_of(name: &str) -> &'static str {
        match name.split('.').next() {
            Some("cnn") => "cnn",
            Some("lstm") => "lstm",
            Some("fuse") => "fusion",
            _ => "heads",
        }
    }

    /// The factor of the weight called `name`.
    #[must_use]
    pub fn of(&self, name: &str) -> f64 {
        let part = Self::part_of(name);
        self.factors().into_iter().find(|(key, _)| *key == part).map_or(1.0, |(_, factor)| factor)
    }

    /// Each part's key and factor.
    #[must_use]
    pub const fn factors(&self) -> [(&'static str, f64); 4] {
        [("cnn", self.cnn), ("lstm", self.lstm), ("fusion", self.fusion), ("heads", self.heads)]
    }
}
