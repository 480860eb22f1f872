//! How a miss of a number is counted, and with it what a head says of one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a regression miss is counted, on targets in train standard deviations. The last two say how sure a forecast is; they are
/// for returns alone.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum RegressionLoss {
    /// Huber with δ = 1 train standard deviation of the target.
    Huber,
    /// Squared error.
    Mse,
    /// Three quantiles: the median, which is the forecast, and one on each side. Twice their mean pinball loss.
    Quantile {
        /// Share of outcomes outside on each side, in (0, ½): 0.1 for the quantiles 0.1 and 0.9.
        tail: f64,
    },
    /// A normal distribution, whose mean is the forecast. Its negative log likelihood, over that of the standard normal's own.
    Gaussian,
}

impl RegressionLoss {
    /// How many outputs a head has for each horizon.
    #[must_use]
    pub const fn outputs(self) -> usize {
        match self {
            Self::Huber | Self::Mse => 1,
            Self::Gaussian => 2,
            Self::Quantile { .. } => 3,
        }
    }

    /// Whether it says how sure a forecast is.
    #[must_use]
    pub const fn is_of_a_distribution(self) -> bool {
        self.outputs() > 1
    }
}
