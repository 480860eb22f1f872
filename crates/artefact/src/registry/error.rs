//! What can go wrong with a registry.

use std::path::PathBuf;

use super::Obstacle;
use crate::error::ArtefactError;
use crate::verified_folder::FolderError;

/// Why a registry could not be read or changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// There is no such folder.
    #[error("there is no registry at {}", root.display())]
    NoRegistry {
        /// Where it was looked for.
        root: PathBuf,
    },
    /// A name that cannot be one.
    #[error("{name:?} cannot be the name of a {what}: {problem}")]
    Name {
        /// `model` or `alias`.
        what: &'static str,
        /// The name.
        name: String,
        /// What is wrong with it.
        problem: String,
    },
    /// There is no such model.
    #[error("{} has no model {model:?}; {}", root.display(), list("it has", there_are))]
    NoModel {
        /// The registry.
        root: PathBuf,
        /// What was asked for.
        model: String,
        /// The models there are.
        there_are: Vec<String>,
    },
    /// There is no such version.
    #[error("{model} has no version {version}; {}", list("it has", there_are))]
    NoVersion {
        /// The model.
        model: String,
        /// What was asked for.
        version: u32,
        /// The versions there are.
        there_are: Vec<u32>,
    },
    /// There is no such alias.
    #[error("{model} has no alias {alias:?}; {}", list("it has", there_are))]
    NoAlias {
        /// The model.
        model: String,
        /// What was asked for.
        alias: String,
        /// The aliases there are.
        there_are: Vec<String>,
    },
    /// A version that is there cannot be used.
    #[error("version {version} of {model} cannot be used")]
    Unusable {
        /// The model.
        model: String,
        /// The version.
        version: u32,
        /// What is wrong with it.
        #[source]
        source: Box<ArtefactError>,
    },
    /// An artefact that is to be registered cannot be used.
    #[error("{} cannot be registered", folder.display())]
    Artefact {
        /// The artefact.
        folder: PathBuf,
        /// What is wrong with it.
        #[source]
        source: Box<ArtefactError>,
    },
    /// A version may not be what an alias stands for.
    #[error("version {version} of {model} is not promoted: {}", reasons(obstacles))]
    Refused {
        /// The model.
        model: String,
        /// The version.
        version: u32,
        /// Everything that stands in the way.
        obstacles: Vec<Obstacle>,
    },
    /// There is nothing to go back to.
    #[error(
        "{alias} of {model} has pointed to nothing before version {version}: there is nothing to go back to"
    )]
    NothingBefore {
        /// The model.
        model: String,
        /// The alias.
        alias: String,
        /// Where it points.
        version: u32,
    },
    /// A promotion is forced for no reason.
    #[error("a forced promotion needs a reason that those who come later can read")]
    NoReason,
    /// A file cannot be understood.
    #[error("{} cannot be understood", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// A file was written by a release with another layout.
    #[error("{} has layout {found}; this release reads layout {expected}", path.display())]
    Layout {
        /// The file.
        path: PathBuf,
        /// Its layout.
        found: u32,
        /// The layout that can be read.
        expected: u32,
    },
    /// A file of aliases contradicts its own history.
    #[error("{} is damaged: {problem}", path.display())]
    Aliases {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        problem: String,
    },
    /// The number that was given last cannot be read.
    #[error("{} should hold the highest version that was ever given and holds {found:?}", path.display())]
    LastVersion {
        /// The file.
        path: PathBuf,
        /// Its text.
        found: String,
    },
    /// The disk refused, or a copy is not what was copied.
    #[error("cannot use the registry's folder")]
    Folder(#[from] FolderError),
}

fn list<T: std::fmt::Display>(verb: &str, names: &[T]) -> String {
    if names.is_empty() {
        return format!("{verb} none");
    }
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    format!("{verb} {}", names.join(", "))
}

fn reasons(obstacles: &[Obstacle]) -> String {
    obstacles.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
