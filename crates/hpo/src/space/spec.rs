//! A space as it is written in a file.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Space, SpaceBuilder};
use crate::{CategoricalDistribution, Choice, Distribution, FloatDistribution, HpoError, IntDistribution};

/// Parameters by name, as they are written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct SpaceSpec(pub BTreeMap<String, ParamSpec>);

/// One parameter, as it is written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum ParamSpec {
    /// A real number of `[low, high]`.
    Float {
        /// Least value.
        low: f64,
        /// Largest value.
        high: f64,
        /// Uniform in the logarithm.
        #[serde(default, skip_serializing_if = "is_false")]
        log: bool,
        /// Distance between neighbours, if only some values are allowed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        step: Option<f64>,
        /// Only there where these parameters have one of these values.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        when: BTreeMap<String, Vec<Choice>>,
    },
    /// A whole number of `[low, high]`.
    Int {
        /// Least value.
        low: i64,
        /// Largest value.
        high: i64,
        /// Uniform in the logarithm.
        #[serde(default, skip_serializing_if = "is_false")]
        log: bool,
        /// Distance between neighbours; 1 if it is not said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        step: Option<i64>,
        /// Only there where these parameters have one of these values.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        when: BTreeMap<String, Vec<Choice>>,
    },
    /// One of several choices without an order.
    Categorical {
        /// Numbers, words, true, false or null.
        choices: Vec<Choice>,
        /// Only there where these parameters have one of these values.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        when: BTreeMap<String, Vec<Choice>>,
    },
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_false(value: &bool) -> bool {
    !*value
}

impl ParamSpec {
    fn parts(&self) -> (Distribution, &BTreeMap<String, Vec<Choice>>) {
        match self {
            Self::Float { low, high, log, step, when } => {
                (FloatDistribution { low: *low, high: *high, log: *log, step: *step }.into(), when)
            }
            Self::Int { low, high, log, step, when } => {
                (IntDistribution { low: *low, high: *high, log: *log, step: step.unwrap_or(1) }.into(), when)
            }
            Self::Categorical { choices, when } => {
                (CategoricalDistribution { choices: choices.clone() }.into(), when)
            }
        }
    }
}

impl SpaceSpec {
    /// The space, checked. Parameters are asked for in the order of their names, parents before children.
    ///
    /// # Errors
    /// [`HpoError::Space`] with every fault.
    pub fn check(&self) -> Result<Space, HpoError> {
        let declare = |builder: SpaceBuilder, (name, spec): (&String, &ParamSpec)| {
            let (distribution, when) = spec.parts();
            builder.declare(name.clone(), distribution, when.clone())
        };
        self.0.iter().fold(Space::builder(), declare).build()
    }
}
