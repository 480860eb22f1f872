//! A damaged checkpoint is named, and the one before it is used.

use std::fs;
use std::path::Path;

use tapeline_events::Event;

use crate::evidence::Evidence;
use crate::program::{BAD_INPUT, DONE};
use crate::small_run::SmallRun;

/// Turns a bit of a checkpoint's weights over.
fn damage(checkpoint: &Path) {
    let weights = checkpoint.join("model.safetensors");
    let mut bytes = fs::read(&weights).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&weights, bytes).unwrap();
}

fn name(checkpoint: &Path) -> &str {
    checkpoint.file_name().unwrap().to_str().unwrap()
}

#[test]
fn the_checkpoint_before_a_damaged_one_leads_to_the_same_run() {
    let run = SmallRun::new();
    run.train(&[]).ended_with(DONE);
    let checkpoints = run.checkpoints();
    let [.., before, newest] = &checkpoints[..] else { unreachable!("two are kept: {checkpoints:?}") };
    damage(newest);
    run.resume()
        .ended_with(DONE)
        .complaining(&format!("{} is damaged", name(newest)))
        .complaining(&format!("{} is used instead", name(before)));
    let told = run.journal().into_iter().any(
        |record| matches!(record.event, Event::CheckpointDamaged { folder, .. } if folder == name(newest)),
    );
    assert!(told, "the journal does not tell of the damage");
    assert_eq!(Evidence::of(&run).differences(Evidence::undisturbed()), []);
}

#[test]
fn a_checkpoint_that_lacks_a_file_is_damaged() {
    let run = SmallRun::new();
    run.train(&[]).ended_with(DONE);
    let newest = run.checkpoints().pop().unwrap();
    fs::remove_file(newest.join("optimizer.safetensors")).unwrap();
    run.resume().ended_with(DONE).complaining(&format!("{} is damaged", name(&newest)));
    assert_eq!(Evidence::of(&run).differences(Evidence::undisturbed()), []);
}

#[test]
fn where_all_checkpoints_are_damaged_each_is_named() {
    let run = SmallRun::new();
    run.train(&[]).ended_with(DONE);
    let checkpoints = run.checkpoints();
    checkpoints.iter().for_each(|checkpoint| damage(checkpoint));
    let said = run.resume().ended_with(BAD_INPUT).complaining("holds no whole checkpoint");
    for checkpoint in &checkpoints {
        assert!(said.stderr.contains(name(checkpoint)), "{said}");
    }
}

#[test]
fn a_line_that_a_kill_tore_is_cut_off() {
    let run = SmallRun::new();
    let mut training = run.start(&[]);
    training.wait_for_step(10);
    training.kill();
    let journal = run.run().join("journal.jsonl");
    let whole = fs::read(&journal).unwrap();
    fs::write(&journal, &whole[..whole.len() - 9]).unwrap();
    run.resume().ended_with(DONE).complaining("the journal's last line was torn");
    assert_eq!(Evidence::of(&run).differences(Evidence::undisturbed()), []);
}
