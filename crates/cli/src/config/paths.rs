//! `~` in the paths of a configuration. Relative paths stay as they are: they start from the current folder.

use std::path::{Path, PathBuf};

use super::fault::{Fault, Origin};
use super::key_path::KeyPath;
use super::layers::Layers;
use super::run::RunConfig;

/// Replaces a leading `~` by `home`; what cannot be replaced stays and is named.
pub(crate) fn expand_home(config: &mut RunConfig, home: Option<&Path>, layers: &Layers) -> Vec<Fault> {
    let mut faults = Vec::new();
    let source = config.data.source.path.as_mut().map(|path| ("data.source.path", path));
    let folders = [("output", &mut config.output), ("registry", &mut config.registry)];
    for (key, path) in folders.into_iter().chain(source) {
        match expanded(path, home) {
            Ok(expanded) => *path = expanded,
            Err(message) => {
                let key = KeyPath::parse(key);
                let origin = layers.origin(&key).unwrap_or(Origin::Default);
                faults.push(Fault { origin, path: key, message: message.into(), help: None });
            }
        }
    }
    faults
}

fn expanded(path: &Path, home: Option<&Path>) -> Result<PathBuf, &'static str> {
    if !path.to_string_lossy().starts_with('~') {
        return Ok(path.to_owned());
    }
    let below = path.strip_prefix("~").map_err(|_| "only ~/ is understood, not the homes of other users")?;
    home.map(|home| home.join(below)).ok_or("~ stands for HOME, which is not set")
}
