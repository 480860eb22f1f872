//! Reads the JSON Schema that is derived from [`RunConfig`](super::run::RunConfig), as far as our types use the language.

use serde_json::Value as Json;

use super::key_path::{KeyPath, Step};

/// Sections within sections that are looked through for keys; ours are less deep.
const DEEPEST: usize = 8;

/// A schema and the document that its references point into.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Schema<'a> {
    document: &'a Json,
    node: &'a Json,
}

/// One form that a value may have.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shape<'a> {
    /// Exactly this word.
    Word(&'a str),
    /// Any text; the examples say of what kind.
    Text(&'a [Json]),
    /// A whole number, not below the limit.
    Integer(Option<i128>),
    Number,
    Bool,
    Null,
    /// A list of values of one schema.
    List(Schema<'a>),
    Section(Section<'a>),
    /// Whatever YAML can say, which reads itself.
    Any,
}

/// Keys and values.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Section<'a> {
    document: &'a Json,
    node: &'a Json,
}

impl<'a> Schema<'a> {
    pub(crate) const fn of(document: &'a Json) -> Self {
        Self { document, node: document }
    }

    /// The value that stands where none is given, if the schema names it.
    pub(crate) fn default(self) -> Option<&'a Json> {
        self.node.get("default")
    }

    /// Every form a value may have, alternatives in the order they are declared in.
    pub(crate) fn shapes(self) -> Vec<Shape<'a>> {
        if let Some(target) = self.node.get("$ref").and_then(Json::as_str) {
            let pointer = target.trim_start_matches('#');
            return self.document.pointer(pointer).map(|node| self.at(node).shapes()).unwrap_or_default();
        }
        if let Some(alternatives) = ["anyOf", "oneOf"].iter().find_map(|key| self.node.get(key)?.as_array()) {
            return alternatives.iter().flat_map(|node| self.at(node).shapes()).collect();
        }
        if let Some(word) = self.node.get("const").and_then(Json::as_str) {
            return vec![Shape::Word(word)];
        }
        if let Some(words) = self.node.get("enum").and_then(Json::as_array) {
            return words.iter().filter_map(Json::as_str).map(Shape::Word).collect();
        }
        match self.node.get("type") {
            Some(Json::String(kind)) => self.typed(kind).into_iter().collect(),
            Some(Json::Array(kinds)) => {
                kinds.iter().filter_map(Json::as_str).filter_map(|kind| self.typed(kind)).collect()
            }
            _ => vec![Shape::Any],
        }
    }

    fn typed(self, kind: &str) -> Option<Shape<'a>> {
        Some(match kind {
            "string" => {
                Shape::Text(self.node.get("examples").and_then(Json::as_array).map_or(&[], Vec::as_slice))
            }
            "integer" => Shape::Integer(self.node.get("minimum").and_then(Json::as_i64).map(i128::from)),
            "number" => Shape::Number,
            "boolean" => Shape::Bool,
            "null" => Shape::Null,
            "array" => Shape::List(self.at(self.node.get("items")?)),
            "object" => Shape::Section(Section { document: self.document, node: self.node }),
            _ => return None,
        })
    }

    const fn at(self, node: &'a Json) -> Self {
        Self { document: self.document, node }
    }

    /// The paths of all keys below this schema that are named in it, each once.
    pub(crate) fn key_paths(self) -> Vec<KeyPath> {
        let mut paths = Vec::new();
        self.push_key_paths(&KeyPath::root(), &mut paths);
        paths
    }

    fn push_key_paths(self, path: &KeyPath, paths: &mut Vec<KeyPath>) {
        // A section that can hold another of its kind has no end.
        if path.steps().len() >= DEEPEST {
            return;
        }
        for shape in self.shapes() {
            let Shape::Section(section) = shape else { continue };
            for key in section.keys() {
                let path = path.join(key);
                if let Some(schema) = section.value(key) {
                    schema.push_key_paths(&path, paths);
                }
                // Kinds of one section share keys.
                if !paths.contains(&path) {
                    paths.push(path);
                }
            }
        }
    }
}

impl<'a> Schema<'a> {
    /// The sections that can stand at `path`.
    pub(crate) fn sections_at(self, path: &KeyPath) -> Vec<Section<'a>> {
        let mut schemas = vec![self];
        for step in path.steps() {
            let Step::Key(key) = step else { return Vec::new() };
            schemas =
                schemas.into_iter().flat_map(Self::own_sections).filter_map(|it| it.value(key)).collect();
        }
        schemas.into_iter().flat_map(Self::own_sections).collect()
    }

    fn own_sections(self) -> Vec<Section<'a>> {
        let section = |shape| if let Shape::Section(section) = shape { Some(section) } else { None };
        self.shapes().into_iter().filter_map(section).collect()
    }
}

impl<'a> Section<'a> {
    /// The keys that are named, in the order of their declaration; none for a map with keys of the user's choice.
    pub(crate) fn keys(self) -> impl Iterator<Item = &'a str> {
        self.node
            .get("properties")
            .and_then(Json::as_object)
            .into_iter()
            .flatten()
            .map(|(key, _)| key.as_str())
    }

    /// The schema of the value at `key`; `None` when there is no such key.
    pub(crate) fn value(self, key: &str) -> Option<Schema<'a>> {
        let named = self.node.get("properties").and_then(|properties| properties.get(key));
        let node =
            named.or_else(|| self.node.get("additionalProperties").filter(|schema| schema.is_object()))?;
        Some(Schema { document: self.document, node })
    }

    /// The keys without which the section says nothing.
    pub(crate) fn required(self) -> impl Iterator<Item = &'a str> {
        self.node.get("required").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str)
    }

    /// The key and word that tell this section from its alternatives, such as `kind: hybrid`.
    pub(crate) fn tag(self) -> Option<(&'a str, &'a str)> {
        self.required().find_map(|key| match self.value(key)?.shapes()[..] {
            [Shape::Word(word)] => Some((key, word)),
            _ => None,
        })
    }
}
