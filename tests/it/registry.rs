//! `tapeline registry` from a shell: register, prove, promote, go back, and be killed in between.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tapeline_artefact::Registry;

use crate::program::{BAD_INPUT, DONE, FAILED, Said, tapeline};
use crate::small_run::SmallRun;

/// Processes that are killed, spread evenly over the time that an undisturbed one takes.
const KILLS: u32 = 12;

/// A trained run; its registry is the folder `registry` beside `runs`.
fn trained() -> SmallRun {
    let run = SmallRun::new();
    run.train(&[]).ended_with(DONE);
    run
}

fn certify(run: &SmallRun) {
    let folder = run.run();
    let check = ["data", "leakcheck", "--probes", "2", "--run", folder.to_str().unwrap()];
    run.say(check).ended_with(DONE).printing("no leak").printing("leak-certificate.json");
}

fn add_command(run: &SmallRun) -> Command {
    let folder = run.run();
    tapeline(run.folder(), ["registry", "add", "--model", "hybrid", "--run", folder.to_str().unwrap()])
}

fn add(run: &SmallRun) -> Said {
    Said::by(add_command(run))
}

fn registry(run: &SmallRun, words: &str) -> Said {
    run.say(["registry"].into_iter().chain(words.split(' ')))
}

fn json(said: &Said) -> Value {
    serde_json::from_str(&said.stdout).unwrap()
}

#[test]
fn a_run_is_registered_proved_and_promoted() {
    let run = trained();
    add(&run).ended_with(DONE).printing("hybrid version 1").complaining("has no leak certificate");
    registry(&run, "promote hybrid 1 --alias champion")
        .ended_with(FAILED)
        .complaining("version 1 of hybrid is not promoted: it has no leak certificate");
    let reasonless = registry(&run, "promote hybrid 1 --alias champion --force");
    reasonless.ended_with(BAD_INPUT).complaining("--reason");
    registry(&run, "promote hybrid 1 --alias champion --force --reason trying")
        .ended_with(DONE)
        .complaining("warning: forced, in spite of this: it has no leak certificate");

    certify(&run);
    let added = Said::by({
        let mut command = add_command(&run);
        command.arg("--json");
        command
    });
    let added = json(&added.ended_with(DONE));
    assert_eq!(added["entry"]["version"], 2);
    let evidence = &added["entry"]["evidence"];
    let id = run.run().file_name().unwrap().to_str().unwrap().to_owned();
    assert_eq!(evidence["run"], format!("small/{id}"));
    assert_eq!(evidence["lineage"]["run"], id.as_str());
    assert!(evidence["scores"]["validation/loss"].is_f64(), "{evidence}");
    registry(&run, "promote hybrid 2 --alias champion")
        .ended_with(DONE)
        .printing("champion of hybrid: version 1 → version 2 (promoted)");
    registry(&run, "promote hybrid champion --alias candidate").ended_with(DONE);

    let listed = json(&registry(&run, "list --json").ended_with(DONE));
    let column =
        |name: &str| listed.as_array().unwrap().iter().map(|row| row[name].clone()).collect::<Vec<_>>();
    assert_eq!(column("version"), [1, 2]);
    assert_eq!(column("leak_check"), [Value::Null, "clean".into()]);
    assert_eq!(listed[1]["aliases"], serde_json::json!(["candidate", "champion"]));
    registry(&run, "list").ended_with(DONE).printing("candidate, champion").printing(&id);
    registry(&run, "show hybrid champion").ended_with(DONE).printing("clean: ").printing("forced (trying)");
    let shown = json(&registry(&run, "show hybrid --json").ended_with(DONE));
    assert_eq!(shown["entry"], added["entry"]);
    assert_eq!(shown["history"].as_array().map(Vec::len), Some(3));

    let back = registry(&run, "rollback hybrid --alias champion");
    back.ended_with(DONE).printing("champion of hybrid: version 2 → version 1 (rolled back)");
    registry(&run, "rollback hybrid --alias champion")
        .ended_with(BAD_INPUT)
        .complaining("nothing to go back to");
}

#[test]
fn a_missed_target_stands_in_the_way() {
    let run = trained();
    certify(&run);
    let targets = r#"[{ "metric": "validation/loss", "min": null, "max": 0.1, "value": 0.9, "verdict": "missed" },
                      { "metric": "validation/price_prediction/h1/rank_ic_cross", "min": 0.1, "max": null,
                        "value": null, "verdict": "undefined" }]"#;
    fs::write(run.run().join("targets.json"), targets).unwrap();
    add(&run).ended_with(DONE);
    registry(&run, "list").ended_with(DONE).printing("1 missed, 1 undefined");
    registry(&run, "promote hybrid 1 --alias champion")
        .ended_with(FAILED)
        .complaining("validation/loss is 0.9 and should be at most 0.1")
        .complaining("rank_ic_cross is undefined and should be at least 0.1");
    fs::write(run.run().join("targets.json"), "[{").unwrap();
    add(&run).ended_with(BAD_INPUT).complaining("targets.json cannot be understood");
}

#[test]
fn a_run_that_names_targets_comes_with_what_became_of_them() {
    let run = SmallRun::new();
    run.train(&["--set", "targets={validation/loss: {max: 1e6}}"]).ended_with(DONE);
    add(&run).ended_with(DONE);
    fs::remove_file(run.run().join("targets.json")).unwrap();
    add(&run).ended_with(BAD_INPUT).complaining("the run names targets");
}

#[test]
fn bars_that_changed_are_not_certified() {
    let run = SmallRun::with_bars(|_| ());
    run.train(&crate::small_run::FROM_FILES).ended_with(DONE);
    run.rewrite_bars(|bars| bars[0].volume[7] += 1.0);
    let folder = run.run();
    run.say(["data", "leakcheck", "--run", folder.to_str().unwrap()])
        .ended_with(BAD_INPUT)
        .complaining("not the bars the run was trained on");
    assert!(!folder.join("leak-certificate.json").exists());
}

#[test]
fn a_damaged_version_has_its_line_and_is_refused() {
    let run = trained();
    add(&run).ended_with(DONE);
    add(&run).ended_with(DONE);
    let weights = run.folder().join("registry/hybrid/1/weights.safetensors");
    let mut bytes = fs::read(&weights).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&weights, bytes).unwrap();
    let listed = registry(&run, "list").ended_with(DONE).printing("DAMAGED");
    assert!(listed.stdout.contains("weights.safetensors is damaged"), "{listed}");
    registry(&run, "promote hybrid 1 --alias champion --force --reason must")
        .ended_with(BAD_INPUT)
        .complaining("version 1 of hybrid cannot be used")
        .complaining("weights.safetensors is damaged");
}

#[test]
fn what_is_not_there_is_named() {
    let run = trained();
    registry(&run, "list").ended_with(BAD_INPUT).complaining("there is no registry at registry");
    registry(&run, "list --registry elsewhere").ended_with(BAD_INPUT).complaining("registry at elsewhere");
    add(&run).ended_with(DONE);
    registry(&run, "show hybird").ended_with(BAD_INPUT).complaining("it has hybrid");
    registry(&run, "promote hybrid 9 --alias champion").ended_with(BAD_INPUT).complaining("it has 1");
    fs::remove_dir_all(run.run().join("artefact")).unwrap();
    add(&run).ended_with(BAD_INPUT).complaining("artefact cannot be registered");
}

#[test]
fn many_processes_at_once_get_a_number_each() {
    let run = trained();
    let adders: Vec<_> = (0..5)
        .map(|_| add_command(&run).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
        .collect();
    for adder in adders {
        Said::of(adder.wait_with_output().unwrap()).ended_with(DONE);
    }
    assert!(versions(run.folder()).into_iter().eq(1..=5));
}

fn versions(folder: &Path) -> Vec<u32> {
    Registry::open(folder.join("registry")).unwrap().versions("hybrid").unwrap()
}

/// Every version is whole, and the champion is one of them.
fn is_sound(run: &SmallRun) {
    let registry = Registry::open(run.folder().join("registry")).unwrap();
    for version in registry.versions("hybrid").unwrap() {
        registry.entry("hybrid", version).unwrap();
    }
    registry.resolve("hybrid", "champion").unwrap();
}

/// Starts `command` and kills it after this share of `whole`.
fn killed(mut command: Command, whole: Duration, number: u32) {
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(whole * number / KILLS);
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_killed_registration_or_promotion_leaves_a_sound_registry() {
    let run = trained();
    certify(&run);
    let begin = Instant::now();
    add(&run).ended_with(DONE);
    let adding = begin.elapsed();
    registry(&run, "promote hybrid 1 --alias champion").ended_with(DONE);
    for number in 0..KILLS {
        killed(add_command(&run), adding, number);
        is_sound(&run);
    }
    add(&run).ended_with(DONE);
    let there = versions(run.folder());
    let (first, last) = (there[0], there[there.len() - 1]);
    let promote = |version: u32| {
        let version = version.to_string();
        tapeline(run.folder(), ["registry", "promote", "hybrid", &version, "--alias", "champion"])
    };
    let begin = Instant::now();
    Said::by(promote(last)).ended_with(DONE);
    let promoting = begin.elapsed();
    for number in 0..KILLS {
        killed(promote(if number % 2 == 0 { first } else { last }), promoting, number);
        is_sound(&run);
    }
    let leftovers = fs::read_dir(run.folder().join("registry/hybrid")).unwrap();
    let leftovers = leftovers.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let incoming: Vec<String> = leftovers.filter(|name| name.contains("incoming")).collect();
    assert!(incoming.is_empty(), "{incoming:?}");
}
