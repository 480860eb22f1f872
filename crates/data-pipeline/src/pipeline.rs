//! The checked form of [`DataSpec`], and the one way from bars to a [`Dataset`].

mod check;
mod folds;
mod prepare;
mod read;

use crate::spec::DataSpec;
use crate::table::InputLayout;
use crate::time::{Span, Timeframe};

pub use folds::Folds;
pub(crate) use prepare::Fit;

/// A [`DataSpec`] that was found to make sense. [`DataSpec::check`] makes it.
#[derive(Clone, Debug, PartialEq)]
pub struct Pipeline {
    spec: DataSpec,
    inputs: Vec<InputLayout>,
    max_age: Vec<Option<Span>>,
}

impl Pipeline {
    /// The spec it was made from.
    #[must_use]
    pub fn spec(&self) -> &DataSpec {
        &self.spec
    }

    /// What a network reads, per timeframe; the base is first.
    #[must_use]
    pub fn inputs(&self) -> &[InputLayout] {
        &self.inputs
    }

    /// The timeframe on which decisions are made.
    #[must_use]
    pub fn base(&self) -> Timeframe {
        self.inputs[0].timeframe
    }
}
