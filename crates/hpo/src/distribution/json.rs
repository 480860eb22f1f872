//! Distributions as JSON, as Optuna writes and reads them: the long form that it writes, the short form, and the names that
//! it gave them before.

#[cfg(test)]
mod tests;

use super::steps;
use crate::json::JsonValue;
use crate::{CategoricalDistribution, Choice, Distribution, FloatDistribution, IntDistribution};

impl Distribution {
    /// The long form, which every version of Optuna since 3.0 reads.
    #[must_use]
    pub fn to_json(&self) -> String {
        let entry = |key: &str, value: JsonValue| (key.to_owned(), value);
        let (name, attributes) = match self {
            Self::Float(FloatDistribution { low, high, log, step }) => (
                "FloatDistribution",
                vec![
                    entry("step", step.map_or(JsonValue::Null, JsonValue::Float)),
                    entry("low", JsonValue::Float(*low)),
                    entry("high", JsonValue::Float(*high)),
                    entry("log", JsonValue::Bool(*log)),
                ],
            ),
            Self::Int(IntDistribution { low, high, log, step }) => (
                "IntDistribution",
                vec![
                    entry("log", JsonValue::Bool(*log)),
                    entry("step", JsonValue::Int(*step)),
                    entry("low", JsonValue::Int(*low)),
                    entry("high", JsonValue::Int(*high)),
                ],
            ),
            Self::Categorical(CategoricalDistribution { choices }) => (
                "CategoricalDistribution",
                vec![entry("choices", JsonValue::Array(choices.iter().map(JsonValue::from).collect()))],
            ),
        };
        let whole = vec![
            entry("name", JsonValue::Text(name.to_owned())),
            entry("attributes", JsonValue::Object(attributes)),
        ];
        JsonValue::Object(whole).to_raw().as_str().to_owned()
    }

    /// What Optuna means by `text`, its upper end lowered to the last point of its grid.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn from_json(text: &str) -> Result<Self, String> {
        let value = JsonValue::parse(text).map_err(|fault| fault.to_string())?;
        let (kind, attributes) = match (value.get("name"), value.get("type")) {
            (Some(JsonValue::Text(name)), _) => {
                (name.as_str(), value.get("attributes").ok_or("it has a name and no attributes")?)
            }
            (None, Some(JsonValue::Text(kind))) => (kind.as_str(), &value),
            _ => return Err("it has neither a name nor a type".to_owned()),
        };
        let read = Attributes { of: kind, attributes };
        let distribution = match kind {
            "FloatDistribution" | "float" => {
                read.only(&["type", "low", "high", "log", "step"])?;
                read.float(read.flag("log")?, read.optional("step")?)?
            }
            "UniformDistribution" => {
                read.only(&["low", "high"])?;
                read.float(false, None)?
            }
            "LogUniformDistribution" => {
                read.only(&["low", "high"])?;
                read.float(true, None)?
            }
            "DiscreteUniformDistribution" => {
                read.only(&["low", "high", "q"])?;
                read.float(false, Some(read.number("q")?))?
            }
            "IntDistribution" | "int" => {
                read.only(&["type", "low", "high", "log", "step"])?;
                read.int(read.flag("log")?)?
            }
            "IntUniformDistribution" => {
                read.only(&["low", "high", "step"])?;
                read.int(false)?
            }
            "IntLogUniformDistribution" => {
                read.only(&["low", "high", "step"])?;
                read.int(true)?
            }
            "CategoricalDistribution" | "categorical" => {
                read.only(&["type", "choices"])?;
                let Some(JsonValue::Array(choices)) = attributes.get("choices") else {
                    return Err("it has no list of choices".to_owned());
                };
                let choices: Vec<Choice> = choices.iter().map(JsonValue::to_choice).collect();
                if choices.is_empty() {
                    return Err("it has no choices".to_owned());
                }
                // Not checked further: Optuna takes choices that are equal to each other, and so must a reader.
                return Ok(Self::Categorical(CategoricalDistribution { choices }));
            }
            unknown => return Err(format!("there is no distribution named {unknown:?}")),
        };
        distribution.check("").map_err(|error| match error {
            crate::HpoError::Distribution { fault, .. } => fault,
            other => other.to_string(),
        })
    }
}

/// What a distribution's JSON says beside its name.
struct Attributes<'a> {
    of: &'a str,
    attributes: &'a JsonValue,
}

impl Attributes<'_> {
    /// A key that is not known would change what the distribution means, so it is a fault, as it is for Optuna.
    fn only(&self, known: &[&str]) -> Result<(), String> {
        let JsonValue::Object(entries) = self.attributes else {
            return Err(format!("the attributes of {} are no object", self.of));
        };
        match entries.iter().find(|(key, _)| !known.contains(&key.as_str())) {
            None => Ok(()),
            Some((key, _)) => Err(format!("{} has no attribute {key:?}", self.of)),
        }
    }

    fn optional(&self, key: &str) -> Result<Option<f64>, String> {
        match self.attributes.get(key) {
            None | Some(JsonValue::Null) => Ok(None),
            Some(value) => {
                value.number().map(Some).ok_or_else(|| format!("{key} of {} is no number", self.of))
            }
        }
    }

    fn number(&self, key: &str) -> Result<f64, String> {
        self.optional(key)?.ok_or_else(|| format!("{} has no {key}", self.of))
    }

    fn whole(&self, key: &str, otherwise: Option<i64>) -> Result<i64, String> {
        match (self.attributes.get(key), otherwise) {
            (None | Some(JsonValue::Null), Some(otherwise)) => Ok(otherwise),
            (Some(JsonValue::Int(whole)), _) => Ok(*whole),
            (Some(JsonValue::Float(value)), _) if value.fract() == 0.0 && value.abs() < 2_f64.powi(63) => {
                Ok(*value as i64)
            }
            _ => Err(format!("{key} of {} is no whole number", self.of)),
        }
    }

    fn flag(&self, key: &str) -> Result<bool, String> {
        match self.attributes.get(key) {
            None => Ok(false),
            Some(JsonValue::Bool(yes)) => Ok(*yes),
            Some(_) => Err(format!("{key} of {} is neither true nor false", self.of)),
        }
    }

    fn float(&self, log: bool, step: Option<f64>) -> Result<Distribution, String> {
        let (low, high) = (self.number("low")?, self.number("high")?);
        // Before grids were computed in decimals their ends were stored as floats gave them.
        let high = step.filter(|step| *step > 0.0).map_or(high, |step| steps::mended(low, high, step));
        Ok(Distribution::Float(FloatDistribution { low, high, log, step }))
    }

    fn int(&self, log: bool) -> Result<Distribution, String> {
        let (low, high) = (self.whole("low", None)?, self.whole("high", None)?);
        Ok(Distribution::Int(IntDistribution { low, high, log, step: self.whole("step", Some(1))? }))
    }
}
