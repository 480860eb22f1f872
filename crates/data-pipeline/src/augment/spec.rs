//! The `data.augmentation` section as a user writes it.

use garde::{Error, Path, Report};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::feature::{Amplified, FeatureSpec};

/// The share of samples that are shifted unless told otherwise: most batches stay mostly as they are.
const JITTER_PROBABILITY: f64 = 0.1;
/// The longest shift unless told otherwise, in base bars: stale by no more than a slow reader would be.
const JITTER_MAX_SHIFT: usize = 2;
/// Amplitudes unless told otherwise: within what volatility changes from one hour to the next.
const PRICE_SCALING: (f64, f64) = (0.95, 1.05);
/// The longest shift that makes sense, in base bars.
const LONGEST_SHIFT: usize = 10_000;

/// What is done to train samples; each part is off unless it is given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AugmentationSpec {
    /// Standard deviation of the normal noise that is added to scaled channels, in their spreads on train rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub noise_std: Option<f64>,
    /// Windows that end before the decision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temporal_jitter: Option<TemporalJitterSpec>,
    /// Price paths with a larger or smaller amplitude.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price_scaling: Option<PriceScalingSpec>,
}

/// Windows end some bars before the decision, never after it; the label stays.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TemporalJitterSpec {
    /// The share of samples that are shifted.
    pub probability: f64,
    /// The longest shift, in base bars; each from 1 on is as likely.
    pub max_shift: usize,
}

impl Default for TemporalJitterSpec {
    fn default() -> Self {
        Self { probability: JITTER_PROBABILITY, max_shift: JITTER_MAX_SHIFT }
    }
}

/// Every log return of a sample's price path, in windows and labels, is multiplied by one factor between these two.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PriceScalingSpec {
    /// The smallest factor.
    pub low: f64,
    /// The largest factor.
    pub high: f64,
}

impl Default for PriceScalingSpec {
    fn default() -> Self {
        let (low, high) = PRICE_SCALING;
        Self { low, high }
    }
}

impl AugmentationSpec {
    /// Adds what is wrong with it to `report`; `path` is where it stands.
    pub(crate) fn check(&self, features: &[FeatureSpec], path: &Path, report: &mut Report) {
        let mut fault = |path: Path, message: &str| report.append(path, Error::new(message));
        if *self == Self::default() {
            fault(path.clone(), "names no augmentation; leave it out for none");
        }
        if self.noise_std.is_some_and(|std| !(std.is_finite() && std >= 0.0)) {
            fault(path.join("noise_std"), "must be a finite number of at least 0");
        }
        if let Some(jitter) = self.temporal_jitter {
            let path = path.join("temporal_jitter");
            if !(0.0..=1.0).contains(&jitter.probability) {
                fault(path.join("probability"), "must be at least 0 and at most 1");
            }
            if !(1..=LONGEST_SHIFT).contains(&jitter.max_shift) {
                fault(
                    path.join("max_shift"),
                    &format!("must be at least 1 and at most {LONGEST_SHIFT} bars"),
                );
            }
        }
        if let Some(scaling) = self.price_scaling {
            let path = path.join("price_scaling");
            for (name, factor) in [("low", scaling.low), ("high", scaling.high)] {
                if !(factor.is_finite() && factor > 0.0) {
                    fault(path.join(name), "must be a finite number above 0");
                }
            }
            if scaling.low > scaling.high {
                fault(path.join("low"), "must not be above `high`");
            }
            let mut channels = features.iter().flat_map(|feature| feature.feature().channels());
            if !features.is_empty() && channels.all(|channel| channel.unit.amplified() == Amplified::Unmoved)
            {
                fault(path, "touches no channel: none of data.features is made of price moves");
            }
        }
    }
}
