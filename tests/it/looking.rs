//! The commands that only look: at bars, at runs, at a configuration, at the machine.

use std::fs;

use serde_json::Value;

use crate::program::{BAD_INPUT, DONE};
use crate::small_run::{FROM_FILES, SmallRun};

#[test]
fn bars_are_audited() {
    let run = SmallRun::new();
    let said = run.say_of_config("data audit", &[]).ended_with(DONE).printing("S01").printing("gap:");
    let fingerprint = said.stdout.lines().last().unwrap();
    assert_eq!(fingerprint.strip_prefix("fingerprint ").map(str::len), Some(64), "{fingerprint}");
}

#[test]
fn bars_that_were_written_are_the_bars_that_were_made() {
    let run = SmallRun::with_bars(|_| ());
    let fingerprint = |more: &[&str]| {
        let said = run.say_of_config("data audit", more).ended_with(DONE);
        said.stdout.lines().last().map(str::to_owned)
    };
    assert_eq!(fingerprint(&FROM_FILES), fingerprint(&[]));
}

#[test]
fn samples_are_planned_as_they_are_trained() {
    let run = SmallRun::new();
    let plan = run.say_of_config("data plan", &[]).ended_with(DONE);
    let samples = |split: &str| -> u64 {
        let line = plan.stdout.lines().find(|line| line.starts_with(split)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    run.train(&[]).ended_with(DONE);
    let started = serde_json::to_value(&run.journal()[0].event).unwrap();
    for split in ["train", "validation", "test"] {
        assert_eq!(started["samples"][split], samples(split), "{split}");
    }
    for input in ["1m", "5m", "purged"] {
        assert!(plan.stdout.lines().any(|line| line.starts_with(input)), "{plan}");
    }
}

#[test]
fn nothing_leaks() {
    let run = SmallRun::new();
    let certificate = ["--probes", "4", "--out", "certificate.json"];
    run.say_of_config("data leakcheck", &certificate).ended_with(DONE).printing("no leak");
    let json = fs::read(run.folder().join("certificate.json")).unwrap();
    let certificate: Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(certificate["leaks"].as_array().map(Vec::len), Some(0), "{certificate}");
}

#[test]
fn features_are_listed_and_one_is_shown() {
    let run = SmallRun::new();
    let page = run.say(["data", "features"]).ended_with(DONE);
    for expected in ["## volatility", "### garman_klass", "- parameter `period: 14`", "- warm-up: 20 bars"] {
        assert!(page.stdout.contains(expected), "{expected} is missing in {}", page.stdout);
    }
    let one = run.say(["data", "features", "rsi"]).ended_with(DONE);
    assert!(one.stdout.starts_with("### rsi\n") && page.stdout.contains(&one.stdout), "{}", one.stdout);
    run.say(["data", "features", "rsy"]).ended_with(BAD_INPUT).complaining("\"rsy\" is not a feature");
}

#[test]
fn an_impossible_market_is_not_made() {
    let run = SmallRun::new();
    run.say(["data", "synth", "--out", "bars", "--symbols", "0"])
        .ended_with(BAD_INPUT)
        .complaining("symbols");
    run.say(["data", "synth", "--out", "bars", "--best-ic", "2"])
        .ended_with(BAD_INPUT)
        .complaining("best_ic");
    assert!(!run.folder().join("bars").exists());
}

#[test]
fn runs_are_listed_and_shown() {
    let run = SmallRun::new();
    let trained = run.train(&[]).ended_with(DONE);
    let folder = run.run();
    let id = folder.file_name().unwrap().to_str().unwrap();
    run.say(["runs", "list"]).ended_with(DONE).printing(id).printing("completed");
    let shown =
        run.say(["runs", "show", folder.to_str().unwrap()]).ended_with(DONE).printing("completed, epoch 2");
    let table = trained.stdout.split("features:").next().unwrap();
    assert!(shown.stdout.contains(table), "{shown}");
}

#[test]
fn a_configuration_that_was_shown_is_one_that_can_be_used() {
    let run = SmallRun::new();
    let changed = ["--set", "training.num_epochs=3"];
    let shown = run
        .say_of_config("config show", &changed)
        .ended_with(DONE)
        .printing("num_epochs: 3")
        .printing("--set");
    fs::write(run.folder().join("shown.yaml"), &shown.stdout).unwrap();
    run.say(["config", "check", "--config", "shown.yaml"]).ended_with(DONE).printing("ok");
    run.say(["config", "check"]).ended_with(DONE).printing("ok");
}

#[test]
fn the_configuration_of_a_run_is_whole() {
    let run = SmallRun::new();
    run.train(&[]).ended_with(DONE);
    let config = run.run().join("config.yaml");
    run.say(["config", "check", "--config", config.to_str().unwrap()]).ended_with(DONE).printing("ok");
    let lineage: Value = serde_json::from_slice(&fs::read(run.run().join("lineage.json")).unwrap()).unwrap();
    assert_eq!(lineage["lineage"]["threads"], 1);
    assert_eq!(lineage["lineage"]["seed"], 11);
}

#[test]
fn the_schema_knows_every_section() {
    let run = SmallRun::new();
    let said = run.say(["config", "schema"]).ended_with(DONE);
    let schema: Value = serde_json::from_str(&said.stdout).unwrap();
    for section in ["data", "tasks", "model", "training"] {
        assert!(schema["properties"].get(section).is_some(), "{section}");
    }
}

#[test]
fn the_doctor_finds_a_libtorch_that_works() {
    let run = SmallRun::new();
    run.say(["doctor"]).ended_with(DONE).printing("loaded from").printing("tensors    work");
}
