//! Disks that a shell and its children see alone, made to be full.

use std::process::Command;

use crate::program::{Said, forget_the_user};
use crate::small_run::SmallRun;

/// How a script says that it cannot mount a disk.
pub(crate) const NO_DISK: i32 = 77;

/// A shell that runs `script` in the run's folder; `"$0"` is the program, `"$1"` and so on are `more`.
pub(crate) fn shell(run: &SmallRun, script: &str, more: &[&str]) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script, env!("CARGO_BIN_EXE_tapeline")]).args(more).current_dir(run.folder());
    forget_the_user(&mut command);
    command
}

/// What is said by a shell that may mount disks; `None`, with the reason printed, where nobody may or it ended with
/// [`NO_DISK`].
pub(crate) fn with_own_mounts(run: &SmallRun, script: &str, more: &[&str]) -> Option<Said> {
    let mut own_mounts = Command::new("unshare");
    let inner = shell(run, script, more);
    own_mounts.args(["--user", "--map-root-user", "--mount"]).arg(inner.get_program()).args(inner.get_args());
    own_mounts.current_dir(run.folder());
    forget_the_user(&mut own_mounts);
    match own_mounts.output() {
        Ok(output) if output.status.code() != Some(NO_DISK) && !output.stderr.starts_with(b"unshare:") => {
            Some(Said::of(output))
        }
        Ok(output) => {
            println!("skipped: no disk can be made here: {}", String::from_utf8_lossy(&output.stderr));
            None
        }
        Err(error) => {
            println!("skipped: no disk can be made here: {error}");
            None
        }
    }
}
