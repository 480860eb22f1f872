//! Which libtorch: the order of precedence, and the file that remembers.

#[cfg(test)]
mod tests;

use std::fmt;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use super::Flavour;

/// What decides, in order of precedence.
pub(super) struct Circumstances {
    /// `--libtorch`
    pub(super) requested: Option<PathBuf>,
    /// `--cpu` or `--cuda`
    pub(super) flavour: Option<Flavour>,
    /// `LIBTORCH`, set by the user
    pub(super) environment: Option<PathBuf>,
    /// what was chosen last
    pub(super) written: Option<PathBuf>,
    /// an NVIDIA driver is loaded
    pub(super) driver: bool,
}

/// A decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    /// A folder that someone else made.
    Given { folder: PathBuf, origin: Origin },
    /// A folder of ours in the cache.
    Managed { flavour: Flavour, origin: Origin },
}

/// Why this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Flag,
    Environment,
    Written,
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Flag => "asked for on the command line",
            Self::Environment => "from LIBTORCH",
            Self::Written => "chosen before, see .cargo/libtorch.toml",
            Self::Default => "chosen for this machine",
        })
    }
}

impl Circumstances {
    /// A folder that is one of ours counts as ours, whoever names it: it may be mended.
    pub(super) fn choose(self, cache: &Path) -> Choice {
        let named =
            |folder: PathBuf, origin| match Flavour::ALL.into_iter().find(|f| f.folder(cache) == folder) {
                Some(flavour) => Choice::Managed { flavour, origin },
                None => Choice::Given { folder, origin },
            };
        if let Some(folder) = self.requested {
            named(folder, Origin::Flag)
        } else if let Some(flavour) = self.flavour {
            Choice::Managed { flavour, origin: Origin::Flag }
        } else if let Some(folder) = self.environment {
            named(folder, Origin::Environment)
        } else if let Some(folder) = self.written {
            named(folder, Origin::Written)
        } else {
            let flavour = if self.driver { Flavour::Cuda } else { Flavour::Cpu };
            Choice::Managed { flavour, origin: Origin::Default }
        }
    }
}

/// Absolute, without `.`, doubled and trailing slashes; links stay as they are.
pub(super) fn tidy_path(path: &Path) -> Result<PathBuf> {
    let absolute = std::path::absolute(path).with_context(|| format!("{} is not a path", path.display()))?;
    Ok(absolute.components().collect())
}

/// `.cargo/libtorch.toml`: git-ignored, included by `.cargo/config.toml`, read by every cargo and by the editor.
pub(super) struct ChoiceFile(PathBuf);

const HEADER: &str =
    "# Written by `cargo xtask`. Delete it, or run `cargo xtask libtorch`, to choose again.\n[env]\n";
const KEY: &str = "LIBTORCH";

impl ChoiceFile {
    /// That of the checkout in `root`.
    pub(super) fn of(root: &Path) -> Self {
        Self(root.join(".cargo").join("libtorch.toml"))
    }

    /// The folder it names, if there is such a file.
    pub(super) fn read(&self) -> Result<Option<PathBuf>> {
        let text = match fs::read_to_string(&self.0) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", self.0.display())),
        };
        let value = text.lines().find_map(|line| {
            let (key, value) = line.split_once('=')?;
            (key.trim() == KEY).then(|| unquote(value.trim())).flatten()
        });
        match value {
            Some(folder) => Ok(Some(folder.into())),
            None => bail!("{} names no LIBTORCH: delete it and try again", self.0.display()),
        }
    }

    /// Writes only what changes, so that its time changes only with its value. Says whether it wrote.
    pub(super) fn write(&self, folder: &Path) -> Result<bool> {
        if self.read().is_ok_and(|written| written.as_deref() == Some(folder)) {
            return Ok(false);
        }
        let Some(folder) = folder.to_str() else {
            bail!("{} is not UTF-8, which a cargo configuration has to be", folder.display());
        };
        let text = format!("{HEADER}{KEY} = {}\n", quote(folder));
        let new = self.0.with_extension(format!("toml.{}", std::process::id()));
        let context = || format!("cannot write {}", self.0.display());
        fs::write(&new, text).with_context(context)?;
        fs::rename(&new, &self.0).with_context(context)?;
        Ok(true)
    }
}

/// A TOML basic string.
fn quote(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// What [`quote`] wrote, or a TOML literal string.
fn unquote(text: &str) -> Option<String> {
    if let Some(literal) = text.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        return Some(literal.to_owned());
    }
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    let mut plain = String::with_capacity(inner.len());
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        plain.push(if character == '\\' { characters.next()? } else { character });
    }
    Some(plain)
}
