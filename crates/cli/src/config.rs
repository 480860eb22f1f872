//! The configuration of a run: layers of YAML, variables and flags in, a checked [`RunConfig`] or every fault out.
//!
//! Layers, lowest first: the defaults of the types, a file (without one, the built-in quickstart), the environment
//! (`TAPELINE_TRAINING__NUM_EPOCHS=50`, letter case makes no difference) and flags (`--set training.num_epochs=50`, the
//! value being YAML). A file's sections are merged with the defaults key by key. A variable or a flag replaces what it
//! names: `--set 'data.source={synthetic: {}}'` leaves nothing of the source below it.
//!
//! `tasks` is the one section whose absence means more than its defaults: given, it holds the tasks it lists and no
//! others. Where no file lists any, the three default tasks are spelled out below the environment and the flags, so that
//! `--set tasks.price_prediction.weight=2` keeps the other two.
//!
//! The schema that is derived from the types decides what a scalar means. What is text stays as it is written (`0700`,
//! `no`); what is a number has to be finite. After that come the checks of each section. All faults are collected; one
//! that may only follow from another in the same section is left out.

mod extract;
mod fault;
mod hpo;
mod key_path;
mod late;
mod layer;
mod layers;
mod paths;
mod run;
mod scalar;
mod schema;
mod searched;
mod show;
mod sources;
mod storage_url;
mod suggest;
mod tree;
mod typing;
mod wording;
mod yaml;

use std::sync::OnceLock;

use schemars::schema_for;
use serde_json::Value as Json;

use fault::{Fault, Origin};
use key_path::KeyPath;
use layers::Layers;
use schema::Schema;

pub(crate) use fault::ConfigError;
pub(crate) use hpo::{HpoSpec, Keep, Objective, PARAMETERS, RetrainSpec, SECONDS, ScoredOn};
pub(crate) use run::{DeviceSpec, RunConfig, ThreadsSpec};
pub(crate) use searched::{own_values, with_values};
pub(crate) use sources::Sources;
pub(crate) use storage_url::StorageUrl;

/// A configuration that was read without a fault, and where each of its values comes from.
#[derive(Clone, Debug)]
pub(crate) struct Resolved {
    pub(crate) config: RunConfig,
    layers: Layers,
}

impl Resolved {
    /// YAML of the configuration with every default spelled out and the source of each value beside it.
    pub(crate) fn annotated_yaml(&self) -> String {
        show::yaml_with_comments(&self.config, |path| {
            self.layers.origin(path).unwrap_or(Origin::Default).short()
        })
    }
}

/// YAML of `config` with every default spelled out.
pub(crate) fn resolved_yaml(config: &RunConfig) -> String {
    show::yaml(config)
}

/// The JSON Schema (2020-12) of a configuration.
pub(crate) fn json_schema() -> Json {
    schema_for!(RunConfig).to_value()
}

/// The same, made once.
fn schema() -> &'static Json {
    static SCHEMA: OnceLock<Json> = OnceLock::new();
    SCHEMA.get_or_init(json_schema)
}

/// Reads and checks the configuration that `sources` give.
///
/// # Errors
/// Everything that is wrong, at once.
pub(crate) fn load(sources: &Sources) -> Result<Resolved, ConfigError> {
    let (layers, mut faults) = sources.layers();
    let merged = layers.merged().map_err(|error| {
        let message = format!("the layers cannot be merged: {error}");
        ConfigError::new(vec![Fault { origin: Origin::Default, path: KeyPath::root(), message, help: None }])
    })?;
    let typed = typing::read(&layers, &merged, Schema::of(schema()));
    faults.extend(typed.faults);
    let (config, found) = extract::run_config(&layers, typed.value, typed.left_out);
    faults.extend(found);
    let Some(mut config) = config else { return Err(ConfigError::new(faults)) };
    faults.extend(paths::expand_home(&mut config, sources.home().as_deref(), &layers));
    faults.extend(late::impossible_values(&layers, &config, &faults));
    if faults.is_empty() {
        faults.extend(searched::faults(&layers, &config));
    }
    if faults.is_empty() { Ok(Resolved { config, layers }) } else { Err(ConfigError::new(faults)) }
}

#[cfg(test)]
mod tests;
