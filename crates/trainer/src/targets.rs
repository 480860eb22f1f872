//! What a run's scores must reach: bounds by metric name in, verdicts out.

use std::collections::BTreeMap;

use garde::{Error, Path, Report};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tapeline_evaluation::ic::MIN_CROSS_SECTION;
use tapeline_events::{TargetOutcome, TargetVerdict};

use crate::error::TrainError;
use crate::metric;
use crate::task::Tasks;

/// The `targets:` section: bounds by the full name of a metric. Those of the validation span and of the training are held
/// against what `train` leaves, those of another span once that span is scored.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct TargetsSpec(pub BTreeMap<String, BoundsSpec>);

/// What a metric must reach; a bound itself is good enough.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BoundsSpec {
    /// The least value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// The greatest value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
}

impl TargetsSpec {
    /// Checks every bound, and that a run with `tasks` will have every metric.
    ///
    /// # Errors
    /// Every fault at once, with paths relative to `targets`.
    pub fn check(&self, tasks: &Tasks) -> Result<(), Report> {
        let mut report = Report::new();
        for (name, bounds) in &self.0 {
            let mut fault = |path: Path, message: String| report.append(path, Error::new(message));
            let path = Path::new(name);
            if let Err(nearest) = metric::find_target(name, tasks) {
                let message = format!("this run will not have it; the nearest are {}", nearest.join(", "));
                fault(path.clone(), message);
            }
            for (key, bound) in [("min", bounds.min), ("max", bounds.max)] {
                if bound.is_some_and(|bound| !bound.is_finite()) {
                    fault(path.clone().join(key), "a bound is a finite number".into());
                }
            }
            match (bounds.min, bounds.max) {
                (None, None) => fault(path, "a target needs a bound; give min, max or both".into()),
                (Some(min), Some(max)) if min > max => {
                    fault(path, format!("no value is at least {min} and at most {max}"));
                }
                _ => {}
            }
        }
        if report.is_empty() { Ok(()) } else { Err(report) }
    }

    /// Checks that every metric can be defined on data with so many symbols.
    ///
    /// # Errors
    /// [`TrainError::UndefinedMetric`] for a score over symbols where there are too few.
    pub fn check_symbols(&self, symbols: usize) -> Result<(), TrainError> {
        let undefined = |name: &&String| symbols < MIN_CROSS_SECTION && metric::is_cross_section(name);
        match self.0.keys().find(undefined) {
            Some(name) => {
                Err(TrainError::UndefinedMetric { policy: "targets", metric: name.clone(), symbols })
            }
            None => Ok(()),
        }
    }

    /// Holds the targets against `metrics`, in which `None` means undefined and a missing name not scored yet.
    #[must_use]
    pub fn verdicts(&self, metrics: &BTreeMap<String, Option<f64>>) -> Vec<TargetOutcome> {
        let outcome = |(name, bounds): (&String, &BoundsSpec)| {
            let value = metrics.get(name).copied().flatten().filter(|value| value.is_finite());
            let verdict = match value {
                Some(value) if bounds.hold(value) => TargetVerdict::Met,
                Some(_) => TargetVerdict::Missed,
                None if metrics.contains_key(name) => TargetVerdict::Undefined,
                None => TargetVerdict::NotScored,
            };
            TargetOutcome { metric: name.clone(), min: bounds.min, max: bounds.max, value, verdict }
        };
        self.0.iter().map(outcome).collect()
    }
}

impl BoundsSpec {
    fn hold(self, value: f64) -> bool {
        self.min.is_none_or(|min| value >= min) && self.max.is_none_or(|max| value <= max)
    }
}

#[cfg(test)]
mod tests;
