//! A disk that takes nothing more stops no training; what could not be saved is said.

use std::fs;

use crate::disk::{shell, with_own_mounts};
use crate::evidence::Evidence;
use crate::program::{DONE, FAILED, Said};
use crate::small_run::SmallRun;

#[test]
fn a_run_that_can_save_nothing_trains_to_its_end_and_fails_there() {
    let run = SmallRun::new();
    // No file may grow beyond 16 blocks, which the weights do. The next checkpoint, which would take the place of one that waits, is far.
    let script = "trap '' XFSZ; ulimit -f 16; exec \"$0\" train --config small.yaml --set training.checkpointing.every_n_steps=13";
    Said::by(shell(&run, script, &[]))
        .ended_with(FAILED)
        .complaining("the checkpoint at step 13 could not be saved")
        .complaining("model.safetensors")
        .complaining("epoch 2/2")
        .complaining("error:");
    assert!(run.checkpoints().is_empty());
}

#[test]
fn a_run_on_a_full_disk_goes_on_once_there_is_room() {
    let run = SmallRun::new();
    fs::create_dir(run.folder().join("runs")).unwrap();
    // Room for some checkpoints, on a disk that only this shell and its children see. What was saved is kept for later.
    let script = "mount -t tmpfs -o size=300k none runs || exit 77
        \"$0\" train --config small.yaml; code=$?
        cp -r runs kept; exit $code";
    let Some(said) = with_own_mounts(&run, script, &[]) else { return };
    said.ended_with(FAILED).complaining("No space left on device").complaining("epoch 2/2");

    fs::remove_dir(run.folder().join("runs")).unwrap();
    fs::rename(run.folder().join("kept"), run.folder().join("runs")).unwrap();
    run.resume().ended_with(DONE);
    assert_eq!(Evidence::of(&run).differences(Evidence::undisturbed()), []);
}
