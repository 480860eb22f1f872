//! Ctrl-C and SIGTERM finish the step, save, and say how to go on.

use tapeline_events::{Event, Outcome};

use crate::evidence::Evidence;
use crate::program::{DONE, FAILED, INTERRUPTED};
use crate::small_run::SmallRun;

#[test]
fn an_interrupted_run_is_saved_and_can_go_on() {
    let run = a_run_that_was_sent("INT");
    run.say(["runs", "list"]).ended_with(DONE).printing("interrupted");
    goes_on(&run);
}

#[test]
fn a_terminated_run_is_saved_and_can_go_on() {
    goes_on(&a_run_that_was_sent("TERM"));
}

fn a_run_that_was_sent(signal: &str) -> SmallRun {
    let (run, said) = SmallRun::interrupted_by(signal, 5);
    let how = format!("train --resume {}", run.run().display());
    said.ended_with(INTERRUPTED).complaining("go on with: ").complaining(&how);

    let journal = run.journal();
    let ended = &journal.last().unwrap().event;
    assert!(matches!(ended, Event::RunEnded { outcome: Outcome::Interrupted, .. }), "{ended:?}");
    let saved = format!("step-{:08}", ended.step().unwrap());
    assert!(run.checkpoints().last().unwrap().ends_with(saved));
    run
}

fn goes_on(run: &SmallRun) {
    run.resume().ended_with(DONE);
    assert_eq!(Evidence::of(run).differences(Evidence::undisturbed()), []);
}

#[test]
fn a_run_that_is_being_trained_is_not_trained_twice() {
    let (run, mut training) = SmallRun::held_at(5);
    run.resume().ended_with(FAILED).complaining("journal.jsonl");
    training.signal("CONT");
    training.wait().ended_with(DONE);
    assert_eq!(Evidence::of(&run).differences(Evidence::undisturbed()), []);
}
