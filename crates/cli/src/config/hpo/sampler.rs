//! Who proposes values, as a user writes it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tapeline_hpo::{RandomSampler, Sampler};

/// Who proposes values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum SamplerSpec {
    /// Every value at random.
    Random(Plain),
}

/// Nothing to set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Plain {}

impl Default for SamplerSpec {
    fn default() -> Self {
        Self::Random(Plain {})
    }
}

impl SamplerSpec {
    /// The sampler that this describes.
    pub(crate) fn build(self) -> Box<dyn Sampler> {
        match self {
            Self::Random(Plain {}) => Box::new(RandomSampler),
        }
    }
}
