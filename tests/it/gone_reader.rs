//! Whoever reads may go away, as `head` does after its lines: what is being done is done all the same.

use std::fs::File;
use std::process::{Command, Stdio};

use crate::evidence::Evidence;
use crate::program::{DONE, FAILED, tapeline};
use crate::small_run::SmallRun;

/// Runs `command` with both outputs closed at the other end; its exit code.
fn unheard(mut command: Command) -> Option<i32> {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop((child.stdout.take(), child.stderr.take()));
    child.wait().unwrap().code()
}

#[test]
fn training_goes_on_unheard() {
    let run = SmallRun::new();
    assert_eq!(unheard(run.of_config("train", &[])), Some(DONE));
    assert_eq!(Evidence::of(&run).differences(Evidence::undisturbed()), []);
    let folder = run.run();
    let evaluate = ["evaluate", "--split", "validation", "--run", folder.to_str().unwrap()];
    assert_eq!(unheard(tapeline(run.folder(), evaluate)), Some(DONE));
    assert_eq!(unheard(tapeline(run.folder(), ["runs", "show", folder.to_str().unwrap()])), Some(DONE));
}

#[test]
fn nothing_else_minds_either() {
    let run = SmallRun::new();
    for verb in ["data audit", "data plan", "data leakcheck", "config show"] {
        assert_eq!(unheard(run.of_config(verb, &[])), Some(DONE), "{verb}");
    }
    for words in [&["doctor"][..], &["config", "schema"], &["--help"]] {
        assert_eq!(unheard(tapeline(run.folder(), words)), Some(DONE), "{words:?}");
    }
}

#[test]
fn results_that_a_full_disk_swallows_are_a_failure() {
    let run = SmallRun::new();
    for verb in ["data plan", "config show"] {
        let mut command = run.of_config(verb, &[]);
        command.stdout(File::options().write(true).open("/dev/full").unwrap());
        assert_eq!(command.stderr(Stdio::null()).status().unwrap().code(), Some(FAILED), "{verb}");
    }
}
