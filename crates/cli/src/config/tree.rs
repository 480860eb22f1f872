//! A configuration as it was written: scalars unread, every part with its place in the text.

use super::key_path::{KeyPath, Step};
use super::scalar::{self, Plain};

/// A place in a text. Lines and columns count from 1, columns and widths in characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mark {
    pub(crate) line: usize,
    pub(crate) column: usize,
    pub(crate) width: usize,
}

/// A value and where it starts.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    pub(crate) mark: Mark,
    pub(crate) content: Content,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Content {
    Scalar(Scalar),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// The text of a scalar and whether it stands without quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scalar {
    pub(crate) text: String,
    pub(crate) plain: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) mark: Mark,
    pub(crate) value: Node,
}

impl Scalar {
    /// What the scalar says; quotes make text of anything.
    pub(crate) fn resolve(&self) -> Plain {
        if self.plain { scalar::resolve(&self.text) } else { Plain::Text }
    }
}

impl Node {
    /// An empty section, which is what an empty text holds.
    pub(crate) const fn empty() -> Self {
        Self { mark: Mark { line: 1, column: 1, width: 1 }, content: Content::Map(Vec::new()) }
    }

    /// This node under the keys of `path`, as if the text had spelled them out.
    pub(crate) fn nested(self, path: &KeyPath) -> Self {
        path.steps().iter().rev().fold(self, |value, step| {
            let mark = value.mark;
            let content = match step {
                Step::Key(key) => Content::Map(vec![Entry { key: key.clone(), mark, value }]),
                Step::Index(_) => Content::List(vec![value]),
            };
            Self { mark, content }
        })
    }

    /// The node at `path` and the mark to show for it: its key's for a section, its own for anything else.
    pub(crate) fn find(&self, path: &KeyPath) -> Option<(Mark, &Self)> {
        path.steps().iter().try_fold((self.mark, self), |(_, node), step| match (&node.content, step) {
            (Content::List(items), Step::Index(index)) => items.get(*index).map(|item| (item.mark, item)),
            (Content::Map(entries), Step::Key(key)) => {
                let entry = entries.iter().find(|entry| entry.key == *key)?;
                let section = matches!(entry.value.content, Content::Map(_));
                Some((if section { entry.mark } else { entry.value.mark }, &entry.value))
            }
            _ => None,
        })
    }

    /// The mark of the key at `path`.
    pub(crate) fn find_key(&self, path: &KeyPath) -> Option<Mark> {
        let (_, section) = self.find(&path.parent())?;
        let Content::Map(entries) = &section.content else { return None };
        let key = path.last_key()?;
        entries.iter().find(|entry| entry.key == key).map(|entry| entry.mark)
    }

    /// The keys of the section at `path`; none where there is no section.
    pub(crate) fn keys(&self, path: &KeyPath) -> Vec<String> {
        match self.find(path).map(|(_, node)| &node.content) {
            Some(Content::Map(entries)) => entries.iter().map(|entry| entry.key.clone()).collect(),
            _ => Vec::new(),
        }
    }

    /// Takes the key at `path` out with its value, if it is there.
    pub(crate) fn remove(&mut self, path: &KeyPath) {
        self.remove_below(path.steps());
    }
    fn remove_below(&mut self, steps: &[Step]) {
        let (Content::Map(entries), [Step::Key(key), rest @ ..]) = (&mut self.content, steps) else { return };
        if rest.is_empty() {
            entries.retain(|entry| entry.key != *key);
        } else if let Some(entry) = entries.iter_mut().find(|entry| entry.key == *key) {
            entry.value.remove_below(rest);
        }
    }
}
