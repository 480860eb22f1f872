//! Where aliases point, and every move they have made: `aliases.json`.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::entry::{Signature, check_layout};
use super::{RegistryError, read_if_there};
use crate::verified_folder::replace_file;

/// The layout of `aliases.json` that this release writes and reads.
const ALIASES_LAYOUT: u32 = 1;

/// The aliases of a model. Moves are only ever added to; the present follows from them, and stands beside them for whoever
/// reads the file with other tools.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Aliases {
    layout: u32,
    aliases: BTreeMap<String, u32>,
    history: Vec<AliasChange>,
}

/// One move of an alias.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AliasChange {
    /// Which alias.
    pub alias: String,
    /// The version it pointed to; `None` for its first.
    pub from: Option<u32>,
    /// The version it points to since.
    pub to: u32,
    /// What moved it.
    pub command: AliasCommand,
    /// Who did, and when.
    pub signature: Signature,
    /// What was overridden, if something was.
    pub forced: Option<Forced>,
}

/// What moves an alias.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AliasCommand {
    /// To a version that somebody chose.
    Promote,
    /// Back to where it pointed before its last promotion that still stands.
    Rollback,
}

/// A promotion in spite of something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Forced {
    /// Why it was done all the same.
    pub reason: String,
    /// What stood in the way.
    pub obstacles: Vec<String>,
}

impl Default for Aliases {
    fn default() -> Self {
        Self { layout: ALIASES_LAYOUT, aliases: BTreeMap::new(), history: Vec::new() }
    }
}

impl Aliases {
    /// The version that `alias` points to.
    #[must_use]
    pub fn get(&self, alias: &str) -> Option<u32> {
        self.aliases.get(alias).copied()
    }

    /// The aliases, in the order of their names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.aliases.keys().map(String::as_str)
    }

    /// The aliases that point to `version`.
    pub fn of(&self, version: u32) -> impl Iterator<Item = &str> {
        self.aliases.iter().filter(move |(_, to)| **to == version).map(|(alias, _)| alias.as_str())
    }

    /// Every move, oldest first.
    #[must_use]
    pub fn history(&self) -> &[AliasChange] {
        &self.history
    }

    /// Where a rollback of `alias` leads: to the version before the last promotion that no rollback has taken back. Two
    /// rollbacks go back by two promotions.
    #[must_use]
    pub fn before(&self, alias: &str) -> Option<u32> {
        let mut standing = Vec::new();
        for change in self.history.iter().filter(|change| change.alias == alias) {
            match change.command {
                AliasCommand::Promote => standing.push(change.to),
                AliasCommand::Rollback => drop(standing.pop()),
            }
        }
        standing.pop();
        standing.pop()
    }

    /// Adds a move.
    pub(super) fn push(&mut self, change: AliasChange) {
        self.aliases.insert(change.alias.clone(), change.to);
        self.history.push(change);
    }

    /// The file at `path`; without one there is no alias yet.
    pub(super) fn read(path: &Path) -> Result<Self, RegistryError> {
        let Some(bytes) = read_if_there(path)? else { return Ok(Self::default()) };
        check_layout(&bytes, path, ALIASES_LAYOUT)?;
        let parse = |source| RegistryError::Parse { path: path.into(), source };
        let aliases: Self = serde_json::from_slice(&bytes).map_err(parse)?;
        match aliases.contradiction() {
            None => Ok(aliases),
            Some(problem) => Err(RegistryError::Aliases { path: path.into(), problem }),
        }
    }

    /// Replaces the file at `path`.
    pub(super) fn write(&self, path: &Path) -> Result<(), RegistryError> {
        let parse = |source| RegistryError::Parse { path: path.into(), source };
        let bytes = serde_json::to_vec_pretty(self).map_err(parse)?;
        Ok(replace_file(path, &bytes)?)
    }

    /// Where the present is not what the moves lead to.
    fn contradiction(&self) -> Option<String> {
        let mut replayed = Self::default();
        for (number, change) in (1..).zip(&self.history) {
            let AliasChange { alias, from, to, command, .. } = change;
            if replayed.get(alias) != *from {
                return Some(format!("move {number} takes {alias} from where it was not"));
            }
            if *command == AliasCommand::Rollback && replayed.before(alias) != Some(*to) {
                return Some(format!("move {number} takes {alias} back to where it was not before"));
            }
            replayed.push(change.clone());
        }
        (replayed.aliases != self.aliases).then(|| {
            let differs = |alias: &&String| replayed.get(alias) != self.get(alias);
            let alias = self.aliases.keys().chain(replayed.aliases.keys()).find(differs);
            format!("{} does not point where its moves lead", alias.map_or("an alias", String::as_str))
        })
    }
}
