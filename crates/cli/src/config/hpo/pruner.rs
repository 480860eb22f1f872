//! Who gives up on trials early.
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tapeline_hpo::{NopPruner, Pruner};
use super::sampler::Plain;

/// Who gives up on trials early.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum PrunerSpec {
    /// Nobody.
    Nop(Plain),
}
impl Default for PrunerSpec {
    fn default() -> Self {
        Self::Nop(Plain {})
    }
}
impl PrunerSpec {
    pub(crate) fn check(&self) -> Result<Box<dyn Pruner>, garde::Report> {
        Ok(Box::new(NopPruner))
    }
}
