//! What a parameter may be.
//!
//! A value travels as a number, whatever its kind: a float as it is, an integer as its float, a category as the index of its
//! choice. This is the form that storages hold and samplers work on.

use std::collections::BTreeMap;

/// Parameters that are sampled together, by name.
pub type SearchSpace = BTreeMap<String, Distribution>;

/// What one parameter may be.
#[derive(Clone, Debug, PartialEq)]
pub enum Distribution {
    /// A real number.
    Float(FloatDistribution),
    /// A whole number.
    Int(IntDistribution),
    /// One of several choices without an order.
    Categorical(CategoricalDistribution),
}

/// Real numbers of `[low, high]`, both ends included.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FloatDistribution {
    /// Least value.
    pub low: f64,
    /// Largest value; with a step it is on the grid that begins at `low`.
    pub high: f64,
    /// Uniform in the logarithm; then `low` is above 0 and there is no step.
    pub log: bool,
    /// The distance between neighbours of the grid, if there is one.
    pub step: Option<f64>,
}

/// Whole numbers of `[low, high]`, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IntDistribution {
    /// Least value.
    pub low: i64,
    /// Largest value, on the grid that begins at `low`.
    pub high: i64,
    /// Uniform in the logarithm; then `low` is at least 1 and the step is 1.
    pub log: bool,
    /// The distance between neighbours, at least 1.
    pub step: i64,
}

/// One of several choices.
#[derive(Clone, Debug, PartialEq)]
pub struct CategoricalDistribution {
    /// At least one.
    pub choices: Vec<Choice>,
}

/// What a category can be called.
#[derive(Clone, Debug, PartialEq)]
pub enum Choice {
    /// Nothing.
    Null,
    /// Yes or no.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A real number.
    Float(f64),
    /// A word.
    Text(String),
    /// Anything else that JSON can say, to the letter.
    Json(crate::RawJson),
}
