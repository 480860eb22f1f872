//! A new version: numbered, copied, read back, and only then there.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::entry::{ENTRY_LAYOUT, Entry, Evidence, Signature};
use super::lock::Lock;
use super::{ALIASES, Aliases, ENTRY, LAST_VERSION, Registry, RegistryError, name, numbers, read_if_there};
use crate::extractor::Extractor;
use crate::verified_folder::{FolderError, io_error, read_folder, replace_file, sync_folder, write_folder};

/// The end of the name of a version that is not there yet.
const INCOMING: &str = ".incoming";

impl Registry {
    /// Registers a copy of the artefact in the folder `artefact` as the next version of `model`. The artefact is loaded and
    /// proved before, and its copy is read back before it can be seen.
    ///
    /// # Errors
    /// [`RegistryError::Artefact`] if the artefact is damaged; [`RegistryError::Folder`] if the disk refuses, with no version
    /// left behind.
    pub fn add(
        &self,
        model: &str,
        artefact: &Path,
        evidence: Evidence,
        signature: &Signature,
    ) -> Result<Entry, RegistryError> {
        name::check_model(model)?;
        let refuse = |source| RegistryError::Artefact { folder: artefact.into(), source: Box::new(source) };
        let id = Extractor::load(artefact, self.device).map_err(refuse)?.id().to_owned();
        let mut files = read_folder(artefact).map_err(|error| refuse(error.into()))?;

        let folder = self.model_folder(model);
        let _lock = Lock::take(&folder)?;
        clear_leftovers(&folder)?;
        let version = next_version(&folder)?;
        let entry = Entry {
            layout: ENTRY_LAYOUT,
            model: model.into(),
            version,
            artefact: id,
            registered: signature.clone(),
            evidence,
        };
        let path = folder.join(version.to_string());
        let parse = |source| RegistryError::Parse { path: path.join(ENTRY), source };
        files.insert(ENTRY.into(), serde_json::to_vec_pretty(&entry).map_err(parse)?);
        bring_in(&folder, &path, &files)?;
        Ok(entry)
    }
}

/// The number after the highest that was ever given, which is written down before it is used.
fn next_version(folder: &Path) -> Result<u32, RegistryError> {
    let path = folder.join(LAST_VERSION);
    let told = match read_if_there(&path)? {
        None => 0,
        Some(bytes) => {
            let found = String::from_utf8_lossy(&bytes).into_owned();
            let number = found.strip_suffix('\n').and_then(|text| text.parse::<u32>().ok());
            number.ok_or_else(|| RegistryError::LastVersion { path: path.clone(), found })?
        }
    };
    // Whoever lost the file has the folders and the moves of the aliases.
    let seen = numbers(folder)?.last().copied().unwrap_or(0);
    let pointed = Aliases::read(&folder.join(ALIASES))?.history().iter().map(|change| change.to).max();
    let next = told.max(seen).max(pointed.unwrap_or(0)) + 1;
    replace_file(&path, format!("{next}\n").as_bytes())?;
    Ok(next)
}

/// Writes `files` beside `path`, reads them back, and renames.
fn bring_in(folder: &Path, path: &Path, files: &BTreeMap<String, Vec<u8>>) -> Result<(), FolderError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let incoming = folder.join(format!(".{name}{INCOMING}"));
    let bytes: Vec<(&str, &[u8])> = files.iter().map(|(name, bytes)| (&**name, &**bytes)).collect();
    write_folder(&incoming, &bytes)?;
    let arrived = read_folder(&incoming)
        .and_then(|_| fs::rename(&incoming, path).map_err(io_error("rename", &incoming)))
        .and_then(|()| sync_folder(folder));
    if arrived.is_err() {
        // The first error is the one to report; a leftover is cleared by the next registration.
        let _ = fs::remove_dir_all(&incoming);
    }
    arrived
}

/// Removes what a killed registration has left. Nobody else is in the middle of one: the lock is held.
fn clear_leftovers(folder: &Path) -> Result<(), RegistryError> {
    for name in super::folder_names(folder)? {
        if name.starts_with('.') && name.contains(INCOMING) {
            let leftover = folder.join(name);
            fs::remove_dir_all(&leftover).map_err(io_error("clear", &leftover))?;
        }
    }
    Ok(())
}
