//! Augmented training: a function of the seed, whatever stops it, and validation never sees any of it.

use std::cell::Cell;

use tapeline_artefact::predict;
use tapeline_data_pipeline::Split;
use tapeline_events::Outcome;
use tapeline_models::weights_to_bytes;
use tapeline_trainer::{EVALUATION_BATCH, Start};
use tch::Device;

use crate::small_run::{Heard, SmallRun};

fn trained(run: &SmallRun) -> (Vec<u8>, Heard) {
    let folder = tempfile::tempdir().unwrap();
    let mut heard = Heard::default();
    let (_, network) = run.fit(folder.path(), Start::Fresh, &|| false, &mut heard).unwrap();
    (weights_to_bytes(network.parameters()).unwrap(), heard)
}

#[test]
fn an_augmented_run_that_was_stopped_is_the_one_that_was_not() {
    tch::set_num_threads(1);
    let run = SmallRun::augmented();
    let (expected, heard) = trained(&run);
    assert_ne!(trained(&SmallRun::new()).0, expected, "nothing was augmented");

    let folder = tempfile::tempdir().unwrap();
    let last = heard.0.iter().filter_map(tapeline_events::Event::step).max().unwrap() as usize;
    let mut start = Start::Fresh;
    let mut done = 0;
    for stop in [2, last / 2 + 1] {
        let steps = Cell::new(done);
        let reached = || {
            steps.set(steps.get() + 1);
            steps.get() == stop
        };
        let (ending, _) = run.fit(folder.path(), start, &reached, &mut Heard::default()).unwrap();
        assert_eq!((ending.outcome, ending.state.step), (Outcome::Interrupted, stop));
        (start, done) = (Start::Resume, stop);
    }
    let (_, network) = run.fit(folder.path(), start, &|| false, &mut Heard::default()).unwrap();
    assert_eq!(weights_to_bytes(network.parameters()).unwrap(), expected);
}

#[test]
fn validation_sees_the_bars_as_they_are() {
    tch::set_num_threads(1);
    let (plain, augmented) = (SmallRun::new(), SmallRun::augmented());
    let network = plain.network();
    let said = |run: &SmallRun| {
        let samples = run.data.samples(Split::Validation);
        predict(network.as_ref(), &run.data, samples, EVALUATION_BATCH, Device::Cpu).unwrap()
    };
    assert_eq!(said(&plain), said(&augmented));
}
