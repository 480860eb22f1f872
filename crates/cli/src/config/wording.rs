//! What was expected, what was found instead, and what to write, in words.

use serde_json::Value as Json;

use super::scalar::{self, Plain};
use super::schema::{Section, Shape};
use super::suggest;
use super::tree::{Content, Node, Scalar};

/// `a whole number or a list`; ``one of `huber`, `mse` ``.
pub(crate) fn expected(shapes: &[Shape<'_>]) -> String {
    let words = words(shapes);
    let mut parts: Vec<String> = match &words[..] {
        [] => Vec::new(),
        [word] => vec![format!("`{word}`")],
        words => vec![format!(
            "one of {}",
            words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
        )],
    };
    for shape in shapes {
        let part = match shape {
            Shape::Word(_) | Shape::Null => continue,
            Shape::Text([]) => "text".into(),
            Shape::Text(examples) => examples_of(examples),
            Shape::Integer(_) => "a whole number".into(),
            Shape::Number => "a number".into(),
            Shape::Bool => "`true` or `false`".into(),
            Shape::List(_) => "a list".into(),
            Shape::Section(_) => "keys and values".into(),
            Shape::Any => "a value".into(),
        };
        if !parts.contains(&part) {
            parts.push(part);
        }
    }
    parts.join(" or ")
}

fn examples_of(examples: &[Json]) -> String {
    let examples: Vec<_> =
        examples.iter().filter_map(Json::as_str).map(|example| format!("`{example}`")).collect();
    format!("text such as {}", examples.join(", "))
}

fn words<'a>(shapes: &[Shape<'a>]) -> Vec<&'a str> {
    shapes.iter().filter_map(|shape| if let Shape::Word(word) = shape { Some(*word) } else { None }).collect()
}

fn keys<'a>(shapes: &[Shape<'a>]) -> impl Iterator<Item = &'a str> {
    let sections = shapes
        .iter()
        .filter_map(|shape| if let Shape::Section(section) = shape { Some(*section) } else { None });
    sections.flat_map(Section::keys)
}

/// What to write where nothing is.
pub(crate) fn instead_of_nothing(shapes: &[Shape<'_>]) -> &'static str {
    let has = |test: fn(&Shape<'_>) -> bool| shapes.iter().any(test);
    match (has(|shape| matches!(shape, Shape::Section(_))), has(|shape| matches!(shape, Shape::Null))) {
        (true, true) => "write {} for the defaults, or null for none",
        (true, false) => "write {} for the defaults, or leave the key out",
        (false, true) => "write null for none, or leave the key out",
        (false, false) => "leave the key out for its default",
    }
}

/// What stands there.
pub(crate) fn found(node: &Node) -> String {
    match &node.content {
        Content::List(_) => "a list".into(),
        Content::Map(_) => "keys and values".into(),
        Content::Scalar(scalar) if scalar.plain => format!("`{}`", scalar.text),
        Content::Scalar(scalar) => format!("the text {:?}", scalar.text),
    }
}

/// What to write instead, where that can be told.
pub(crate) fn write_instead(shapes: &[Shape<'_>], node: &Node) -> Option<String> {
    let scalar = match &node.content {
        Content::Scalar(scalar) => scalar,
        Content::List(items) => return one_of_one(shapes, items),
        Content::Map(_) => return None,
    };
    if let Some(word) = suggest::nearest(&scalar.text, words(shapes)) {
        return Some(format!("did you mean `{word}`?"));
    }
    let wants = |test: fn(&Shape<'_>) -> bool| shapes.iter().any(test);
    if wants(|shape| matches!(shape, Shape::List(_))) {
        return Some(format!("write [{}]", scalar.text));
    }
    if wants(|shape| matches!(shape, Shape::Bool)) {
        return boolean(scalar);
    }
    let has_kind =
        wants(|shape| matches!(shape, Shape::Section(section) if section.keys().any(|key| key == "kind")));
    // Where kinds may stand alone too, a word that is none of them is none in a section either.
    if has_kind && words(shapes).is_empty() {
        return Some(format!("write {{kind: {}}}", scalar.text));
    }
    if keys(shapes).any(|key| key == scalar.text) {
        return Some(format!("write {{{}: {{…}}}} with its values", scalar.text));
    }
    let whole = wants(|shape| matches!(shape, Shape::Integer(_)));
    (whole || wants(|shape| matches!(shape, Shape::Number))).then(|| number(scalar, whole))?
}

fn one_of_one(shapes: &[Shape<'_>], items: &[Node]) -> Option<String> {
    let [Node { content: Content::Scalar(only), .. }] = items else { return None };
    let takes_scalar =
        shapes.iter().any(|shape| !matches!(shape, Shape::List(_) | Shape::Section(_) | Shape::Null));
    takes_scalar.then(|| format!("write {} without brackets", only.text))
}

fn boolean(scalar: &Scalar) -> Option<String> {
    let word = match scalar.text.to_ascii_lowercase().as_str() {
        "yes" | "on" | "y" | "1" | "true" => "true",
        "no" | "off" | "n" | "0" | "false" => "false",
        _ => return None,
    };
    Some(format!("write {word}"))
}

/// The number in `0050`, `1_000`, `0,7`, `"50"` or `1e3`, if the key takes it.
fn number(scalar: &Scalar, whole: bool) -> Option<String> {
    let digits = scalar.text.trim().replace('_', "").replace(',', ".");
    let significant = digits.trim_start_matches('0');
    let candidate = if significant.starts_with(|c: char| c.is_ascii_digit()) { significant } else { &digits };
    match scalar::resolve(candidate) {
        Plain::Integer(number) => Some(format!("write {number}")),
        Plain::Float(number) if !whole => Some(format!("write {number}")),
        Plain::Float(number) if number.fract() == 0.0 && number.abs() < 1e15 => {
            Some(format!("write {number}"))
        }
        _ => None,
    }
}
