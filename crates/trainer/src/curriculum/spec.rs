//! The `training.curriculum:` section as a user writes it, and how fast it goes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The share of the easiest samples, or of the newest bars, that the first epoch learns from.
const DEFAULT_START: f64 = 0.3;
/// Epochs until everything is learned from.
const DEFAULT_EPOCHS: usize = 10;
/// Jumps of the step pace: few enough that each lasts some epochs.
const PACING_JUMPS: usize = 4;

/// What comes first, and what later. Difficulty is that of train samples, as it was known by the last train decision; a
/// sample whose difficulty is not known is a hard one. The easiest share is taken of each symbol, and of each regime where
/// there is a regime task. The last epochs learn from everything, and validation always looks at everything.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum CurriculumSpec {
    /// Calm samples first: the volatility of the last 60 bars.
    Volatility(PaceSpec),
    /// Samples with small outcomes first: the forecast return over the volatility of the last 60 bars.
    LabelMagnitude(LabelMagnitudeSpec),
    /// Every sample from the start, at first with the newest bars of its windows alone.
    SequenceLength(PaceSpec),
    /// Samples in an order that means nothing: the control for any claim about the others.
    Random(PaceSpec),
}

/// How fast a curriculum goes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PaceSpec {
    /// The share that the first epoch learns from.
    pub start: f64,
    /// The number of epochs after which the share is 1; fewer than `num_epochs`.
    pub epochs: usize,
    /// How the share grows in between.
    pub pacing: Pacing,
}

impl Default for PaceSpec {
    fn default() -> Self {
        Self { start: DEFAULT_START, epochs: DEFAULT_EPOCHS, pacing: Pacing::Linear }
    }
}

/// A pace, and which return's size is the difficulty.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LabelMagnitudeSpec {
    /// A horizon of `price_prediction`; without one, its first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub horizon: Option<usize>,
    /// The share that the first epoch learns from.
    pub start: f64,
    /// The number of epochs after which the share is 1; fewer than `num_epochs`.
    pub epochs: usize,
    /// How the share grows in between.
    pub pacing: Pacing,
}

impl Default for LabelMagnitudeSpec {
    fn default() -> Self {
        let PaceSpec { start, epochs, pacing } = PaceSpec::default();
        Self { horizon: None, start, epochs, pacing }
    }
}

/// How a share grows from its start p₀ in epoch 0 to 1 in epoch E.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Pacing {
    /// p₀ + (1 − p₀) e/E.
    Linear,
    /// p₀ + (1 − p₀) √(e/E): fast at first.
    Root,
    /// p₀ + (1 − p₀) ⌊4 e/E⌋/4: in four equal jumps.
    Step,
}

impl CurriculumSpec {
    /// How fast it goes.
    #[must_use]
    pub fn pace(self) -> PaceSpec {
        match self {
            Self::Volatility(pace) | Self::SequenceLength(pace) | Self::Random(pace) => pace,
            Self::LabelMagnitude(LabelMagnitudeSpec { start, epochs, pacing, .. }) => {
                PaceSpec { start, epochs, pacing }
            }
        }
    }

    /// Everything impossible in a run of `num_epochs`, by key.
    pub(crate) fn faults(self, num_epochs: usize) -> Vec<(&'static str, String)> {
        let PaceSpec { start, epochs, .. } = self.pace();
        let mut faults = Vec::new();
        if !(start > 0.0 && start <= 1.0) {
            faults.push(("start", format!("{start} is not a share; give a number above 0 and at most 1")));
        }
        if epochs == 0 {
            faults.push(("epochs", "0 is too few; give at least 1, or leave the section out".into()));
        } else if epochs >= num_epochs {
            let message = format!(
                "after {epochs} epochs of curriculum none of {num_epochs} is left to learn from everything; \
                 give fewer than training.num_epochs"
            );
            faults.push(("epochs", message));
        }
        if matches!(self, Self::LabelMagnitude(LabelMagnitudeSpec { horizon: Some(0), .. })) {
            faults.push(("horizon", "a horizon is at least 1 base bar".into()));
        }
        faults
    }
}

impl PaceSpec {
    /// The share that `epoch` learns from, counted from 0: above 0, never falling, and 1 from `epochs` on.
    #[must_use]
    pub fn share(self, epoch: usize) -> f64 {
        if epoch >= self.epochs {
            return 1.0;
        }
        let way = epoch as f64 / self.epochs as f64;
        let way = match self.pacing {
            Pacing::Linear => way,
            Pacing::Root => way.sqrt(),
            Pacing::Step => (PACING_JUMPS * epoch / self.epochs) as f64 / PACING_JUMPS as f64,
        };
        (self.start + (1.0 - self.start) * way).min(1.0)
    }
}
