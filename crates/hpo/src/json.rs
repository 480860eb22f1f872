//! JSON as Python writes and reads it: what the standard says, and `NaN`, `Infinity`, `-Infinity`, integers of any length and
//! halves of surrogate pairs besides.

#[cfg(test)]
mod tests;

use crate::{Choice, RawJson};

/// Deeper than this no attribute is nested; Python gives up at about a thousand.
const DEEPEST: usize = 256;

/// What a JSON text says.
#[derive(Clone, Debug, PartialEq)]
pub enum JsonValue {
    /// Nothing.
    Null,
    /// Yes or no.
    Bool(bool),
    /// A number without point and exponent.
    Int(i64),
    /// Any other number, `NaN` and the infinities among them.
    Float(f64),
    /// A text.
    Text(String),
    /// What no Rust value holds, to the letter: an integer beyond 64 bits, or a text with half of a surrogate pair.
    Verbatim(RawJson),
    /// Values in their order.
    Array(Vec<Self>),
    /// Values by key, in the order of the text. Where a key is there twice, the last one counts.
    Object(Vec<(String, Self)>),
}

/// Why a text is not JSON.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not JSON: {expected} expected at byte {at}")]
pub struct JsonFault {
    /// What would have been right.
    pub expected: &'static str,
    /// Where, in bytes from the start.
    pub at: usize,
}

impl JsonValue {
    /// What `text` says.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn parse(text: &str) -> Result<Self, JsonFault> {
        let mut reader = Reader { text, at: 0 };
        let value = reader.value(0)?;
        reader.end()?;
        Ok(value)
    }

    /// Whether `text` is JSON; quicker than to read it.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn check(text: &str) -> Result<(), JsonFault> {
        let mut reader = Reader { text, at: 0 };
        reader.skip(0)?;
        reader.end()
    }

    /// The value under `key`, if this is an object that has it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        let Self::Object(entries) = self else { return None };
        entries.iter().rev().find(|(known, _)| known == key).map(|(_, value)| value)
    }

    /// The number that this is to Python's arithmetic: `true` is 1.
    #[must_use]
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Bool(yes) => Some(f64::from(u8::from(*yes))),
            Self::Int(whole) => Some(*whole as f64),
            Self::Float(value) => Some(*value),
            Self::Verbatim(raw) => raw.as_str().parse().ok(),
            Self::Null | Self::Text(_) | Self::Array(_) | Self::Object(_) => None,
        }
    }

    /// The category of that name.
    #[must_use]
    pub fn to_choice(&self) -> Choice {
        match self {
            Self::Null => Choice::Null,
            Self::Bool(yes) => Choice::Bool(*yes),
            Self::Int(whole) => Choice::Int(*whole),
            Self::Float(value) => Choice::Float(*value),
            Self::Text(text) => Choice::Text(text.clone()),
            Self::Verbatim(raw) => Choice::Json(raw.clone()),
            Self::Array(_) | Self::Object(_) => Choice::Json(self.to_raw()),
        }
    }

    /// The text that Python's `json.dumps` would write: what is not ASCII is escaped.
    #[must_use]
    pub fn to_raw(&self) -> RawJson {
        let mut text = String::new();
        self.write(&mut text);
        RawJson::from_text(text)
    }

    fn write(&self, text: &mut String) {
        match self {
            Self::Null => text.push_str("null"),
            Self::Bool(yes) => text.push_str(if *yes { "true" } else { "false" }),
            Self::Int(whole) => text.push_str(&whole.to_string()),
            Self::Float(value) => write_float(*value, text),
            Self::Text(word) => write_text(word, text),
            Self::Verbatim(raw) => text.push_str(raw.as_str()),
            Self::Array(values) => {
                text.push('[');
                for (place, value) in values.iter().enumerate() {
                    text.push_str(if place == 0 { "" } else { ", " });
                    value.write(text);
                }
                text.push(']');
            }
            Self::Object(entries) => {
                text.push('{');
                for (place, (key, value)) in entries.iter().enumerate() {
                    text.push_str(if place == 0 { "" } else { ", " });
                    write_text(key, text);
                    text.push_str(": ");
                    value.write(text);
                }
                text.push('}');
            }
        }
    }
}

impl RawJson {
    /// What the text says.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn parse(&self) -> Result<JsonValue, JsonFault> {
        JsonValue::parse(self.as_str())
    }
}

impl From<&Choice> for JsonValue {
    fn from(choice: &Choice) -> Self {
        match choice {
            Choice::Null => Self::Null,
            Choice::Bool(yes) => Self::Bool(*yes),
            Choice::Int(whole) => Self::Int(*whole),
            Choice::Float(value) => Self::Float(*value),
            Choice::Text(text) => Self::Text(text.clone()),
            Choice::Json(raw) => Self::Verbatim(raw.clone()),
        }
    }
}

fn write_float(value: f64, text: &mut String) {
    match value {
        _ if value.is_nan() => text.push_str("NaN"),
        f64::INFINITY => text.push_str("Infinity"),
        f64::NEG_INFINITY => text.push_str("-Infinity"),
        // The shortest text that reads back as the same float; it has a point or an exponent, so it stays a float.
        _ => text.push_str(&format!("{value:?}")),
    }
}

fn write_text(word: &str, text: &mut String) {
    text.push('"');
    for character in word.chars() {
        match character {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            ' '..='~' => text.push(character),
            _ => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    text.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    text.push('"');
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn fault<T>(&self, expected: &'static str) -> Result<T, JsonFault> {
        Err(JsonFault { expected, at: self.at })
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn takes(&mut self, word: &str) -> bool {
        let there = self.text.as_bytes()[self.at..].starts_with(word.as_bytes());
        self.at += if there { word.len() } else { 0 };
        there
    }

    fn end(&mut self) -> Result<(), JsonFault> {
        self.space();
        if self.at == self.text.len() { Ok(()) } else { self.fault("the end") }
    }

    fn value(&mut self, depth: usize) -> Result<JsonValue, JsonFault> {
        self.space();
        match self.peek() {
            Some(b'[') => {
                let mut values = Vec::new();
                self.entries(depth, b']', |reader| {
                    values.push(reader.value(depth + 1)?);
                    Ok(())
                })?;
                Ok(JsonValue::Array(values))
            }
            Some(b'{') => {
                let mut entries = Vec::new();
                self.entries(depth, b'}', |reader| {
                    let key = match reader.string()? {
                        JsonValue::Text(key) => key,
                        // Half a surrogate pair within a key: readable under what is left of it.
                        _ => "\u{fffd}".to_owned(),
                    };
                    reader.colon()?;
                    entries.push((key, reader.value(depth + 1)?));
                    Ok(())
                })?;
                Ok(JsonValue::Object(entries))
            }
            Some(b'"') => self.string(),
            _ => self.word(),
        }
    }

    fn skip(&mut self, depth: usize) -> Result<(), JsonFault> {
        self.space();
        match self.peek() {
            Some(b'[') => self.entries(depth, b']', |reader| reader.skip(depth + 1)),
            Some(b'{') => self.entries(depth, b'}', |reader| {
                reader.skip_string()?;
                reader.colon()?;
                reader.skip(depth + 1)
            }),
            Some(b'"') => self.skip_string().map(drop),
            _ => self.word().map(drop),
        }
    }

    /// What stands between a bracket and its partner, `entry` for each.
    fn entries(
        &mut self,
        depth: usize,
        closing: u8,
        mut entry: impl FnMut(&mut Self) -> Result<(), JsonFault>,
    ) -> Result<(), JsonFault> {
        if depth == DEEPEST {
            return self.fault("nothing that is nested deeper");
        }
        self.at += 1;
        self.space();
        if self.peek() == Some(closing) {
            self.at += 1;
            return Ok(());
        }
        loop {
            entry(self)?;
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(found) if found == closing => {
                    self.at += 1;
                    return Ok(());
                }
                _ => return self.fault("a comma or the closing bracket"),
            }
        }
    }

    fn colon(&mut self) -> Result<(), JsonFault> {
        self.space();
        if self.takes(":") { Ok(()) } else { self.fault("a colon") }
    }

    /// A number or a word such as `true`.
    fn word(&mut self) -> Result<JsonValue, JsonFault> {
        let words = [
            ("null", JsonValue::Null),
            ("true", JsonValue::Bool(true)),
            ("false", JsonValue::Bool(false)),
            ("NaN", JsonValue::Float(f64::NAN)),
            ("Infinity", JsonValue::Float(f64::INFINITY)),
            ("-Infinity", JsonValue::Float(f64::NEG_INFINITY)),
        ];
        for (word, value) in words {
            if self.takes(word) {
                return Ok(value);
            }
        }
        self.number()
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        self.at - start
    }

    fn number(&mut self) -> Result<JsonValue, JsonFault> {
        let start = self.at;
        self.takes("-");
        let leading_zero = self.peek() == Some(b'0');
        match self.digits() {
            0 => return self.fault("a value"),
            1 => {}
            _ if leading_zero => return self.fault("a number without a leading 0"),
            _ => {}
        }
        let mut whole = true;
        if self.takes(".") {
            whole = false;
            if self.digits() == 0 {
                return self.fault("a digit");
            }
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            whole = false;
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            if self.digits() == 0 {
                return self.fault("a digit");
            }
        }
        let text = &self.text[start..self.at];
        match (whole, text.parse()) {
            (true, Ok(whole)) => Ok(JsonValue::Int(whole)),
            (true, Err(_)) => Ok(JsonValue::Verbatim(RawJson::from_text(text))),
            // Digits with a point or an exponent are a float to `parse` as well; what is too large for one is infinite.
            (false, _) => Ok(JsonValue::Float(text.parse().unwrap_or(f64::NAN))),
        }
    }

    /// To the end of a string; whether there is an escape in it.
    fn skip_string(&mut self) -> Result<bool, JsonFault> {
        self.space();
        if !self.takes("\"") {
            return self.fault("a string");
        }
        let mut escaped = false;
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(escaped);
                }
                Some(b'\\') => {
                    escaped = true;
                    self.at += 1;
                    match self.peek() {
                        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 1,
                        Some(b'u') => {
                            self.at += 1;
                            let digits = self.text.as_bytes().get(self.at..self.at + 4);
                            if !digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) {
                                return self.fault("four hexadecimal digits");
                            }
                            self.at += 4;
                        }
                        _ => return self.fault("one of \"\\/bfnrtu"),
                    }
                }
                Some(0..0x20) => return self.fault("an escape instead of a control character"),
                Some(_) => self.at += 1,
                None => return self.fault("the end of a string"),
            }
        }
    }

    fn string(&mut self) -> Result<JsonValue, JsonFault> {
        self.space();
        let start = self.at;
        let escaped = self.skip_string()?;
        let inside = &self.text[start + 1..self.at - 1];
        if !escaped {
            return Ok(JsonValue::Text(inside.to_owned()));
        }
        match unescape(inside) {
            Some(text) => Ok(JsonValue::Text(text)),
            None => Ok(JsonValue::Verbatim(RawJson::from_text(&self.text[start..self.at]))),
        }
    }
}

/// What a string with valid escapes says; `None` if there is half of a surrogate pair in it.
fn unescape(inside: &str) -> Option<String> {
    let mut units: Vec<u16> = Vec::with_capacity(inside.len());
    let mut characters = inside.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            units.extend_from_slice(character.encode_utf16(&mut [0; 2]));
            continue;
        }
        units.push(match characters.next()? {
            'b' => 8,
            'f' => 12,
            'n' => 10,
            'r' => 13,
            't' => 9,
            'u' => {
                let (digits, rest) = characters.as_str().split_at_checked(4)?;
                characters = rest.chars();
                u16::from_str_radix(digits, 16).ok()?
            }
            other => other as u16,
        });
    }
    String::from_utf16(&units).ok()
}
