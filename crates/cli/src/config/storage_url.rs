//! The address of a storage, which may have a password in it.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};
use tapeline_hpo::without_password;

/// The address of a storage. Wherever it is written or shown, its password is left out, so that no run's configuration, no
/// report and no tracker has it.
#[derive(Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct StorageUrl(String);

impl StorageUrl {
    /// As it was given, to be opened.
    pub(crate) fn secret(&self) -> &str {
        &self.0
    }

    /// What is wrong with it at first sight.
    pub(super) fn fault(&self) -> Option<String> {
        let scheme = self.0.split_once("://").map(|(scheme, _)| scheme.split('+').next().unwrap_or(scheme));
        let is_known = matches!(scheme, Some("sqlite" | "postgresql" | "postgres"));
        (!is_known).then(|| {
            format!("{self:?} is no storage; write sqlite:///FILE or postgresql://USER@HOST/DATABASE")
        })
    }
}

impl From<String> for StorageUrl {
    fn from(url: String) -> Self {
        Self(url)
    }
}

impl fmt::Display for StorageUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&without_password(&self.0))
    }
}

impl fmt::Debug for StorageUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&without_password(&self.0), f)
    }
}

impl Serialize for StorageUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
