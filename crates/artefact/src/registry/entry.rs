//! What is known of a version: where it comes from, how it scored, and what was proved of it.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use tapeline_data_pipeline::leak::LeakCertificate;

use super::RegistryError;

/// The layout of `entry.json` that this release writes and reads.
pub const ENTRY_LAYOUT: u32 = 1;

/// `entry.json` of a version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// [`ENTRY_LAYOUT`] when it was written.
    pub layout: u32,
    /// The model.
    pub model: String,
    /// Its number, from 1; never given twice.
    pub version: u32,
    /// [`Extractor::id`](crate::Extractor::id) of the artefact.
    pub artefact: String,
    /// Who registered it, and when.
    pub registered: Signature,
    /// What is known of it.
    pub evidence: Evidence,
}

/// Who did something, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// RFC 3339, UTC.
    pub at: String,
    /// A person and a machine, such as `someone@somewhere`.
    pub by: String,
}

/// What a run leaves behind besides its artefact.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// The run, as `<experiment>/<run-id>`.
    pub run: String,
    /// Where the run comes from: its `lineage.json`, host and all.
    pub lineage: serde_json::Value,
    /// Every score of every span that was scored, by its full name; `None` means undefined.
    pub scores: BTreeMap<String, Option<f64>>,
    /// What was asked of the scores, and what came of it. Empty where nothing was asked.
    pub targets: Vec<TargetVerdict>,
    /// The proof that nothing saw the future, if there is one.
    pub leak_certificate: Option<LeakCertificate>,
}

/// A bound on a metric, and whether it held.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TargetVerdict {
    /// The metric's full name.
    pub metric: String,
    /// The least it may be.
    #[serde(default)]
    pub min: Option<f64>,
    /// The most it may be.
    #[serde(default)]
    pub max: Option<f64>,
    /// What it was; `None` means undefined.
    #[serde(default)]
    pub value: Option<f64>,
    /// Whether the bound held.
    pub verdict: Verdict,
}

/// Whether a bound held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It did.
    Met,
    /// It did not.
    Missed,
    /// Nobody knows: the metric has no value on this data.
    Undefined,
    /// Nobody knows yet: the metric's span was not scored.
    NotScored,
}

#[derive(Deserialize)]
struct Layout {
    layout: u32,
}

impl Entry {
    pub(super) fn parse(bytes: &[u8], path: &Path) -> Result<Self, RegistryError> {
        check_layout(bytes, path, ENTRY_LAYOUT)?;
        serde_json::from_slice(bytes).map_err(|source| RegistryError::Parse { path: path.into(), source })
    }
}

/// Refuses a file of another release by its number, before anything else in it can fail to be understood.
pub(super) fn check_layout(bytes: &[u8], path: &Path, expected: u32) -> Result<(), RegistryError> {
    let parsed = serde_json::from_slice(bytes);
    let Layout { layout: found } =
        parsed.map_err(|source| RegistryError::Parse { path: path.into(), source })?;
    if found == expected { Ok(()) } else { Err(RegistryError::Layout { path: path.into(), found, expected }) }
}
