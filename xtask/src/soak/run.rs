//! A training process and the folder that it works in.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use super::evidence;

/// How often a watched journal is looked at.
const BETWEEN_LOOKS: Duration = Duration::from_millis(1);

/// A run that is being trained.
pub(super) struct Run {
    binary: PathBuf,
    output: PathBuf,
    child: Child,
}

impl Run {
    /// Begins a run under `output`.
    pub(super) fn start(
        binary: &Path,
        config: &Path,
        output: &Path,
        changes: impl Iterator<Item = &'static str>,
    ) -> Result<Self> {
        fs::create_dir_all(output).with_context(|| format!("cannot create {}", output.display()))?;
        let mut command = Command::new(binary);
        command.arg("train").arg("--config").arg(config);
        command.arg("--set").arg(format!("output={}", output.display()));
        for change in changes {
            command.args(["--set", change]);
        }
        Ok(Self { binary: binary.into(), output: output.into(), child: spawn(command, output)? })
    }

    /// Waits until the journal has told of `step`, or until the process ends.
    pub(super) fn wait_for_step(&mut self, step: u64) -> Result<()> {
        while self.child.try_wait().context("cannot wait for the run")?.is_none() {
            let reached = folder_in(&self.output).and_then(|folder| evidence::last_step(&folder));
            if reached >= Some(step) {
                break;
            }
            std::thread::sleep(BETWEEN_LOOKS);
        }
        Ok(())
    }

    /// SIGKILL, and its next life.
    pub(super) fn kill_and_resume(mut self) -> Result<Self> {
        // A run that has ended by itself is resumed all the same: it stays what it is.
        self.child.kill().context("cannot kill the run")?;
        self.child.wait().context("cannot wait for the run")?;
        let folder = folder_in(&self.output).context("the run was killed before it had a folder")?;
        let mut command = Command::new(&self.binary);
        command.arg("train").arg("--resume").arg(folder);
        self.child = spawn(command, &self.output)?;
        Ok(self)
    }

    /// Waits for its end; its folder.
    pub(super) fn finish(mut self) -> Result<PathBuf> {
        let status = self.child.wait().context("cannot wait for the run")?;
        if !status.success() {
            let said = fs::read_to_string(log(&self.output)).unwrap_or_default();
            bail!("the run ended with {status} and said\n{said}");
        }
        folder_in(&self.output).context("the run has left no folder")
    }
}

fn log(output: &Path) -> PathBuf {
    output.join("said.txt")
}

fn spawn(mut command: Command, output: &Path) -> Result<Child> {
    for (name, _) in env::vars_os() {
        if name.to_string_lossy().starts_with("TAPELINE_") {
            command.env_remove(&name);
        }
    }
    let path = log(output);
    let said = fs::File::create(&path).with_context(|| format!("cannot create {}", path.display()))?;
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(said).spawn();
    child.context("cannot start the run")
}

/// The folder of the one run under `output`.
fn folder_in(output: &Path) -> Option<PathBuf> {
    let mut entries = fs::read_dir(output.join("small")).ok()?;
    entries.next()?.ok().map(|entry| entry.path())
}
