//! What a parameter may be.
//!
//! A value travels as a number, whatever its kind: a float as it is, an integer as its float, a category as the index of its
//! choice. This is the form that storages hold and samplers work on.

mod json;
mod steps;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use crate::{Choice, HpoError};

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

impl FloatDistribution {
    /// Uniform in `[low, high]`.
    #[must_use]
    pub const fn new(low: f64, high: f64) -> Self {
        Self { low, high, log: false, step: None }
    }

    /// Uniform in the logarithm over `[low, high]`.
    #[must_use]
    pub const fn log(low: f64, high: f64) -> Self {
        Self { low, high, log: true, step: None }
    }

    /// Uniform over `low`, `low + step` and so on, up to `high`.
    #[must_use]
    pub const fn stepped(low: f64, high: f64, step: f64) -> Self {
        Self { low, high, log: false, step: Some(step) }
    }
}

impl IntDistribution {
    /// Uniform over `low`, `low + 1`, … `high`.
    #[must_use]
    pub const fn new(low: i64, high: i64) -> Self {
        Self { low, high, log: false, step: 1 }
    }

    /// Uniform in the logarithm over `low`, `low + 1`, … `high`.
    #[must_use]
    pub const fn log(low: i64, high: i64) -> Self {
        Self { low, high, log: true, step: 1 }
    }

    /// Uniform over `low`, `low + step` and so on, up to `high`.
    #[must_use]
    pub const fn stepped(low: i64, high: i64, step: i64) -> Self {
        Self { low, high, log: false, step }
    }
}

impl From<RangeInclusive<f64>> for FloatDistribution {
    fn from(range: RangeInclusive<f64>) -> Self {
        Self::new(*range.start(), *range.end())
    }
}

impl From<RangeInclusive<i64>> for IntDistribution {
    fn from(range: RangeInclusive<i64>) -> Self {
        Self::new(*range.start(), *range.end())
    }
}

impl From<FloatDistribution> for Distribution {
    fn from(float: FloatDistribution) -> Self {
        Self::Float(float)
    }
}

impl From<IntDistribution> for Distribution {
    fn from(int: IntDistribution) -> Self {
        Self::Int(int)
    }
}

impl From<CategoricalDistribution> for Distribution {
    fn from(categories: CategoricalDistribution) -> Self {
        Self::Categorical(categories)
    }
}

/// Whole numbers up to here are exact as floats, which is how a value travels.
const LARGEST_EXACT: i64 = 1 << 53;

impl Distribution {
    /// The same, checked, its upper end lowered to the last point of its grid.
    ///
    /// # Errors
    /// [`HpoError::Distribution`] that names `name` and what is wrong.
    pub fn check(self, name: &str) -> Result<Self, HpoError> {
        let refuse = |fault: String| Err(HpoError::Distribution { name: name.to_owned(), fault });
        match self {
            Self::Float(FloatDistribution { low, high, log, step }) => {
                if !(low.is_finite() && high.is_finite()) {
                    return refuse(format!("its ends must be finite, they are {low} and {high}"));
                }
                if low > high {
                    return refuse(format!("low {low} is above high {high}"));
                }
                if log && low <= 0.0 {
                    return refuse(format!("low must be above 0 for a log axis, it is {low}"));
                }
                let Some(step) = step else { return Ok(self) };
                if log {
                    return refuse("a log axis cannot have a step: leave one of them out".to_owned());
                }
                if !(step > 0.0 && step.is_finite()) {
                    return refuse(format!("step must be above 0, it is {step}"));
                }
                Ok(Self::Float(FloatDistribution {
                    low,
                    high: steps::last(low, high, step),
                    log,
                    step: Some(step),
                }))
            }
            Self::Int(IntDistribution { low, high, log, step }) => {
                if low > high {
                    return refuse(format!("low {low} is above high {high}"));
                }
                if low < -LARGEST_EXACT || high > LARGEST_EXACT {
                    return refuse(format!("its ends must be within ±2^53, they are {low} and {high}"));
                }
                if log && low < 1 {
                    return refuse(format!("low must be at least 1 for a log axis, it is {low}"));
                }
                if step < 1 {
                    return refuse(format!("step must be at least 1, it is {step}"));
                }
                if log && step != 1 {
                    return refuse("a log axis cannot have a step: leave one of them out".to_owned());
                }
                Ok(Self::Int(IntDistribution { low, high: low + (high - low) / step * step, log, step }))
            }
            Self::Categorical(ref categories) => {
                if categories.choices.is_empty() {
                    return refuse("it has no choices".to_owned());
                }
                let twice = categories.choices.iter().enumerate().find(|(place, choice)| {
                    categories.choices[..*place].iter().any(|earlier| earlier.is_same_as(choice))
                });
                if let Some((_, choice)) = twice {
                    return refuse(format!("the choice {choice} is there twice"));
                }
                Ok(self)
            }
        }
    }

    /// True if there is only one value it can be.
    #[must_use]
    pub fn is_single(&self) -> bool {
        match self {
            Self::Float(float) => float.low == float.high,
            Self::Int(int) => int.low == int.high,
            Self::Categorical(categories) => categories.choices.len() == 1,
        }
    }

    /// True if `value` is one it can be; a value between two points of a grid is not, one that misses a point by rounding is.
    #[must_use]
    pub fn contains(&self, value: f64) -> bool {
        match self {
            Self::Float(float) => match float.step {
                None => float.low <= value && value <= float.high,
                Some(step) => steps::has(float.low, float.high, step, value),
            },
            Self::Int(int) => {
                let inside = int.low as f64 <= value && value <= int.high as f64;
                inside && value.fract() == 0.0 && (value as i64 - int.low) % int.step == 0
            }
            Self::Categorical(categories) => {
                value >= 0.0 && value.fract() == 0.0 && (value as usize) < categories.choices.len()
            }
        }
    }

    /// What a person calls the number `value`: the float, the whole number or the choice; `None` if it is not one it can be
    /// (ends of floats and integers aside: what users fixed may lie outside).
    #[must_use]
    pub fn external(&self, value: f64) -> Option<Choice> {
        match self {
            Self::Float(_) => Some(Choice::Float(value)),
            Self::Int(_) => (value.fract() == 0.0).then_some(Choice::Int(value as i64)),
            Self::Categorical(categories) => {
                self.contains(value).then(|| categories.choices[value as usize].clone())
            }
        }
    }

    /// The number that stands for what a person calls `choice`; `None` if it is of another kind or not among the choices.
    #[must_use]
    pub fn internal(&self, choice: &Choice) -> Option<f64> {
        match (self, choice) {
            (Self::Categorical(categories), _) => {
                categories.choices.iter().position(|known| known.is_same_as(choice)).map(|place| place as f64)
            }
            (Self::Float(_) | Self::Int(_), Choice::Int(whole)) => Some(*whole as f64),
            (Self::Float(_), Choice::Float(value)) => Some(*value).filter(|value| !value.is_nan()),
            (Self::Int(_), Choice::Float(value)) => Some(*value).filter(|value| value.fract() == 0.0),
            _ => None,
        }
    }

    /// True if both may stand for one parameter of one study: the same kind and axis, and identical choices. Ends and step may
    /// differ from trial to trial.
    #[must_use]
    pub fn agrees_with(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Float(a), Self::Float(b)) => a.log == b.log,
            (Self::Int(a), Self::Int(b)) => a.log == b.log,
            (Self::Categorical(a), Self::Categorical(b)) => a == b,
            _ => false,
        }
    }

    /// `float`, `int` or `categorical`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Float(_) => "float",
            Self::Int(_) => "int",
            Self::Categorical(_) => "categorical",
        }
    }
}
