//! What a run's scores must reach: asked in the configuration, answered in files, on the screen and by the exit code.

use std::fs;

use serde_json::Value;
use tapeline_events::{Event, TargetVerdict};

use crate::program::{BAD_INPUT, DONE, FAILED};
use crate::small_run::SmallRun;

/// One that is met whatever is learned, one that is not, one that has no value, one on a span that is not looked at.
const TARGETS: &str = "targets={training/epochs_to_best: {min: 1, max: 2}, validation/loss: {max: -1}, \
                       validation/price_prediction/h1/rank_ic_series: {min: -1, max: 1}, test/loss: {max: 1e6}}";

fn verdicts(run: &SmallRun) -> Vec<(String, String)> {
    let json = fs::read(run.run().join("targets.json")).unwrap();
    let targets: Vec<Value> = serde_json::from_slice(&json).unwrap();
    let text = |target: &Value, key: &str| target[key].as_str().unwrap().to_owned();
    targets.iter().map(|target| (text(target, "metric"), text(target, "verdict"))).collect()
}

fn expected(test_loss: &str) -> Vec<(String, String)> {
    [
        ("test/loss", test_loss),
        ("training/epochs_to_best", "met"),
        ("validation/loss", "missed"),
        ("validation/price_prediction/h1/rank_ic_series", "met"),
    ]
    .map(|(metric, verdict)| (metric.into(), verdict.into()))
    .into()
}

#[test]
fn targets_are_printed_recorded_and_kept() {
    let run = SmallRun::new();
    let said = run.train(&["--set", TARGETS]).ended_with(DONE).printing("verdict").printing("missed");
    assert!(said.stdout.contains("not scored yet"), "{said}");
    assert_eq!(verdicts(&run), expected("not_scored"));
    assert!(fs::read_to_string(run.run().join("report.html")).unwrap().contains("<h2>Targets</h2>"));
    let told: Vec<_> = run
        .journal()
        .into_iter()
        .filter_map(|record| match record.event {
            Event::TargetsChecked { targets } => Some(targets),
            _ => None,
        })
        .collect();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0][1].verdict, TargetVerdict::Met);
    let epochs = told[0][1].value.unwrap();
    assert!(epochs == 1.0 || epochs == 2.0, "{epochs}");

    let folder = run.run();
    let evaluate = ["evaluate", "--split", "test", "--run", folder.to_str().unwrap()];
    run.say(evaluate).ended_with(DONE).printing("test/loss");
    assert_eq!(verdicts(&run), expected("met"), "the verdicts of other spans stay");
    let required = evaluate.into_iter().chain(["--require-targets"]);
    run.say(required).ended_with(FAILED).complaining("1 of 4 targets are not met: validation/loss");
    run.say(["runs", "show", folder.to_str().unwrap()]).ended_with(DONE).printing("verdict");
}

#[test]
fn a_required_target_that_is_missed_fails_when_everything_is_saved() {
    let run = SmallRun::new();
    let missed = ["--require-targets", "--set", "targets.validation/loss.max=-1"];
    let said = run.train(&missed).ended_with(FAILED).complaining("1 of 1 targets are not met");
    assert!(said.stdout.contains("report"), "{said}");
    for file in ["artefact/MANIFEST", "scores-validation.json", "targets.json", "report.html"] {
        assert!(run.run().join(file).is_file(), "{file}");
    }
}

#[test]
fn a_required_target_that_is_met_is_no_failure() {
    let run = SmallRun::new();
    run.train(&["--require-targets", "--set", "targets.validation/loss.max=1e6"]).ended_with(DONE);
}

#[test]
fn a_target_that_can_never_be_judged_is_refused_before_the_first_step() {
    let run = SmallRun::new();
    for (set, words) in [
        (
            "targets.validation/price_prediction/h2/rank_ic_series.min=0",
            "validation/price_prediction/h1/rank_ic_series",
        ),
        ("targets.validation/loss={}", "give min, max or both"),
        (
            "targets.validation/price_prediction/h1/rank_ic_cross.min=0",
            "undefined under 10 symbols; there are 2",
        ),
    ] {
        run.train(&["--set", set]).ended_with(BAD_INPUT).complaining(words);
    }
    run.train(&["--require-targets"]).ended_with(BAD_INPUT).complaining("the configuration has no target");
    assert!(!run.folder().join("runs").exists(), "a run was made");
}
