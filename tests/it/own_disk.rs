//! Disks that only one shell and its children see.

use std::process::Command;

use crate::program::{Said, forget_the_user};
use crate::small_run::SmallRun;

/// What a script ends with when it could not mount its disk.
const NO_DISK: i32 = 77;

/// A shell in the run's folder that runs `script`, where `$0` is the program and `$1` is `argument`.
pub(crate) fn shell(run: &SmallRun, script: &str, argument: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script, env!("CARGO_BIN_EXE_tapeline"), argument]).current_dir(run.folder());
    forget_the_user(&mut command);
    command
}

/// What [`shell`] says where it may mount what it likes and nobody else sees it; `mount … || exit 77` tells that it may not.
/// `None`, with the reason printed, where there is no such place.
pub(crate) fn say_with_own_mounts(run: &SmallRun, script: &str, argument: &str) -> Option<Said> {
    let inner = shell(run, script, argument);
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--mount"]).arg(inner.get_program()).args(inner.get_args());
    command.current_dir(run.folder());
    forget_the_user(&mut command);
    let reason = match command.output() {
        // A number of its own means that `unshare` itself could do nothing.
        Ok(output) if output.status.code() == Some(NO_DISK) || output.stderr.starts_with(b"unshare:") => {
            String::from_utf8_lossy(&output.stderr).into_owned()
        }
        Ok(output) => return Some(Said::of(output)),
        Err(error) => error.to_string(),
    };
    println!("skipped: no disk can be made here: {reason}");
    None
}
