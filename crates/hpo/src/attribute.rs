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
}
