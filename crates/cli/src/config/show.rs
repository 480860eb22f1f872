//! A configuration as YAML, every default spelled out, with or without the source of each value beside it.

use serde::Serialize;
use serde_json::Value;

use super::key_path::KeyPath;
use super::scalar::{self, Plain};

/// Comments stand in one column, unless a line is longer than this.
const LAST_COMMENT_COLUMN: usize = 64;

/// YAML of `value`: sections as blocks, lists in brackets, keys in the order of their declaration.
pub(crate) fn yaml(value: &impl Serialize) -> String {
    rows(value).into_iter().map(|row| row.text + "\n").collect()
}

/// The same with a comment after each value.
pub(crate) fn yaml_with_comments(value: &impl Serialize, comment: impl Fn(&KeyPath) -> String) -> String {
    let rows = rows(value);
    let widths = rows.iter().filter(|row| row.holds_value).map(|row| row.text.chars().count());
    let column = widths.filter(|width| *width <= LAST_COMMENT_COLUMN).max().unwrap_or_default();
    let line = |row: &Row| match row.holds_value {
        true => format!("{:column$}  # {}\n", row.text, comment(&row.path)),
        false => format!("{}\n", row.text),
    };
    rows.iter().map(line).collect()
}

/// One line of a block.
struct Row {
    text: String,
    path: KeyPath,
    holds_value: bool,
}

fn rows(value: &impl Serialize) -> Vec<Row> {
    let mut rows = Vec::new();
    // What has no JSON form has no YAML form either, and no part of a configuration is like that.
    let value = serde_json::to_value(value).unwrap_or_default();
    push_rows(&mut rows, &value, &KeyPath::root());
    rows
}

fn push_rows(rows: &mut Vec<Row>, value: &Value, path: &KeyPath) {
    let Value::Object(section) = value else { return };
    let indent = "  ".repeat(path.steps().len());
    for (key, value) in section {
        let path = path.join(key);
        let key = scalar_text(key);
        match value {
            Value::Object(inner) if !inner.is_empty() => {
                rows.push(Row { text: format!("{indent}{key}:"), path: path.clone(), holds_value: false });
                push_rows(rows, value, &path);
            }
            _ => {
                let text = format!("{indent}{key}: {}", inline(value));
                rows.push(Row { text, path, holds_value: true });
            }
        }
    }
}

fn inline(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => scalar_text(text),
        Value::Array(items) => format!("[{}]", items.iter().map(inline).collect::<Vec<_>>().join(", ")),
        Value::Object(section) => {
            let entries =
                section.iter().map(|(key, value)| format!("{}: {}", scalar_text(key), inline(value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
    }
}

/// Text as a scalar: bare where every reader of YAML takes it for text, else in double quotes.
fn scalar_text(text: &str) -> String {
    const READ_AS_BOOL_BY_YAML_1_1: [&str; 6] = ["y", "n", "yes", "no", "on", "off"];
    let safe_characters = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_./-".contains(&byte));
    let safe_start =
        text.starts_with(|first: char| first.is_ascii_alphanumeric() || matches!(first, '/' | '_'));
    let reads_as_text = scalar::resolve(text) == Plain::Text
        && text.parse::<f64>().is_err()
        && !READ_AS_BOOL_BY_YAML_1_1.iter().any(|word| text.eq_ignore_ascii_case(word));
    if safe_characters && safe_start && reads_as_text { text.into() } else { quoted(text) }
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            c if c == ' ' || c.is_alphanumeric() || c.is_ascii_graphic() => quoted.push(c),
            c => quoted.push_str(&format!("\\U{:08x}", u32::from(c))),
        }
    }
    quoted.push('"');
    quoted
}
