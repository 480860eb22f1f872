//! One source of values: defaults that stand in for a section, a file, a variable, a flag.

use figment::value::{Dict, Map, Value};
use figment::{Metadata, Profile, Provider};

use super::fault::{Fault, Origin};
use super::key_path::KeyPath;
use super::tree::{Content, Mark, Node};
use super::yaml;

/// What one source says, and where it says it.
#[derive(Clone, Debug)]
pub(crate) struct Layer {
    source: Source,
    pub(crate) tree: Node,
}

#[derive(Clone, Debug)]
enum Source {
    Default,
    File { name: String, text: String },
    Environment { variable: String },
    Flag { text: String },
    Searched { key: String },
}

impl Source {
    fn origin(&self, mark: Option<Mark>) -> Origin {
        match self {
            Self::Default => Origin::Default,
            Self::File { name, text } => Origin::File {
                name: name.clone(),
                at: mark.map(|mark| (mark, text.lines().nth(mark.line - 1).unwrap_or_default().into())),
            },
            Self::Environment { variable } => Origin::Environment { variable: variable.clone() },
            Self::Flag { text } => Origin::Flag { text: text.clone() },
            Self::Searched { key } => Origin::Searched { key: key.clone() },
        }
    }

    /// Parses `text`, which this source gave, and puts the faults where they belong.
    fn parse(&self, text: &str, path: &KeyPath) -> Result<Node, Vec<Fault>> {
        yaml::parse(text).map_err(|faults| {
            let fault = |fault: yaml::YamlFault| Fault {
                origin: self.origin(Some(fault.mark)),
                path: path.clone(),
                message: fault.message,
                help: None,
            };
            faults.into_iter().map(fault).collect()
        })
    }
}

impl Layer {
    /// `text` under the key `section`, as nobody's word.
    pub(crate) fn defaults(section: &str, text: &str) -> Result<Self, Vec<Fault>> {
        let (source, path) = (Source::Default, KeyPath::root().join(section));
        let tree = source.parse(text, &path)?.nested(&path);
        Ok(Self { source, tree })
    }

    /// The whole of a file.
    pub(crate) fn file(name: String, text: &str) -> Result<Self, Vec<Fault>> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text).to_owned();
        let source = Source::File { name, text: text.clone() };
        let tree = source.parse(&text, &KeyPath::root())?;
        if matches!(tree.content, Content::Map(_)) {
            return Ok(Self { source, tree });
        }
        let found = if matches!(tree.content, Content::List(_)) { "a list" } else { "a single value" };
        Err(vec![Fault {
            origin: source.origin(Some(tree.mark)),
            path: KeyPath::root(),
            message: format!("a configuration is keys and values, this is {found}"),
            help: Some("start with a key such as `training:`".into()),
        }])
    }

    /// The variable `variable`, which sets the value at `path`.
    pub(crate) fn environment(variable: String, path: &KeyPath, value: &str) -> Result<Self, Vec<Fault>> {
        Self::single(Source::Environment { variable }, path, value)
    }

    /// The flag `--set text`, which sets the value at `path`.
    pub(crate) fn flag(text: String, path: &KeyPath, value: &str) -> Result<Self, Vec<Fault>> {
        Self::single(Source::Flag { text }, path, value)
    }

    /// The value, as JSON, that a search tries at `key`.
    pub(crate) fn searched(key: &str, path: &KeyPath, value: &str) -> Result<Self, Vec<Fault>> {
        Self::single(Source::Searched { key: key.into() }, path, value)
    }

    fn single(source: Source, path: &KeyPath, value: &str) -> Result<Self, Vec<Fault>> {
        if value.trim().is_empty() {
            return Err(vec![Fault {
                origin: source.origin(None),
                path: path.clone(),
                message: "no value is given".into(),
                help: None,
            }]);
        }
        let tree = source.parse(value, path)?.nested(path);
        Ok(Self { source, tree })
    }

    /// The place of the value at `path`, if this layer has one.
    pub(crate) fn locate(&self, path: &KeyPath) -> Option<Origin> {
        self.tree.find(path).map(|(mark, _)| self.source.origin(Some(mark)))
    }

    /// The place of the key at `path`, if this layer has it.
    pub(crate) fn locate_key(&self, path: &KeyPath) -> Option<Origin> {
        self.tree.find_key(path).map(|mark| self.source.origin(Some(mark)))
    }
}

/// Scalars go to figment as they are written: what they mean is for the schema to say, after the layers are merged.
impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.source.origin(None).to_string())
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        let dict = raw(&self.tree).into_dict().unwrap_or_default();
        Ok(Profile::Default.collect(dict))
    }
}

fn raw(node: &Node) -> Value {
    match &node.content {
        Content::Scalar(scalar) => scalar.text.clone().into(),
        Content::List(items) => items.iter().map(raw).collect::<Vec<_>>().into(),
        Content::Map(entries) => {
            entries.iter().map(|entry| (entry.key.clone(), raw(&entry.value))).collect::<Dict>().into()
        }
    }
}
