//! What is noted beside a study or a trial: JSON values by name, kept as the text they came as.

use std::collections::BTreeMap;

/// Values by key. User and system attributes are two of these; keys that nobody here knows are kept as they are.
pub type Attributes = BTreeMap<String, RawJson>;

/// A JSON text, kept to the letter.
///
/// Python writes what JSON forbids (`NaN`, `Infinity`, integers of any length), so the text is the value and reading it is
/// another matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawJson(String);

impl RawJson {
    /// A text that is JSON as Python writes and reads it. The caller answers for that.
    #[must_use]
    pub fn from_text(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
    /// A number, as Python writes it: `NaN`, `Infinity` and `-Infinity` for what JSON has no words for.
    #[must_use]
    pub fn from_number(value: f64) -> Self {
        Self(if value.is_nan() {
            "NaN".to_owned()
        } else if value.is_infinite() {
            if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned()
        } else {
            format!("{value:?}")
        })
    }

    /// The number that the text is, if it is one.
    #[must_use]
    pub fn number(&self) -> Option<f64> {
        number(&self.0)
    }

    /// The numbers that the text lists, if it is such a list.
    #[must_use]
    pub fn numbers(&self) -> Option<Vec<f64>> {
        let inside = self.0.trim().strip_prefix('[')?.strip_suffix(']')?;
        if inside.trim().is_empty() {
            return Some(Vec::new());
        }
        inside.split(',').map(number).collect()
    }
}

fn number(text: &str) -> Option<f64> {
    match text.trim() {
        "NaN" => Some(f64::NAN),
        "Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        // Rust also reads `inf` and `nan`, which are no JSON of anybody's.
        digits if digits.ends_with(|last: char| last.is_ascii_digit()) => digits.parse().ok(),
        _ => None,
    }
}
