//! The copy of the tree in which mutants live, with a build of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, Permissions};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use cargo_metadata::Metadata;

use crate::tidy;
use crate::workspace::Workspace;

/// Git-ignored, and yet part of the build.
const CHOICE_FILE: &str = ".cargo/libtorch.toml";

/// `target/mutants`: `tree` and `target`, kept from one call to the next.
pub(super) struct Tree<'a> {
    workspace: &'a Workspace,
    folder: PathBuf,
    files: BTreeMap<PathBuf, Original>,
}

/// A file as it was when the copy was made: who goes on editing does not change what is tested.
struct Original {
    bytes: Vec<u8>,
    permissions: Permissions,
}

impl Original {
    fn read(path: &Path) -> Result<Self> {
        let context = || format!("cannot read {}", path.display());
        let permissions = fs::metadata(path).with_context(context)?.permissions();
        Ok(Self { bytes: fs::read(path).with_context(context)?, permissions })
    }
}

impl<'a> Tree<'a> {
    /// Makes the copy, or brings it up to date.
    pub(super) fn make(workspace: &'a Workspace) -> Result<Self> {
        let metadata = workspace.metadata()?;
        let target = metadata.target_directory.as_std_path();
        let folder = target.join("mutants");
        let names = tidy::files(workspace)?.into_iter().chain([CHOICE_FILE.into()]);
        let files = names
            .map(|name| Original::read(&workspace.root().join(&name)).map(|original| (name, original)))
            .collect::<Result<_>>()?;
        let tree = Self { workspace, folder, files };
        fs::create_dir_all(tree.folder.join("logs"))
            .with_context(|| format!("cannot make {}", tree.folder.display()))?;
        tree.restore()?;
        tree.seed_build(&metadata, &target.join("debug"))?;
        Ok(tree)
    }

    /// Brings back what was changed, and only that: cargo rebuilds what is newer than its build.
    pub(super) fn restore(&self) -> Result<()> {
        let root = self.root();
        for (name, original) in &self.files {
            let path = root.join(name);
            if fs::read(&path).is_ok_and(|found| found == original.bytes) {
                continue;
            }
            let context = || format!("cannot write {}", path.display());
            fs::create_dir_all(path.parent().unwrap_or(&root)).with_context(context)?;
            fs::write(&path, &original.bytes).with_context(context)?;
            fs::set_permissions(&path, original.permissions.clone()).with_context(context)?;
        }
        let mut open = vec![root.clone()];
        while let Some(folder) = open.pop() {
            for entry in fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))? {
                let entry = entry.with_context(|| format!("cannot list {}", folder.display()))?;
                let path = entry.path();
                if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                    open.push(path);
                } else if !path.strip_prefix(&root).is_ok_and(|name| self.files.contains_key(name)) {
                    fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
                }
            }
        }
        Ok(())
    }

    /// Applies the patch at `path`.
    pub(super) fn apply(&self, path: &Path) -> Result<()> {
        let output = Command::new("git")
            // Else git takes the tree for a part of our repository, and passes over what is ignored there.
            .env("GIT_CEILING_DIRECTORIES", &self.folder)
            .current_dir(self.root())
            .args(["apply", "--whitespace=nowarn"])
            .arg(path)
            .output()
            .context("cannot start git")?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "it does not apply: {}", said.trim().replace('\n', "; "));
        Ok(())
    }

    /// Cargo in the copy.
    pub(super) fn cargo(&self, arguments: &[String]) -> Command {
        let mut cargo = self.workspace.cargo();
        cargo.current_dir(self.root()).env("CARGO_TARGET_DIR", self.build()).args(arguments);
        cargo
    }

    /// Where the output of a mutant called `name` goes.
    pub(super) fn log(&self, name: &str) -> PathBuf {
        self.folder.join("logs").join(format!("{name}.log"))
    }

    fn root(&self) -> PathBuf {
        self.folder.join("tree")
    }

    fn build(&self) -> PathBuf {
        self.folder.join("target")
    }

    /// On the first call, takes over what the main build in `main` made of packages from outside: torch-sys alone
    /// takes minutes. Cargo checks each, and builds anew what it cannot use.
    fn seed_build(&self, metadata: &Metadata, main: &Path) -> Result<()> {
        let build = self.build().join("debug");
        if build.exists() {
            return Ok(());
        }
        let ours = names_of_ours(metadata);
        // The fingerprints first: each is written after that of which it tells.
        for part in [".fingerprint", "build", "deps"] {
            let (from, to) = (main.join(part), build.join(part));
            fs::create_dir_all(&to).with_context(|| format!("cannot make {}", to.display()))?;
            let entries = match fs::read_dir(&from) {
                Ok(entries) => entries,
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(error) => return Err(error).with_context(|| format!("cannot list {}", from.display())),
            };
            let outside = entries.filter_map(|entry| {
                let entry = entry.ok()?;
                (!ours.contains(&unit_name(entry.file_name().to_str()?))).then(|| entry.path())
            });
            // The times must be kept, or cargo takes everything for stale.
            let copied = Command::new("cp")
                .args(["--archive", "--reflink=auto", "--target-directory"])
                .arg(&to)
                .args(outside)
                .status()
                .context("cannot start cp")?;
            ensure!(copied.success(), "cp ended with {copied}");
        }
        Ok(())
    }
}

/// Packages and targets of this workspace, as cargo writes them in file names.
fn names_of_ours(metadata: &Metadata) -> BTreeSet<String> {
    let packages = metadata.workspace_packages();
    let targets =
        packages.iter().flat_map(|package| package.targets.iter().map(|target| target.name.as_str()));
    let names = packages.iter().map(|package| package.name.as_str()).chain(targets);
    names.map(|name| name.replace('-', "_")).collect()
}

/// What a file of a build belongs to: `libtapeline_models-0123abcd.rlib` to `tapeline_models`.
fn unit_name(file: &str) -> String {
    let stem = file.split('.').next().unwrap_or(file);
    let name = stem.rsplit_once('-').map_or(stem, |(name, _)| name).replace('-', "_");
    name.strip_prefix("lib").filter(|_| stem != file).map_or(name.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::unit_name;

    #[test]
    fn files_of_a_build_are_told_apart() {
        assert_eq!(unit_name("libtapeline_models-0123abcd.rlib"), "tapeline_models");
        assert_eq!(unit_name("tapeline_models-0123abcd.d"), "tapeline_models");
        assert_eq!(unit_name("tapeline-models-0123abcd"), "tapeline_models");
        assert_eq!(unit_name("libc-0123abcd"), "libc");
        assert_eq!(unit_name("liblibc-0123abcd.rmeta"), "libc");
        assert_eq!(unit_name("torch_sys-0123abcd.long.name.rcgu.o"), "torch_sys");
    }
}
