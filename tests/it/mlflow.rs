//! A run on a real MLflow server, from the program's outside: what arrives, what is replayed, and a model that loads.

use std::time::Duration;

use serde_json::Value;
use tapeline_events::Event;

use crate::evidence::Evidence;
use crate::hpo::{LONG, Search, text};
use crate::mlflow_server::MlflowServer;
use crate::program::{BAD_INPUT, DONE};
use crate::small_run::SmallRun;

const LOAD: &str = include_str!("load_model.py");

/// What is said of a server that was too slow for a program that ends; `replay` sends the rest.
const BEHIND: &str = "has not got everything";

/// How often the server is asked.
const BETWEEN_LOOKS: Duration = Duration::from_millis(500);

#[test]
fn a_run_is_on_the_server_and_its_model_loads() {
    let Some(server) = MlflowServer::start() else { return };
    let run = SmallRun::new();
    let setting = |more: &str| format!("tracking.mlflow={{uri: \"{}\"{more}}}", server.uri());
    let registered = setting(", registered_model: extractor, alias: challenger");
    let said = run.train(&["--set", &registered]).ended_with(DONE);
    assert_eq!(Evidence::of(&run).differences(Evidence::undisturbed()), []);
    if said.stderr.contains(BEHIND) {
        run.say(["replay", run.run().to_str().unwrap()]).ended_with(DONE);
    }

    let runs = server.runs("small");
    assert_eq!(runs.len(), 1, "{runs:?}");
    assert_eq!(runs[0]["info"]["status"], "FINISHED");
    let id = runs[0]["info"]["run_id"].as_str().unwrap();
    let told: Vec<(u64, f64)> = run
        .journal()
        .iter()
        .filter_map(|record| match record.event {
            Event::Step { step, loss, .. } => Some((step, loss)),
            _ => None,
        })
        .collect();
    let arrived = || -> Vec<(u64, f64)> {
        let history = server.history(id, "step/loss");
        history.iter().map(|(step, value, _)| (*step, value.parse().unwrap())).collect()
    };
    assert_eq!(arrived(), told);
    assert!(!server.history(id, "validation/loss").is_empty());
    let listed = server.get(&format!("mlflow/artifacts/list?run_id={id}")).to_string();
    for name in [
        "config.yaml",
        "images",
        "journal.jsonl",
        "lineage.json",
        "model",
        "report.html",
        "scores-validation.json",
    ] {
        assert!(listed.contains(&format!("{name:?}")), "{name} in {listed}");
    }

    // NumPy sums in another order than libtorch, in 64 bits: 1e-5 is ten times the difference that was seen.
    let said = server.python(LOAD, &["models:/extractor@challenger", "1e-5"]).unwrap();
    assert!(said.contains("golden outputs agree"), "{said}");

    // Sent again, by somebody who knows nothing of what was sent: nothing changes.
    let path = run.run();
    std::fs::remove_dir_all(path.join("tracking")).unwrap();
    run.say(["replay", path.to_str().unwrap(), "--sink", "mlflow"])
        .ended_with(DONE)
        .printing("has everything");
    assert_eq!(server.runs("small").len(), 1);
    assert_eq!(arrived(), told);
    let versions = server.get("mlflow/model-versions/search?filter=name%3D%27extractor%27");
    assert_eq!(versions["model_versions"].as_array().unwrap().len(), 1, "{versions}");

    // What `evaluate` finds out later arrives too.
    let arguments = ["evaluate", "--run", path.to_str().unwrap(), "--split", "test"];
    run.say(arguments).ended_with(DONE);
    assert_eq!(server.history(id, "scored/test/loss").len(), 1);
}

#[test]
fn a_server_that_is_killed_in_mid_run_has_everything_once_it_is_back() {
    let Some(mut server) = MlflowServer::start() else { return };
    let run = SmallRun::new();
    let setting = format!("tracking.mlflow={{uri: \"{}\"}}", server.uri());
    let mut training = run.start(&["--set", &setting, "--set", "training.num_epochs=6"]);
    training.wait_for_step(5);
    server.kill();
    training.wait_for_step(20);
    server.start_again();
    training.wait().ended_with(DONE);
    let path = run.run();
    run.say(["replay", path.to_str().unwrap()]).ended_with(DONE).printing("has everything");
    let runs = server.runs("small");
    assert_eq!((runs.len(), &runs[0]["info"]["status"]), (1, &"FINISHED".into()), "{runs:?}");
    let history = server.history(runs[0]["info"]["run_id"].as_str().unwrap(), "step/loss");
    let arrived: Vec<u64> = history.iter().map(|(step, ..)| *step).collect();
    let steps = run.journal().iter().filter(|record| matches!(record.event, Event::Step { .. })).count();
    assert_eq!(arrived, (1..=steps as u64).collect::<Vec<_>>());
}

#[test]
fn a_trial_whose_worker_was_killed_is_no_longer_shown_as_running() {
    let Some(server) = MlflowServer::start() else { return };
    let search = Search::new();
    let tracked = format!("tracking.mlflow={{uri: \"{}\"}}", server.uri());
    let arguments = [&LONG[..], &["--trials", "1", "--set", &tracked]].concat();
    // So that it can be asked for from the beginning.
    server.post("mlflow/experiments/create", &serde_json::json!({ "name": "small" }));
    let of_trials = || -> Vec<(String, String)> {
        let word = |run: &Value, key: &str| run["info"][key].as_str().unwrap().to_owned();
        let runs = server.runs("small");
        let named = runs.iter().map(|run| (word(run, "run_name"), word(run, "status")));
        let mut trials: Vec<_> = named.filter(|(name, _)| name.contains("trial-")).collect();
        trials.sort();
        trials
    };
    let mut running = search.start(&arguments);
    while running.try_wait().unwrap().is_none() && !of_trials().iter().any(|(_, status)| status == "RUNNING")
    {
        std::thread::sleep(BETWEEN_LOOKS);
    }
    running.kill().unwrap();
    running.wait().unwrap();
    let said = search.run(&arguments).ended_with(DONE);
    if said.stderr.contains(BEHIND) {
        for trial in search.trials() {
            search.say_words(["replay", &text(&trial, "run").unwrap()]).ended_with(DONE);
        }
    }
    let statuses: Vec<String> = of_trials().into_iter().map(|(_, status)| status).collect();
    assert_eq!(statuses, ["FAILED", "FINISHED"]);
}

#[test]
fn a_replay_needs_a_tracker_that_the_run_has() {
    let run = SmallRun::new();
    run.train(&[]).ended_with(DONE);
    let path = run.run();
    let path = path.to_str().unwrap();
    run.say(["replay", path]).ended_with(BAD_INPUT).complaining("has no tracker");
    run.say(["replay", path, "--sink", "mlfow"])
        .ended_with(BAD_INPUT)
        .complaining("no tracker named \"mlfow\"");
    run.say(["replay", path, "--set", "seed=3"])
        .ended_with(BAD_INPUT)
        .complaining("only `tracking` can change");
}

#[test]
fn a_journal_is_read_while_it_is_written() {
    let (run, mut training) = SmallRun::held_at(5);
    let path = run.run();
    let path = path.to_str().unwrap();
    run.say(["runs", "tail", path, "-n", "1000"]).ended_with(DONE).printing("run_started").printing("step 5");
    training.signal("CONT");
    training.wait().ended_with(DONE);
    let said = run.say(["runs", "tail", path, "-n", "3", "--json"]).ended_with(DONE);
    let lines: Vec<&str> = said.stdout.lines().collect();
    let journal = run.journal();
    let last: Vec<String> =
        journal[journal.len() - 3..].iter().map(|record| serde_json::to_string(record).unwrap()).collect();
    assert_eq!(lines, last);
}
