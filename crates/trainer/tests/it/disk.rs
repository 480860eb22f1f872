//! What a disk that refuses checkpoints does to a run.

use std::fs;
use std::path::Path;

use tapeline_events::{Event, Outcome};
use tapeline_trainer::{Checkpoints, Start, TrainError, Wish};

use crate::small_run::{Heard, SmallRun};

fn failures(heard: &Heard) -> usize {
    heard.0.iter().filter(|event| matches!(event, Event::CheckpointFailed { .. })).count()
}

/// A place where no folder can be made.
fn inside_a_file(folder: &Path) -> std::path::PathBuf {
    fs::write(folder.join("file"), "").unwrap();
    folder.join("file").join("checkpoints")
}

#[test]
fn training_goes_on_without_checkpoints() {
    tch::set_num_threads(1);
    let run = SmallRun::new();
    let folder = tempfile::tempdir().unwrap();
    let mut heard = Heard::default();
    let (ending, _) = run.fit(&inside_a_file(folder.path()), Start::Fresh, &|| false, &mut heard).unwrap();
    assert_eq!(ending.outcome, Outcome::Completed);
    assert!(failures(&heard) > 2);
    assert!(!heard.0.iter().any(|event| matches!(event, Event::CheckpointSaved { .. })));
}

#[test]
fn a_checkpoint_does_not_appear_before_what_it_presupposes_is_on_the_disk() {
    tch::set_num_threads(1);
    let run = SmallRun::new();
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("journal.jsonl");
    let checkpoints = Checkpoints::at(folder.path().join("checkpoints")).after(&journal);
    let mut heard = Heard::default();
    run.fit_in(&checkpoints, Start::Fresh, &|| Wish::GoOn, &mut heard).unwrap();
    assert!(failures(&heard) > 2, "there is no journal to be put on the disk");
    assert!(checkpoints.newest().is_err());

    fs::write(&journal, "").unwrap();
    let mut heard = Heard::default();
    let (ending, _) = run.fit_in(&checkpoints, Start::Fresh, &|| Wish::GoOn, &mut heard).unwrap();
    assert_eq!((failures(&heard), checkpoints.newest().unwrap().state), (0, ending.state));
}

#[test]
fn saving_goes_on_once_there_is_room() {
    tch::set_num_threads(1);
    let run = SmallRun::new();
    let folder = tempfile::tempdir().unwrap();
    let checkpoints = inside_a_file(folder.path());
    let steps = std::cell::Cell::new(0);
    let makes_room = || {
        steps.set(steps.get() + 1);
        if steps.get() == 20 {
            fs::remove_file(folder.path().join("file")).unwrap();
        }
        false
    };
    let mut heard = Heard::default();
    let (ending, _) = run.fit(&checkpoints, Start::Fresh, &makes_room, &mut heard).unwrap();
    assert_eq!(ending.outcome, Outcome::Completed);
    assert!(failures(&heard) > 0);
    assert_eq!(Checkpoints::at(&checkpoints).newest().unwrap().state, ending.state);
    let last = heard.0.iter().rev().nth(1);
    assert!(matches!(last, Some(Event::CheckpointSaved { .. })), "{last:?}");
}

#[test]
fn an_interruption_that_cannot_be_saved_is_an_error() {
    tch::set_num_threads(1);
    let run = SmallRun::new();
    let folder = tempfile::tempdir().unwrap();
    let mut heard = Heard::default();
    let ending = run.fit(&inside_a_file(folder.path()), Start::Fresh, &|| true, &mut heard);
    let ending = ending.map(|(ending, _)| ending);
    assert!(matches!(ending, Err(TrainError::Checkpoint { operation: "write", .. })), "{ending:?}");
    assert_eq!(failures(&heard), 1);
    assert!(!heard.0.iter().any(|event| matches!(event, Event::Interrupted { .. } | Event::RunEnded { .. })));
}

#[test]
fn nothing_is_deleted_before_the_pointers_have_moved() {
    tch::set_num_threads(1);
    let mut run = SmallRun::new();
    run.training.checkpointing.every_n_steps = Some(1);
    run.training.checkpointing.keep_last = 1;
    let folder = tempfile::tempdir().unwrap();
    let steps = std::cell::Cell::new(0);
    let reached = |stop| {
        steps.set(steps.get() + 1);
        steps.get() == stop
    };
    run.fit(folder.path(), Start::Fresh, &|| reached(3), &mut Heard::default()).unwrap();
    let pointed = || folder.path().join(fs::read_to_string(folder.path().join("last")).unwrap().trim());
    assert_eq!(pointed(), folder.path().join("step-00000003"));

    // From here on no pointer can be replaced.
    fs::create_dir(folder.path().join(".last.partial")).unwrap();
    let mut heard = Heard::default();
    let cut = run.fit(folder.path(), Start::Resume, &|| reached(6), &mut heard);
    assert!(cut.is_err());
    assert!(failures(&heard) > 0);
    assert_eq!(pointed(), folder.path().join("step-00000003"));
    assert!(pointed().join("MANIFEST").exists(), "`last` points to nothing");
    assert_eq!(Checkpoints::at(folder.path()).newest().unwrap().state.step, 6);
}
