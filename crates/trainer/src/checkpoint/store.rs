//! A checkpoint onto the disk: the folder, then the pointers, then what is superfluous.

use std::fs;
use std::io;

use tapeline_artefact::{FolderError, replace_file, write_folder};

use super::{Checkpoints, Snapshot, folder_name};
use crate::error::TrainError;
use crate::metric::Direction;
use crate::retain::{Kept, best_first, superfluous};
use crate::spec::CheckpointingSpec;

/// A checkpoint that was written.
pub(crate) struct Saved {
    /// Its folder's name.
    pub(crate) folder: String,
    /// True if `best` now points to it.
    pub(crate) is_best: bool,
    /// Superfluous checkpoints that could not be deleted, and why. The new one is whole all the same.
    pub(crate) undeleted: Vec<String>,
}

impl Checkpoints {
    /// Writes a checkpoint, moves the pointers, deletes what `keep` no longer wants.
    pub(crate) fn save(
        &self,
        snapshot: &Snapshot,
        keep: &CheckpointingSpec,
        direction: Direction,
    ) -> Result<Saved, TrainError> {
        let step = snapshot.step();
        let files = snapshot.files()?;
        let kept = self
            .store(step, &files, keep, direction)
            .map_err(|source| TrainError::Checkpoint { operation: "write", source })?;
        let is_best = best_first(&kept, direction).first() == Some(&step);
        Ok(Saved { folder: folder_name(step), is_best, undeleted: self.prune(&kept, keep, direction) })
    }

    /// Writes the folder and moves the pointers; returns the checkpoints there are.
    fn store(
        &self,
        step: usize,
        files: &[(&str, Vec<u8>)],
        keep: &CheckpointingSpec,
        direction: Direction,
    ) -> Result<Vec<Kept>, FolderError> {
        fs::create_dir_all(&self.folder).map_err(|source| self.io("create", source))?;
        let name = folder_name(step);
        let folder = self.folder.join(&name);
        if folder.exists() {
            // A damaged one that a resume went behind: the loop makes one checkpoint of a step.
            fs::remove_dir_all(&folder).map_err(|source| self.io("replace", source))?;
        }
        let files: Vec<(&str, &[u8])> = files.iter().map(|(name, bytes)| (*name, bytes.as_slice())).collect();
        if let Some(path) = &self.presupposed {
            let synced = fs::File::open(path).and_then(|file| file.sync_all());
            synced.map_err(|source| FolderError::Io { operation: "sync", path: path.clone(), source })?;
        }
        write_folder(&folder, &files)?;
        self.point(step, keep, direction)
    }

    /// Does what a kill may have kept [`save`](Self::save) from after it wrote the checkpoint at `step`; returns what could not
    /// be deleted, and why.
    pub(crate) fn settle(
        &self,
        step: usize,
        keep: &CheckpointingSpec,
        direction: Direction,
    ) -> Result<Vec<String>, TrainError> {
        let kept = self.point(step, keep, direction);
        let kept = kept.map_err(|source| TrainError::Checkpoint { operation: "point to", source })?;
        Ok(self.prune(&kept, keep, direction))
    }

    /// Moves the pointers to where they belong when `step` is the newest; returns the checkpoints there are.
    fn point(
        &self,
        step: usize,
        keep: &CheckpointingSpec,
        direction: Direction,
    ) -> Result<Vec<Kept>, FolderError> {
        replace_file(&self.folder.join("last"), format!("{}\n", folder_name(step)).as_bytes())?;
        let kept = self.kept_until(step, &keep.metric);
        if let Some(best) = best_first(&kept, direction).first() {
            replace_file(&self.folder.join("best"), format!("{}\n", folder_name(*best)).as_bytes())?;
        }
        Ok(kept)
    }

    /// Deletes what `keep` no longer wants; names what could not be deleted.
    fn prune(&self, kept: &[Kept], keep: &CheckpointingSpec, direction: Direction) -> Vec<String> {
        let superfluous = superfluous(kept, keep.keep_last, keep.keep_best, direction);
        let delete = |step: usize| {
            let name = folder_name(step);
            fs::remove_dir_all(self.folder.join(&name)).err().map(|error| format!("{name}: {error}"))
        };
        superfluous.into_iter().filter_map(delete).collect()
    }

    fn io(&self, operation: &'static str, source: io::Error) -> FolderError {
        FolderError::Io { operation, path: self.folder.clone(), source }
    }
}
