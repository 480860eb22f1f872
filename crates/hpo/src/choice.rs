//! What a category can be called, and what a person calls a parameter's value.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{JsonValue, RawJson};

/// What a category can be called. It is also how a value of any parameter is written outside: a float parameter's as
/// [`Choice::Float`], an integer's as [`Choice::Int`].
#[derive(Clone, Debug)]
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
    Json(RawJson),
}

/// Kind for kind and value for value, where NaN is one value; what JSON alone can say is equal when it says the same, whoever
/// set its spaces.
impl PartialEq for Choice {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Int(a), Self::Int(b)) => a == b,
            (Self::Float(a), Self::Float(b)) => a == b || (a.is_nan() && b.is_nan()),
            (Self::Text(a), Self::Text(b)) => a == b,
            (Self::Json(a), Self::Json(b)) => a == b || says_the_same(a, b),
            _ => false,
        }
    }
}

fn says_the_same(a: &RawJson, b: &RawJson) -> bool {
    match (JsonValue::parse(a.as_str()), JsonValue::parse(b.as_str())) {
        // Written again, since a NaN inside equals no other.
        (Ok(a), Ok(b)) => a == b || a.to_raw() == b.to_raw(),
        _ => false,
    }
}

impl Choice {
    /// Equal as Python sees it, which is what decides in a study that both work on: `true`, `1` and `1.0` are one.
    #[must_use]
    pub fn is_same_as(&self, other: &Self) -> bool {
        match (self.number(), other.number()) {
            (Some(a), Some(b)) => a == b || (a.is_nan() && b.is_nan()),
            (None, None) => self == other,
            _ => false,
        }
    }

    /// The number that it is to Python, if it is one.
    #[must_use]
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Bool(yes) => Some(f64::from(u8::from(*yes))),
            Self::Int(whole) => Some(*whole as f64),
            Self::Float(value) => Some(*value),
            Self::Null | Self::Text(_) | Self::Json(_) => None,
        }
    }

    /// As JSON, the way Python writes it: `NaN` and `Infinity` are words.
    #[must_use]
    pub fn to_json(&self) -> String {
        match self {
            Self::Null => "null".to_owned(),
            Self::Bool(yes) => yes.to_string(),
            Self::Int(whole) => whole.to_string(),
            Self::Float(value) => RawJson::from_number(*value).as_str().to_owned(),
            Self::Text(text) => serde_json::Value::from(text.as_str()).to_string(),
            Self::Json(raw) => raw.as_str().to_owned(),
        }
    }

    /// What a JSON value says.
    #[must_use]
    pub fn from_json(value: &serde_json::Value) -> Self {
        use serde_json::Value;
        match value {
            Value::Null => Self::Null,
            Value::Bool(yes) => Self::Bool(*yes),
            Value::String(text) => Self::Text(text.clone()),
            Value::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(whole), _) => Self::Int(whole),
                (None, Some(value)) => Self::Float(value),
                (None, None) => Self::Json(RawJson::from_text(number.to_string())),
            },
            Value::Array(_) | Value::Object(_) => Self::Json(RawJson::from_text(value.to_string())),
        }
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            other => f.write_str(&other.to_json()),
        }
    }
}

impl Serialize for Choice {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(yes) => serializer.serialize_bool(*yes),
            Self::Int(whole) => serializer.serialize_i64(*whole),
            Self::Float(value) => serializer.serialize_f64(*value),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Json(raw) => match serde_json::from_str::<serde_json::Value>(raw.as_str()) {
                Ok(value) => value.serialize(serializer),
                Err(_) => serializer.serialize_str(raw.as_str()),
            },
        }
    }
}

impl<'de> Deserialize<'de> for Choice {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        serde_json::Value::deserialize(deserializer).map(|value| Self::from_json(&value))
    }
}

impl schemars::JsonSchema for Choice {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Choice".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "description": "a number, a word, true, false or null" })
    }
}

impl From<bool> for Choice {
    fn from(yes: bool) -> Self {
        Self::Bool(yes)
    }
}

impl From<i64> for Choice {
    fn from(whole: i64) -> Self {
        Self::Int(whole)
    }
}

impl From<f64> for Choice {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl From<&str> for Choice {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Choice {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

#[test]
fn a_list_is_the_same_with_and_without_spaces() {
    let list = |text: &str| Choice::Json(RawJson::from_text(text));
    // As a configuration says it, and as Python writes it.
    assert!(list("[3,5]").is_same_as(&list("[3, 5]")) && list("[3,5]") == list("[3, 5]"));
    assert!(list("{\"a\":[1,NaN]}") != list("{\"a\": [1, 2]}"));
    assert!(list("[3,5]") != list("[5, 3]"));
    assert!(list("[1,NaN]") == list("[1, NaN]") && list("[1,NaN]") != list("[NaN, 1]"));
}
