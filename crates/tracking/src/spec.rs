//! The `tracking:` section: who hears of a run.

use garde::{Path, Report};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::mlflow::Mlflow;
use crate::tensorboard::TensorBoard;
use crate::wandb::Wandb;
use crate::{MlflowSpec, RunFacts, Secrets, Sink, TensorBoardSpec, TrackingError, WandbSpec};

/// The trackers that hear of a run; none unless given. Credentials come from the environment alone.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TrackingSpec {
    /// An MLflow tracking server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mlflow: Option<MlflowSpec>,
    /// An offline run for Weights & Biases.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wandb: Option<WandbSpec>,
    /// Event files for TensorBoard.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tensorboard: Option<TensorBoardSpec>,
}

impl TrackingSpec {
    /// Checks every value.
    ///
    /// # Errors
    /// Every fault at once, with paths relative to `tracking`.
    pub fn check(&self) -> Result<(), Report> {
        let mut report = Report::new();
        let mut section = |name: &str, faults: Vec<(&str, String)>| {
            for (key, message) in faults {
                report.append(Path::new(name).join(key), garde::Error::new(message));
            }
        };
        section("mlflow", self.mlflow.as_ref().map(MlflowSpec::faults).unwrap_or_default());
        section("wandb", self.wandb.as_ref().map(WandbSpec::faults).unwrap_or_default());
        if report.is_empty() { Ok(()) } else { Err(report) }
    }

    /// Whether one of the trackers that are given draws histograms, so that a run should make them.
    #[must_use]
    pub const fn draws_histograms(&self) -> bool {
        self.wandb.is_some() || self.tensorboard.is_some()
    }

    /// Whether one of them shows pictures of a run's forecasts.
    #[must_use]
    pub const fn shows_pictures(&self) -> bool {
        self.mlflow.is_some() || self.tensorboard.is_some()
    }

    /// Whether one of them shows a run's features as an embedding.
    #[must_use]
    pub const fn shows_embeddings(&self) -> bool {
        self.tensorboard.is_some()
    }

    /// A sink for each tracker that is given, or for the one named by `only`.
    ///
    /// # Errors
    /// When a value cannot be used, or `only` names none of them.
    pub fn sinks(
        &self,
        facts: &RunFacts,
        secrets: &Secrets,
        only: Option<&str>,
    ) -> Result<Vec<Box<dyn Sink>>, TrackingError> {
        self.check().map_err(TrackingError::Spec)?;
        let mut sinks: Vec<Box<dyn Sink>> = Vec::new();
        if let Some(spec) = &self.mlflow {
            sinks.push(Box::new(Mlflow::new(spec, facts, secrets)?));
        }
        if let Some(spec) = &self.wandb {
            sinks.push(Box::new(Wandb::new(spec, facts)));
        }
        if self.tensorboard.is_some() {
            sinks.push(Box::new(TensorBoard::new(facts)));
        }
        let Some(name) = only else { return Ok(sinks) };
        let configured = sinks.iter().map(|sink| sink.name().to_owned()).collect();
        sinks.retain(|sink| sink.name() == name);
        if sinks.is_empty() {
            return Err(TrackingError::Unknown { name: name.into(), configured });
        }
        Ok(sinks)
    }
}
