//! Checkpoints on disk: what is whole is used, what is not is named.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tapeline_artefact::{read_folder, write_folder};
use tapeline_events::Event;
use tapeline_models::weights_to_bytes;
use tapeline_trainer::{Checkpoints, Ending, Metric, STATE_VERSION, Start, TrainError, metric};

use crate::small_run::{Heard, SmallRun};

/// Trains from `start` until the run has made `stop` steps in this call.
fn steps(run: &SmallRun, folder: &Path, start: Start, stop: usize, heard: &mut Heard) -> Ending {
    let done = Cell::new(0);
    let reached = || {
        done.set(done.get() + 1);
        done.get() == stop
    };
    run.fit(folder, start, &reached, heard).unwrap().0
}

/// Writes the checkpoint at `folder` again, as if it had been saved so.
fn rewrite(folder: &Path, change: impl FnOnce(&mut BTreeMap<String, Vec<u8>>)) {
    let mut files = read_folder(folder).unwrap();
    change(&mut files);
    fs::remove_dir_all(folder).unwrap();
    let files: Vec<(&str, &[u8])> = files.iter().map(|(name, bytes)| (&**name, &**bytes)).collect();
    write_folder(folder, &files).unwrap();
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn pointer(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join(name)).unwrap().trim().to_owned()
}

#[test]
fn a_checkpoint_holds_weights_and_state() {
    tch::set_num_threads(1);
    let run = SmallRun::new();
    let folder = tempfile::tempdir().unwrap();
    let (ending, trained) = run.fit(folder.path(), Start::Fresh, &|| false, &mut Heard::default()).unwrap();
    let checkpoint = Checkpoints::at(folder.path()).newest().unwrap();
    assert_eq!(checkpoint.state, ending.state);
    assert!(checkpoint.damaged.is_empty());
    assert_eq!(pointer(folder.path(), "last"), checkpoint.name);
    let network = run.network();
    checkpoint.restore_weights(network.as_ref()).unwrap();
    let weights = [network, trained].map(|network| weights_to_bytes(network.parameters()).unwrap());
    assert!(weights[0] == weights[1], "weights differ");
}

#[test]
fn the_best_epoch_and_the_newest_checkpoints_stay() {
    tch::set_num_threads(1);
    let mut run = SmallRun::new();
    run.training.num_epochs = 4;
    run.training.checkpointing.every_n_steps = Some(3);
    run.training.checkpointing.keep_last = 3;
    let folder = tempfile::tempdir().unwrap();
    let mut heard = Heard::default();
    let (ending, _) = run.fit(folder.path(), Start::Fresh, &|| false, &mut heard).unwrap();
    let losses =
        ending.state.history.iter().map(|epoch| (epoch.metrics["validation/loss"].unwrap(), epoch.step));
    let (_, best) = losses.min_by(|(a, _), (b, _)| a.total_cmp(b)).unwrap();
    let best = format!("step-{best:08}");
    assert_eq!(pointer(folder.path(), "best"), best);
    assert_eq!(Checkpoints::at(folder.path()).best(&validation_loss(&run)).unwrap().name, best);
    let told = heard.0.iter().rev().find_map(|event| match event {
        Event::CheckpointSaved { folder, best: true, .. } => Some(folder.clone()),
        _ => None,
    });
    assert_eq!(told, Some(best.clone()));

    let kept = names(folder.path());
    let kept: Vec<&String> = kept.iter().filter(|name| name.starts_with("step-")).collect();
    assert!(kept.contains(&&best), "{kept:?}");
    assert!(kept.len() == 3 || (kept.len() == 4 && **kept[0] == *best), "{kept:?}");
}

#[test]
fn an_epoch_ends_before_an_interruption_at_its_last_step_is_saved() {
    tch::set_num_threads(1);
    let run = SmallRun::new();
    let folder = tempfile::tempdir().unwrap();
    let (whole, _) = run.fit(folder.path(), Start::Fresh, &|| false, &mut Heard::default()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let per_epoch = whole.state.step / 2;
    let ending = steps(&run, folder.path(), Start::Fresh, per_epoch, &mut Heard::default());
    assert_eq!((ending.state.epoch, ending.state.cursor, ending.state.history.len()), (1, 0, 1));
    assert_eq!(pointer(folder.path(), "best"), format!("step-{per_epoch:08}"));
}

#[test]
fn a_run_killed_before_the_pointers_moved_goes_on_from_the_newest() {
    tch::set_num_threads(1);
    let mut run = SmallRun::new();
    run.training.checkpointing.every_n_steps = Some(1);
    let folder = tempfile::tempdir().unwrap();
    steps(&run, folder.path(), Start::Fresh, 3, &mut Heard::default());
    fs::write(folder.path().join("last"), "step-00000002\n").unwrap();
    fs::create_dir(folder.path().join(".step-00000004.partial")).unwrap();
    let mut heard = Heard::default();
    steps(&run, folder.path(), Start::Resume, 1, &mut heard);
    assert_eq!(heard.0[0], Event::ResumedFrom { step: 3, epoch: 1 });
    assert_eq!(pointer(folder.path(), "last"), "step-00000004");
    assert!(names(folder.path()).iter().all(|name| !name.ends_with(".partial")));
}

#[test]
fn a_damaged_checkpoint_pushes_out_none_that_is_whole() {
    tch::set_num_threads(1);
    let mut run = SmallRun::new();
    run.training.checkpointing.every_n_steps = Some(2);
    let folder = tempfile::tempdir().unwrap();
    steps(&run, folder.path(), Start::Fresh, 4, &mut Heard::default());
    fs::write(folder.path().join("step-00000004/model.safetensors"), "torn").unwrap();
    run.training.checkpointing.keep_last = 1;
    steps(&run, folder.path(), Start::Resume, 1, &mut Heard::default());
    let newest = Checkpoints::at(folder.path()).newest().unwrap();
    assert_eq!(newest.name, "step-00000003");
    assert_eq!(newest.damaged[0].name, "step-00000004");
}

#[test]
fn another_state_version_is_refused_by_its_number() {
    tch::set_num_threads(1);
    let run = SmallRun::new();
    let folder = tempfile::tempdir().unwrap();
    steps(&run, folder.path(), Start::Fresh, 1, &mut Heard::default());
    rewrite(&folder.path().join("step-00000001"), |files| {
        files.insert("state.json".into(), br#"{"version": 99, "what": "is not known yet"}"#.to_vec());
    });
    match Checkpoints::at(folder.path()).newest() {
        Err(TrainError::StateVersion { path, found: 99, expected: STATE_VERSION }) => {
            assert!(path.ends_with("step-00000001/state.json"));
        }
        other => panic!("not refused: {:?}", other.map(|checkpoint| checkpoint.state)),
    }
}

#[test]
fn a_missing_file_is_named() {
    tch::set_num_threads(1);
    let run = SmallRun::new();
    for listed in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        steps(&run, folder.path(), Start::Fresh, 1, &mut Heard::default());
        let checkpoint = folder.path().join("step-00000001");
        if listed {
            fs::remove_file(checkpoint.join("optimizer.safetensors")).unwrap();
        } else {
            rewrite(&checkpoint, |files| drop(files.remove("optimizer.safetensors")));
        }
        match Checkpoints::at(folder.path()).newest() {
            Err(TrainError::NoCheckpoint { damaged, .. }) => {
                assert!(damaged[0].to_string().contains("optimizer.safetensors"), "{}", damaged[0]);
            }
            other => panic!("not refused: {:?}", other.map(|checkpoint| checkpoint.state)),
        }
    }
}

#[test]
fn an_optimiser_of_another_network_is_refused() {
    tch::set_num_threads(1);
    let run = SmallRun::new();
    let folder = tempfile::tempdir().unwrap();
    steps(&run, folder.path(), Start::Fresh, 1, &mut Heard::default());
    rewrite(&folder.path().join("step-00000001"), |files| {
        let model = files["model.safetensors"].clone();
        files.insert("optimizer.safetensors".into(), model);
    });
    let refused = run.fit(folder.path(), Start::Resume, &|| false, &mut Heard::default());
    let refused = refused.map(|(ending, _)| ending);
    assert!(matches!(refused, Err(TrainError::OptimizerState { .. })), "{refused:?}");
}

fn validation_loss(run: &SmallRun) -> Metric {
    metric::find("validation/loss", &run.tasks).unwrap()
}

#[test]
fn where_the_best_is_damaged_the_next_best_is_used_and_the_damaged_one_named() {
    tch::set_num_threads(1);
    let mut run = SmallRun::new();
    run.training.num_epochs = 4;
    run.training.checkpointing.every_n_steps = None;
    run.training.checkpointing.keep_best = 2;
    let folder = tempfile::tempdir().unwrap();
    let (ending, _) = run.fit(folder.path(), Start::Fresh, &|| false, &mut Heard::default()).unwrap();
    let mut epochs: Vec<_> = ending
        .state
        .history
        .iter()
        .map(|epoch| (epoch.metrics["validation/loss"].unwrap(), epoch.step))
        .collect();
    epochs.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    let [best, next] = [epochs[0].1, epochs[1].1].map(|step| format!("step-{step:08}"));
    fs::write(folder.path().join(&best).join("model.safetensors"), "damaged").unwrap();
    let found = Checkpoints::at(folder.path()).best(&validation_loss(&run)).unwrap();
    assert_eq!(found.name, next);
    assert_eq!(found.damaged.iter().map(|damaged| &damaged.name).collect::<Vec<_>>(), [&best]);
}

/// Steps of the checkpoints that were told of, in the order they were.
fn saved(heard: &Heard) -> Vec<u64> {
    let saved = |event: &Event| match event {
        Event::CheckpointSaved { step, .. } => Some(*step),
        _ => None,
    };
    heard.0.iter().filter_map(saved).collect()
}

#[test]
fn a_checkpoint_is_told_of_after_its_step_and_the_last_before_the_end() {
    tch::set_num_threads(1);
    let mut run = SmallRun::new();
    run.training.checkpointing.every_n_steps = Some(1);
    let folder = tempfile::tempdir().unwrap();
    let mut heard = Heard::default();
    let (ending, _) = run.fit(folder.path(), Start::Fresh, &|| false, &mut heard).unwrap();
    let steps = saved(&heard);
    assert!(steps.is_sorted() && steps.last() == Some(&(ending.state.step as u64)), "{steps:?}");
    let mut trained = 0;
    for event in &heard.0 {
        match event {
            Event::Step { step, .. } => trained = *step,
            Event::CheckpointSaved { step, .. } => assert!(*step <= trained, "{step} came after {trained}"),
            _ => {}
        }
    }
    assert!(matches!(heard.0.last(), Some(Event::RunEnded { .. })));
}

#[test]
fn the_clock_decides_when_minutes_have_passed_and_nothing_else() {
    static SECONDS: AtomicU64 = AtomicU64::new(0);
    tch::set_num_threads(1);
    let mut run = SmallRun::new();
    run.training.checkpointing.every_n_steps = None;
    let weights = |run: &SmallRun, heard: &mut Heard| {
        let folder = tempfile::tempdir().unwrap();
        let (_, network) = run.fit(folder.path(), Start::Fresh, &|| false, heard).unwrap();
        weights_to_bytes(network.parameters()).unwrap()
    };
    let (mut still, mut running) = (Heard::default(), Heard::default());
    run.training.checkpointing.every_n_minutes = Some(1.5);
    let expected = weights(&run, &mut still);
    let ends = saved(&still);
    assert_eq!(ends.len(), run.training.num_epochs, "{ends:?}");

    // Every look at the clock finds it three seconds on; a step looks about ten times.
    run.clock = || Duration::from_secs(SECONDS.fetch_add(3, Ordering::Relaxed));
    assert_eq!(weights(&run, &mut running), expected);
    let inside: Vec<u64> = saved(&running).into_iter().filter(|step| !ends.contains(step)).collect();
    assert!(!inside.is_empty(), "nothing was saved inside an epoch");
    assert!(inside.iter().all(|step| *step >= 2), "{inside:?}");
}
