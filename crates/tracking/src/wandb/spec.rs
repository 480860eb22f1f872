//! The `tracking.wandb:` section.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An offline run for Weights & Biases under `wandb` in the run's folder. `wandb sync <folder>` uploads it, `wandb beta sync
/// --live <folder>` while it grows; no wandb is needed to write it, and the key is wandb's own affair.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WandbSpec {
    /// The project that it belongs to.
    pub project: String,
    /// The user or team whose project it is; the default of who uploads it, unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entity: Option<String>,
    /// Words that runs are found by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
}

/// Characters that Weights & Biases refuses in the name of a project.
const REFUSED: [char; 8] = ['/', '\\', '#', '?', '%', ':', '\r', '\n'];
/// The longest name of a project that it takes.
const LONGEST: usize = 128;

impl WandbSpec {
    /// What cannot be, by key.
    pub(crate) fn faults(&self) -> Vec<(&'static str, String)> {
        let mut faults = Vec::new();
        if self.project.trim().is_empty() {
            faults.push(("project", "a name is needed".into()));
        }
        if let Some(odd) = self.project.chars().find(|odd| REFUSED.contains(odd)) {
            faults.push(("project", format!("{odd:?} cannot stand in the name of a project")));
        }
        if self.project.chars().count() > LONGEST {
            faults.push(("project", format!("a name has at most {LONGEST} characters")));
        }
        if self.entity.as_ref().is_some_and(|name| name.trim().is_empty() || name.contains('/')) {
            faults.push((
                "entity",
                "the name of a user or team is needed; leave the key out for the default".into(),
            ));
        }
        if self.tags.iter().any(|tag| tag.is_empty() || tag.chars().count() > 64) {
            faults.push(("tags", "a tag has 1 to 64 characters".into()));
        }
        faults
    }
}
