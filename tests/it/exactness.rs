//! Whether a run is exact, asked of the program: by its own trial, and where the machine is another one.

use std::fs;

use serde_json::Value;

use crate::evidence::Evidence;
use crate::program::{BAD_INPUT, DONE, INTERRUPTED};
use crate::small_run::SmallRun;

#[test]
fn a_configuration_can_be_tried_for_exactness_and_leaves_nothing() {
    let run = SmallRun::new();
    // Across the end of an epoch of 27 steps.
    run.train(&["--verify-resume", "40", "--set", "threads=2"])
        .ended_with(DONE)
        .printing("model.safetensors")
        .printing("exact: 40 steps at once, and 20 and then the rest, differ in no byte");
    run.train(&["--verify-resume", "500"]).ended_with(DONE).printing("exact: 54 steps");
    let left: Vec<_> = fs::read_dir(run.folder()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["small.yaml"]);
}

#[test]
fn one_step_cannot_be_interrupted_in_between() {
    let run = SmallRun::new();
    run.train(&["--verify-resume", "1"])
        .ended_with(BAD_INPUT)
        .complaining("a run of 1 step cannot be interrupted");
    run.train(&["--verify-resume", "0"]).ended_with(BAD_INPUT);
}

#[test]
fn a_run_that_goes_on_with_other_kernels_says_so() {
    let (run, said) = SmallRun::interrupted_by("INT", 10);
    said.ended_with(INTERRUPTED);
    let path = run.run().join("lineage.json");
    let mut lineage: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    assert_eq!(lineage["determinism"]["deterministic"], true);
    lineage["determinism"]["kernels"] = "those of another machine".into();
    fs::write(&path, serde_json::to_vec(&lineage).unwrap()).unwrap();
    run.resume().ended_with(DONE).complaining("was begun with the kernels those of another machine");
    assert_eq!(Evidence::of(&run).differences(Evidence::undisturbed()), []);
}
