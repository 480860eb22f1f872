//! The layers of a configuration, lowest first, and who has the last word on each value.

use figment::Figment;
use figment::value::{Dict, Value};

use super::fault::{Fault, Origin};
use super::key_path::KeyPath;
use super::layer::Layer;
use super::run::RunConfig;
use super::schema::Schema;
use super::show;
use super::tree::{Content, Node};

/// The key of the section whose default is a choice, not a set of values: see [`Layers::seed_tasks`].
const TASKS: &str = "tasks";

/// Layers, lowest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layers(Vec<Layer>);

impl Layers {
    /// Puts `layer` on top. Where it meets sections below, they are merged key by key.
    pub(crate) fn merge(&mut self, layer: Layer) {
        self.0.push(layer);
    }

    /// Puts `layer` on top, where it is all there is at `path`: what lower layers say there is forgotten.
    pub(crate) fn replace(&mut self, path: &KeyPath, layer: Layer) {
        for lower in &mut self.0 {
            lower.tree.remove(path);
        }
        self.0.push(layer);
    }

    /// Takes out of every layer the keys of the section at `path` that are not among `known`.
    pub(crate) fn keep_only(&mut self, path: &KeyPath, known: &[&str]) {
        for layer in &mut self.0 {
            let keys = layer.tree.keys(path);
            for key in keys.iter().filter(|key| !known.contains(&key.as_str())) {
                layer.tree.remove(&path.join(key));
            }
        }
    }

    /// Puts the value that a search tries on top. If it chooses the kind of a section, the keys that this kind does not have
    /// are forgotten.
    pub(crate) fn try_value(&mut self, path: &KeyPath, layer: Layer, schema: Schema<'_>) {
        let chosen = layer.tree.find(path).and_then(|(_, node)| match &node.content {
            Content::Scalar(scalar) => Some(scalar.text.clone()),
            _ => None,
        });
        let section = path.parent();
        let tagged = schema.sections_at(&section).into_iter().find(|section| {
            section
                .tag()
                .is_some_and(|(tag, word)| path.last_key() == Some(tag) && chosen.as_deref() == Some(word))
        });
        if let Some(tagged) = tagged {
            self.keep_only(&section, &tagged.keys().collect::<Vec<_>>());
        }
        self.replace(path, layer);
    }

    /// Spells the default tasks out, unless a layer lists tasks already.
    ///
    /// A `tasks:` section holds the tasks it lists and no others, so defaults must not be merged below a file's. Variables
    /// and flags, which come after this, then change one number of a default task and leave the other tasks alone.
    pub(crate) fn seed_tasks(&mut self) -> Result<(), Vec<Fault>> {
        let path = KeyPath::root().join(TASKS);
        if self.0.iter().all(|layer| layer.tree.find(&path).is_none()) {
            let text = show::yaml(&RunConfig::default().tasks);
            self.0.push(Layer::defaults(TASKS, &text)?);
        }
        Ok(())
    }

    /// All layers in one, scalars still unread.
    pub(crate) fn merged(&self) -> Result<Value, Box<figment::Error>> {
        let figment = self.0.iter().fold(Figment::new(), |figment, layer| figment.merge(layer));
        figment.extract::<Dict>().map(Value::from).map_err(Box::new)
    }

    /// The node that has the last word at `path`.
    pub(crate) fn find(&self, path: &KeyPath) -> Option<&Node> {
        self.0.iter().rev().find_map(|layer| layer.tree.find(path)).map(|(_, node)| node)
    }

    /// Where the value at `path` comes from.
    pub(crate) fn origin(&self, path: &KeyPath) -> Option<Origin> {
        self.0.iter().rev().find_map(|layer| layer.locate(path))
    }

    /// Where the key at `path` comes from.
    pub(crate) fn origin_of_key(&self, path: &KeyPath) -> Option<Origin> {
        self.0.iter().rev().find_map(|layer| layer.locate_key(path))
    }

    /// Where the innermost section around `path` that somebody gave comes from.
    pub(crate) fn nearest_origin(&self, path: &KeyPath) -> Option<Origin> {
        let mut path = path.clone();
        while !path.is_root() {
            if let Some(origin) = self.origin(&path) {
                return Some(origin);
            }
            path = path.parent();
        }
        None
    }
}
