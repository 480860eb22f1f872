//! What was asked of a run's scores, and whether it was reached.

use serde::{Deserialize, Serialize};

/// A bound on a metric and what became of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TargetOutcome {
    /// The metric's full name.
    pub metric: String,
    /// The least value that meets the target, if it has one.
    pub min: Option<f64>,
    /// The greatest value that meets the target, if it has one.
    pub max: Option<f64>,
    /// The metric's value; `None` where it is undefined, not a finite number, or not scored yet.
    pub value: Option<f64>,
    /// Met or not.
    pub verdict: TargetVerdict,
}

/// Whether a target is met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TargetVerdict {
    /// The value lies within the bounds; a bound itself does.
    Met,
    /// The value lies outside.
    Missed,
    /// The span was scored and has no such value: nobody knows, and that is no success.
    Undefined,
    /// The span was not looked at yet.
    NotScored,
}

impl TargetVerdict {
    /// The verdict as it stands in files and tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::Missed => "missed",
            Self::Undefined => "undefined",
            Self::NotScored => "not_scored",
        }
    }

    /// True where a value was looked for and does not meet the target.
    #[must_use]
    pub const fn failed(self) -> bool {
        matches!(self, Self::Missed | Self::Undefined)
    }
}
