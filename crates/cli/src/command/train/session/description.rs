//! What a run is, written in its folder before its first step.

use std::path::PathBuf;

use tapeline_artefact::replace_file;
use tapeline_models::Parameters;
use tapeline_trainer::decaying_parameters;

use super::Session;
use crate::config::resolved_yaml;
use crate::failure::Failure;
use crate::run_folder::RunFolder;
use crate::{clock, family, host};

impl Session<'_> {
    /// Writes what the run is.
    pub(super) fn describe(&self, parameters: &Parameters) -> Result<(), Failure> {
        let Self { config, lineage, folder, .. } = *self;
        let parent = match (folder.parent().map(RunFolder::open), folder.parent_id()) {
            (Some(Ok(parent)), Some(id)) => {
                family::read(&parent)?.map(|family| serde_json::json!({ "id": id, "kind": family.kind() }))
            }
            _ => None,
        };
        let mut description = serde_json::json!({
            "run": folder.id(),
            "created": clock::now(),
            "host": host::Host::read().json(),
            "determinism": {
                "deterministic": lineage.is_deterministic(),
                "kernels": tapeline_torch_ext::cpu_kernels(),
            },
            "parameters": {
                "learned": parameters.count(),
                "decaying": decaying_parameters(&config.training.optimizer, parameters),
            },
            "lineage": lineage,
        });
        if let Some(parent) = parent {
            description["parent"] = parent;
        }
        let yaml = resolved_yaml(config);
        let audit = serde_json::to_vec_pretty(self.audit).map_err(Failure::failed)?;
        let description = serde_json::to_vec_pretty(&description).map_err(Failure::failed)?;
        // The lineage last: where it is, the others are.
        let files: [(PathBuf, &[u8]); 3] =
            [(folder.config(), yaml.as_bytes()), (folder.audit(), &audit), (folder.lineage(), &description)];
        for (path, bytes) in files {
            replace_file(&path, bytes).map_err(Failure::failed)?;
        }
        Ok(())
    }
}
