//! What must stand in no file: credentials, from the environment of the process.

use std::collections::BTreeMap;
use std::fmt;

/// The variables that are looked for.
const NAMES: [&str; 4] =
    ["MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN", "WANDB_API_KEY"];

/// Credentials by the name of their variable. They are in no configuration, journal or error, and are not shown.
#[derive(Clone, Default)]
pub struct Secrets(BTreeMap<&'static str, String>);

impl Secrets {
    /// Those that `variable` has a value for.
    #[must_use]
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Self {
        let given = |name| Some((name, variable(name).filter(|value| !value.is_empty())?));
        Self(NAMES.into_iter().filter_map(given).collect())
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[test]
fn a_secret_is_not_shown() {
    let secrets = Secrets::read(|name| (name == "MLFLOW_TRACKING_TOKEN").then(|| "hidden".into()));
    assert_eq!(secrets.get("MLFLOW_TRACKING_TOKEN"), Some("hidden"));
    assert_eq!(secrets.get("WANDB_API_KEY"), None);
    assert_eq!(format!("{secrets:?}"), r#"{"MLFLOW_TRACKING_TOKEN"}"#);
}
