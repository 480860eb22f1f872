//! Gives every scalar the type that the schema wants for it, and names what is not in the schema.
//!
//! What is at fault is left out of the result, so that the rest can still be read and checked.

use figment::value::{Dict, Empty, Value};
use serde_json::Value as Json;

use super::fault::{Fault, Origin};
use super::key_path::{KeyPath, Step};
use super::layers::Layers;
use super::scalar::Plain;
use super::schema::{Schema, Section, Shape};
use super::suggest;
use super::tree::{Content, Scalar};
use super::wording::{expected, found, instead_of_nothing, write_instead};

/// Types `merged`, the layers in one, by `schema`.
pub(crate) fn read(layers: &Layers, merged: &Value, schema: Schema<'_>) -> Typed {
    let mut reader = Reader { layers, schema, faults: Vec::new(), left_out: Vec::new() };
    let value = reader.value(schema, merged, &KeyPath::root()).unwrap_or_else(|| Dict::new().into());
    Typed { value, faults: reader.faults, left_out: reader.left_out }
}

/// Typed values, and what is not among them.
pub(crate) struct Typed {
    pub(crate) value: Value,
    pub(crate) faults: Vec<Fault>,
    /// Items that were left out of their lists, so that the indices of those behind them have moved.
    pub(crate) left_out: Vec<KeyPath>,
}

struct Reader<'a> {
    layers: &'a Layers,
    schema: Schema<'a>,
    faults: Vec<Fault>,
    left_out: Vec<KeyPath>,
}

impl<'a> Reader<'a> {
    fn value(&mut self, schema: Schema<'a>, merged: &Value, path: &KeyPath) -> Option<Value> {
        let shapes = schema.shapes();
        if let [Shape::Any] = shapes[..] {
            return self.any(merged, path);
        }
        match merged {
            Value::Dict(_, entries) => match self.choose_section(&shapes, schema.default(), entries, path) {
                Some(section) => self.section(section, &shapes, schema.default(), entries, path),
                None => self.mismatch(&shapes, path),
            },
            Value::Array(_, items) => {
                match shapes
                    .iter()
                    .find_map(|shape| if let Shape::List(of) = shape { Some(*of) } else { None })
                {
                    Some(of) => Some(self.list(of, items, path)),
                    None => self.mismatch(&shapes, path),
                }
            }
            _ => self.scalar(&shapes, path),
        }
    }

    /// A value that no schema types: scalars are what YAML says they are.
    fn any(&mut self, merged: &Value, path: &KeyPath) -> Option<Value> {
        match merged {
            Value::Dict(_, entries) => {
                let mut read = Dict::new();
                for (key, value) in entries {
                    read.insert(key.clone(), self.any(value, &path.join(key))?);
                }
                Some(read.into())
            }
            Value::Array(_, items) => {
                let items = items.iter().enumerate();
                let read = items.map(|(index, item)| self.any(item, &path.then(Step::Index(index))));
                Some(read.collect::<Option<Vec<_>>>()?.into())
            }
            _ => self.any_scalar(path),
        }
    }

    fn any_scalar(&mut self, path: &KeyPath) -> Option<Value> {
        let Some(Content::Scalar(scalar)) = self.layers.find(path).map(|node| &node.content) else {
            return None;
        };
        match scalar.resolve() {
            Plain::Null => return Some(Value::from(Empty::None)),
            Plain::Bool(value) => return Some(value.into()),
            Plain::Float(value) => return Some(value.into()),
            Plain::Text => return Some(scalar.text.clone().into()),
            Plain::Integer(value) => match integer(value, None) {
                Ok(value) => return Some(value),
                Err(message) => self.fault(path.clone(), message, None),
            },
            Plain::Blank => self.fault(path.clone(), "nothing is given here".into(), None),
            Plain::NotFinite => {
                let message = format!("expected a finite number, found `{}`", scalar.text);
                self.fault(path.clone(), message, None);
            }
        }
        None
    }

    fn list(&mut self, of: Schema<'a>, items: &[Value], path: &KeyPath) -> Value {
        let mut typed = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let below = path.then(Step::Index(index));
            match self.value(of, item, &below) {
                Some(item) => typed.push(item),
                None => self.left_out.push(below),
            }
        }
        typed.into()
    }

    /// The entries of a section; `None` where it says nothing for want of a key that it needs. `shapes` has it and those
    /// that could stand in its place.
    fn section(
        &mut self,
        section: Section<'a>,
        shapes: &[Shape<'a>],
        default: Option<&Json>,
        entries: &Dict,
        path: &KeyPath,
    ) -> Option<Value> {
        let mut typed = Dict::new();
        for (key, value) in entries {
            let below = path.join(key);
            match section.value(key) {
                Some(_) if section.tag().is_some_and(|(tag, _)| tag == key) => {
                    if let Some(word) = self.scalar(&words_at(shapes, key), &below) {
                        typed.insert(key.clone(), word);
                    }
                }
                Some(schema) => {
                    if let Some(value) = self.value(schema, value, &below) {
                        typed.insert(key.clone(), value);
                    }
                }
                None => self.unknown_key(section, shapes, key, below),
            }
        }
        for key in section.required().filter(|key| !entries.contains_key(*key)) {
            match default.and_then(|default| default.get(key)).and_then(Json::as_str) {
                Some(word) => {
                    typed.insert(key.to_owned(), word.into());
                }
                None => self.fault(path.clone(), format!("`{key}` is missing"), None),
            }
        }
        section.required().all(|key| typed.contains_key(key)).then(|| typed.into())
    }

    /// Of several kinds of section the one that the entries mean: by its tag, given or default, else the first that has most
    /// of their keys.
    fn choose_section(
        &self,
        shapes: &[Shape<'a>],
        default: Option<&Json>,
        entries: &Dict,
        path: &KeyPath,
    ) -> Option<Section<'a>> {
        let tagged = sections(shapes).find(|section| {
            section.tag().is_some_and(|(key, word)| {
                match self.layers.find(&path.join(key)).map(|node| &node.content) {
                    Some(Content::Scalar(scalar)) => scalar.text == word,
                    Some(_) => false,
                    None => default.and_then(|default| default.get(key)).and_then(Json::as_str) == Some(word),
                }
            })
        });
        let strange = |section: &Section<'a>| {
            let known = section.keys().filter(|key| entries.contains_key(*key)).count();
            entries.len() - known
        };
        tagged.or_else(|| sections(shapes).min_by_key(strange))
    }

    fn scalar(&mut self, shapes: &[Shape<'a>], path: &KeyPath) -> Option<Value> {
        let Some(Content::Scalar(scalar)) = self.layers.find(path).map(|node| &node.content) else {
            return self.mismatch(shapes, path);
        };
        let plain = scalar.resolve();
        if plain == Plain::Blank {
            self.fault(path.clone(), "nothing is given here".into(), Some(instead_of_nothing(shapes).into()));
            return None;
        }
        match shapes.iter().find_map(|shape| accept(*shape, scalar, plain)) {
            Some(Ok(value)) => Some(value),
            Some(Err(message)) => {
                self.fault(path.clone(), message, None);
                None
            }
            None => self.mismatch(shapes, path),
        }
    }

    fn mismatch(&mut self, shapes: &[Shape<'a>], path: &KeyPath) -> Option<Value> {
        if let Some(node) = self.layers.find(path) {
            let message = format!("expected {}, found {}", expected(shapes), found(node));
            self.fault(path.clone(), message, write_instead(shapes, node));
        }
        None
    }

    fn unknown_key(&mut self, section: Section<'a>, shapes: &[Shape<'a>], key: &str, path: KeyPath) {
        let origin = self.layers.origin_of_key(&path).unwrap_or(Origin::Default);
        if let Some((tag, word)) = section.tag()
            && let Some(help) = tags_with(shapes, key)
        {
            let message = format!("`{tag}: {word}` has no such key");
            let section = path.parent();
            let chosen_over = matches!(
                self.layers.origin(&section.join(tag)),
                Some(Origin::Flag { .. } | Origin::Environment { .. })
            );
            let instead = format!("; `--set '{section}={{{tag}: {word}}}'` replaces the whole section");
            let help = if chosen_over { help + &instead } else { help };
            self.faults.push(Fault { origin, path, message, help: Some(help) });
            return;
        }
        let help = self.meant_key(section, key, &path, &origin);
        self.faults.push(Fault { origin, path, message: "unknown key".into(), help });
    }

    /// A key of this section that is near, else the only one that is near elsewhere, else all keys of this section.
    fn meant_key(&self, section: Section<'a>, key: &str, path: &KeyPath, origin: &Origin) -> Option<String> {
        let everywhere = self.schema.key_paths();
        if matches!(origin, Origin::Environment { .. })
            && let Some(meant) = everywhere.iter().find(|meant| meant.joined("_") == path.joined("_"))
        {
            return Some(format!("did you mean TAPELINE_{}?", meant.joined("__").to_uppercase()));
        }
        if let Some(near) = suggest::nearest(key, section.keys()) {
            return Some(format!("did you mean `{near}`?"));
        }
        let near = suggest::nearest(key, everywhere.iter().filter_map(KeyPath::last_key));
        // A key of another kind of this very section is no hint.
        let is_hint = |other: &&KeyPath| near.is_some() && other.last_key() == near && *other != path;
        let elsewhere: Vec<_> = everywhere.iter().filter(is_hint).collect();
        if let [only] = elsewhere[..] {
            return Some(format!("did you mean `{only}`?"));
        }
        let keys: Vec<_> = section.keys().map(|key| format!("`{key}`")).collect();
        (!keys.is_empty()).then(|| format!("the keys here are {}", keys.join(", ")))
    }

    fn fault(&mut self, path: KeyPath, message: String, help: Option<String>) {
        let origin = self.layers.origin(&path).unwrap_or(Origin::Default);
        self.faults.push(Fault { origin, path, message, help });
    }
}

fn sections<'a>(shapes: &[Shape<'a>]) -> impl Iterator<Item = Section<'a>> {
    shapes.iter().filter_map(|shape| if let Shape::Section(section) = shape { Some(*section) } else { None })
}

/// What the value at `key` may be in any of the sections.
fn words_at<'a>(shapes: &[Shape<'a>], key: &str) -> Vec<Shape<'a>> {
    sections(shapes).filter_map(|section| section.value(key)).flat_map(Schema::shapes).collect()
}

/// Those of the sections that have `key`, in words: ``only `kind: lstm` and `kind: hybrid` have it``.
fn tags_with(shapes: &[Shape<'_>], key: &str) -> Option<String> {
    let owners: Vec<_> = sections(shapes)
        .filter(|section| section.value(key).is_some())
        .filter_map(Section::tag)
        .map(|(tag, word)| format!("`{tag}: {word}`"))
        .collect();
    match &owners[..] {
        [] => None,
        [only] => Some(format!("only {only} has it")),
        owners => Some(format!("only {} have it", owners.join(" and "))),
    }
}

/// The scalar as this shape; `None` where it is of another shape, a message where it is of this one and out of range.
fn accept(shape: Shape<'_>, scalar: &Scalar, plain: Plain) -> Option<Result<Value, String>> {
    Some(match (shape, plain) {
        (Shape::Null, Plain::Null) => Ok(Value::from(Empty::None)),
        (Shape::Word(word), _) if word == scalar.text => Ok(word.into()),
        (Shape::Bool, Plain::Bool(value)) => Ok(value.into()),
        (Shape::Integer(minimum), Plain::Integer(value)) => integer(value, minimum),
        (Shape::Number, Plain::Integer(value)) => Ok((value as f64).into()),
        (Shape::Number, Plain::Float(value)) => Ok(value.into()),
        (Shape::Integer(_) | Shape::Number, Plain::NotFinite) => {
            Err(format!("expected a finite number, found `{}`", scalar.text))
        }
        (Shape::Text(_), plain) if plain != Plain::Null => Ok(scalar.text.clone().into()),
        _ => return None,
    })
}

fn integer(value: i128, minimum: Option<i128>) -> Result<Value, String> {
    if let Some(minimum) = minimum.filter(|minimum| value < *minimum) {
        return Err(format!("expected a whole number of at least {minimum}, found {value}"));
    }
    let small = u64::try_from(value).map(Value::from).or_else(|_| i64::try_from(value).map(Value::from));
    small.map_err(|_| format!("{value} is more than 64 bits hold"))
}
