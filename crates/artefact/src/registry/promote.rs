//! Moving an alias: to a version that was proved, or back to where it was.

use super::alias::{AliasChange, AliasCommand, Forced};
use super::entry::Signature;
use super::lock::Lock;
use super::obstacle::obstacles;
use super::{ALIASES, Aliases, Registry, RegistryError, name};

/// What came of a promotion.
#[derive(Clone, Debug, PartialEq)]
pub enum Promotion {
    /// The alias has moved.
    Moved(AliasChange),
    /// It points there already; nothing was written.
    AlreadyThere,
}

impl Registry {
    /// Lets `alias` point to `version`, if the version is whole and nothing stands in its way. With a reason to force it,
    /// [obstacles](super::Obstacle) are recorded instead of obeyed; a damaged version is refused all the same.
    ///
    /// # Errors
    /// [`RegistryError::Refused`] with every obstacle; [`RegistryError::Unusable`] if the version is damaged.
    pub fn promote(
        &self,
        model: &str,
        version: u32,
        alias: &str,
        signature: &Signature,
        force: Option<&str>,
    ) -> Result<Promotion, RegistryError> {
        name::check_alias(alias)?;
        if force.is_some_and(|reason| reason.trim().is_empty()) {
            return Err(RegistryError::NoReason);
        }
        let entry = self.entry(model, version)?;
        let extractor = self.load(model, version)?;
        let unusable = |source: tapeline_data_pipeline::DataError| RegistryError::Unusable {
            model: model.into(),
            version,
            source: Box::new(source.into()),
        };
        let obstacles = obstacles(&entry.evidence, extractor.description()).map_err(unusable)?;
        let forced = match force {
            _ if obstacles.is_empty() => None,
            Some(reason) => Some(Forced {
                reason: reason.into(),
                obstacles: obstacles.iter().map(ToString::to_string).collect(),
            }),
            None => return Err(RegistryError::Refused { model: model.into(), version, obstacles }),
        };
        self.change(model, |aliases| {
            let from = aliases.get(alias);
            if from == Some(version) {
                return Ok(None);
            }
            let (alias, command) = (alias.into(), AliasCommand::Promote);
            Ok(Some(AliasChange { alias, from, to: version, command, signature: signature.clone(), forced }))
        })
        .map(|change| change.map_or(Promotion::AlreadyThere, Promotion::Moved))
    }

    /// Lets `alias` point again to the version before its last promotion that still stands. The version must be whole; what
    /// stood in its way was settled when it was promoted.
    ///
    /// # Errors
    /// [`RegistryError::NoAlias`] or [`RegistryError::NothingBefore`]; [`RegistryError::Unusable`] or
    /// [`RegistryError::NoVersion`] if the version before is damaged or gone.
    pub fn rollback(
        &self,
        model: &str,
        alias: &str,
        signature: &Signature,
    ) -> Result<AliasChange, RegistryError> {
        let from = self.version_of_alias(model, alias)?;
        let nothing =
            || RegistryError::NothingBefore { model: model.into(), alias: alias.into(), version: from };
        let change = self.change(model, |aliases| {
            let to = aliases.before(alias).ok_or_else(nothing)?;
            self.load(model, to)?;
            Ok(Some(AliasChange {
                alias: alias.into(),
                from: aliases.get(alias),
                to,
                command: AliasCommand::Rollback,
                signature: signature.clone(),
                forced: None,
            }))
        })?;
        change.ok_or_else(nothing)
    }

    fn version_of_alias(&self, model: &str, alias: &str) -> Result<u32, RegistryError> {
        name::check_alias(alias)?;
        self.version(model, alias)
    }

    /// Adds the move that `decide` makes of the aliases as they are now; nobody else moves one in between.
    fn change(
        &self,
        model: &str,
        decide: impl FnOnce(&Aliases) -> Result<Option<AliasChange>, RegistryError>,
    ) -> Result<Option<AliasChange>, RegistryError> {
        self.check_model(model)?;
        let folder = self.model_folder(model);
        let _lock = Lock::take(&folder)?;
        let path = folder.join(ALIASES);
        let mut aliases = Aliases::read(&path)?;
        let change = decide(&aliases)?;
        if let Some(change) = &change {
            aliases.push(change.clone());
            aliases.write(&path)?;
        }
        Ok(change)
    }
}
