//! The layers of a configuration, lowest first, and who has the last word on each value.

use figment::Figment;
use figment::value::{Dict, Value};

use super::fault::{Fault, Origin};
use super::key_path::KeyPath;
use super::layer::Layer;
use super::run::RunConfig;
use super::show;
use super::tree::Node;

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
