//! The `tracking.mlflow:` section.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An MLflow tracking server. Credentials, where it asks for some, come from `MLFLOW_TRACKING_USERNAME` and
/// `MLFLOW_TRACKING_PASSWORD`, or from `MLFLOW_TRACKING_TOKEN`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MlflowSpec {
    /// Where it listens, such as `http://127.0.0.1:5000`.
    pub uri: String,
    /// The experiment there; that of the run unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub experiment: Option<String>,
    /// Whether the files of the run are uploaded: configuration, report, scores, artefact and the model for `mlflow.pyfunc`.
    #[serde(default = "yes")]
    pub artifacts: bool,
    /// Registers the model of a finished run as a new version of this name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registered_model: Option<String>,
    /// The alias that is pointed at the new version, such as `challenger`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
}

const fn yes() -> bool {
    true
}

impl MlflowSpec {
    /// What cannot be, by key.
    pub(crate) fn faults(&self) -> Vec<(&'static str, String)> {
        let mut faults = Vec::new();
        if let Err(message) = check_uri(&self.uri) {
            faults.push(("uri", message));
        }
        for (key, name) in [("experiment", &self.experiment), ("registered_model", &self.registered_model)] {
            if name.as_ref().is_some_and(|name| name.trim().is_empty()) {
                faults.push((key, "a name is needed; leave the key out for none".into()));
            }
        }
        if let Some(odd) = self.registered_model.as_ref().and_then(|name| name.find(['/', ':', '.'])) {
            let message = format!("MLflow refuses the character at place {} in the name of a model", odd + 1);
            faults.push(("registered_model", message));
        }
        match (&self.alias, &self.registered_model) {
            (Some(_), None) => faults.push(("alias", "an alias needs `registered_model`".into())),
            (Some(alias), Some(_)) if !is_alias(alias) => {
                faults.push((
                    "alias",
                    "letters, digits, `_` and `-` can stand in an alias; `latest` and v1, v2, … cannot be one"
                        .into(),
                ));
            }
            _ => {}
        }
        if self.registered_model.is_some() && !self.artifacts {
            faults.push(("registered_model", "a version needs its files: set `artifacts: true`".into()));
        }
        faults
    }
}

fn check_uri(uri: &str) -> Result<(), String> {
    let Some((scheme, rest)) = uri.split_once("://") else {
        return Err(format!("{uri:?} is no address; expected something like http://127.0.0.1:5000"));
    };
    if !matches!(scheme, "http" | "https") {
        return Err(format!("{scheme:?} is not spoken here; expected http or https"));
    }
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if host.contains('@') {
        let variables = "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD";
        return Err(format!("credentials must not stand in a file; give them in {variables}"));
    }
    if host.is_empty() || rest.contains(['?', '#', ' ']) {
        return Err(format!("{uri:?} is no address; expected something like http://127.0.0.1:5000"));
    }
    Ok(())
}

fn is_alias(alias: &str) -> bool {
    let characters =
        !alias.is_empty() && alias.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b));
    let like_a_version =
        alias.strip_prefix(['v', 'V']).is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit()));
    characters && !like_a_version && alias != "latest"
}
