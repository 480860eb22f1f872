//! A run on a real MLflow server, asked through its own interface what arrived.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tapeline_events::{Event, Observer, Outcome, TargetOutcome, TargetVerdict};
use tapeline_tracking::MlflowSpec;

use crate::mlflow_server::MlflowServer;
use crate::written_run::{BEGINNING, LONG, WrittenRun, complete, loss, started, steps};

fn spec(server: &MlflowServer) -> MlflowSpec {
    serde_json::from_value(json!({ "uri": server.uri() })).unwrap()
}

/// Entries of a list of keys and values.
fn entries(list: &Value) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let entries = list.as_array().into_iter().flatten();
    entries.map(|entry| (text(&entry["key"]), text(&entry["value"]))).collect()
}

fn run_id(run: &Value) -> String {
    run["info"]["run_id"].as_str().unwrap().to_owned()
}

/// One server for everything: starting it takes longest.
#[test]
fn a_real_server_has_what_the_journals_say() {
    let Some(mut server) = MlflowServer::start() else { return };
    a_server_killed_in_mid_run_has_every_point_once_when_it_is_back(&mut server);
    parts_of_a_study_hang_under_one_run(&server);
    a_resumed_run_goes_on_in_the_same_run_and_an_interrupted_one_is_said_to_be(&mut server);
}

fn a_server_killed_in_mid_run_has_every_point_once_when_it_is_back(server: &mut MlflowServer) {
    let run = WrittenRun::new("killed", "20260131-120000");
    let mut journal = run.journal();
    started(&mut journal);
    steps(&mut journal, 1..=40);
    let pump = run.pump(&spec(server));
    while pump.standings()[0].acknowledged < Some(20) {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    server.kill();
    steps(&mut journal, 41..=90);
    while pump.standings()[0].fault.is_none() {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    server.start_again();
    // The trainer was killed too, and goes on from its checkpoint at step 80.
    journal.observe(&Event::ResumedFrom { step: 80, epoch: 1 });
    steps(&mut journal, 81..=1500);
    let metrics = BTreeMap::from([
        ("validation/loss".to_owned(), Some(0.5)),
        ("validation/price_prediction/h1/ic".to_owned(), None),
    ]);
    journal.observe(&Event::EpochEnded { epoch: 1, step: 1500, metrics: metrics.clone() });
    journal.observe(&Event::RunEnded { step: 1500, epoch: 1, outcome: Outcome::Completed });
    journal.observe(&Event::Scored { split: "validation".into(), metrics });
    journal.observe(&Event::TargetsChecked {
        targets: vec![TargetOutcome {
            metric: "validation/loss".into(),
            min: None,
            max: Some(1.0),
            value: Some(0.5),
            verdict: TargetVerdict::Met,
        }],
    });
    complete(&pump.finish(run.files(), LONG));

    let runs = server.runs("killed");
    assert_eq!(runs.len(), 1, "{runs:?}");
    let id = run_id(&runs[0]);
    let check = |server: &MlflowServer| {
        let history = server.history(&id, "step/loss");
        let told: Vec<u64> = history.iter().map(|(step, ..)| *step).collect();
        assert_eq!(told, (1..=1500).collect::<Vec<_>>(), "each step once");
        for (step, value, at) in &history {
            let expected = loss(*step);
            match expected.is_nan() {
                true => assert_eq!(value, "NaN", "step {step}"),
                false => assert_eq!(value.parse::<f64>().unwrap(), expected, "step {step}"),
            }
            // Two records came before the first step, one for the resumption; repeated steps keep the time they had.
            let later = if *step > 90 { 2 + 1 + 10 } else { 2 };
            assert_eq!(*at, BEGINNING as u64 + step - 1 + later, "step {step}");
        }
        assert_eq!(server.history(&id, "step/price_prediction/loss").len(), 1500);
        let scored = server.history(&id, "scored/validation/loss");
        assert_eq!(
            scored.iter().map(|(step, value, _)| (*step, value.as_str())).collect::<Vec<_>>(),
            [(1500, "0.5")]
        );
    };
    check(server);
    let info = &runs[0]["info"];
    assert_eq!((&info["status"], &info["run_name"]), (&"FINISHED".into(), &"20260131-120000".into()));
    assert_eq!(info["start_time"], BEGINNING);
    let params = entries(&runs[0]["data"]["params"]);
    assert_eq!((&*params["seed"], &*params["data.features"]), ("7", r#"["log_return"]"#));
    assert!(params["note"].ends_with('…') && params["note"].len() <= 6000);
    let tags = entries(&runs[0]["data"]["tags"]);
    for (tag, value) in [
        ("mlflow.user", "someone"),
        ("mlflow.source.type", "LOCAL"),
        ("tapeline.version", "0.1.0"),
        ("tapeline.host", "somewhere"),
        ("tapeline.resumed_from_step", "80"),
        ("tapeline.target.validation/loss", "met"),
    ] {
        assert_eq!(tags.get(tag).map(String::as_str), Some(value), "{tag}");
    }
    let dataset = &runs[0]["inputs"]["dataset_inputs"][0];
    assert_eq!(dataset["dataset"]["digest"], "0123456789abcdef0123456789abcdef0123");
    assert_eq!(dataset["tags"][0]["value"], "training");

    let listed = server.get(&format!("mlflow/artifacts/list?run_id={id}&path=artefact"));
    assert_eq!(listed["files"][0]["path"], "artefact/weights of a network.bin", "{listed}");
    assert_eq!(listed["files"][0]["file_size"], 3);

    // Everything is sent again by a process that knows nothing of it: the same run, and no point twice.
    run.forget();
    run.send(&spec(server));
    assert_eq!(server.runs("killed").len(), 1);
    check(server);
}

fn a_resumed_run_goes_on_in_the_same_run_and_an_interrupted_one_is_said_to_be(server: &mut MlflowServer) {
    let run = WrittenRun::new("resumed", "20260131-120001");
    let status = |server: &MlflowServer| {
        let runs = server.runs("resumed");
        assert_eq!(runs.len(), 1, "{runs:?}");
        (run_id(&runs[0]), runs[0]["info"]["status"].as_str().unwrap().to_owned())
    };
    let mut journal = run.journal();
    started(&mut journal);
    steps(&mut journal, 1..=10);
    journal.observe(&Event::Interrupted { step: 10, epoch: 1 });
    journal.observe(&Event::RunEnded { step: 10, epoch: 1, outcome: Outcome::Interrupted });
    run.send(&spec(server));
    let (id, interrupted) = status(server);
    assert_eq!(interrupted, "KILLED");

    journal.observe(&Event::ResumedFrom { step: 10, epoch: 1 });
    steps(&mut journal, 11..=20);
    // It dies of an error: nothing says that it ended.
    run.send(&spec(server));
    assert_eq!(status(server), (id.clone(), "FAILED".into()));

    journal.observe(&Event::ResumedFrom { step: 10, epoch: 1 });
    steps(&mut journal, 11..=30);
    journal.observe(&Event::RunEnded { step: 30, epoch: 1, outcome: Outcome::Completed });
    run.send(&spec(server));
    assert_eq!(status(server), (id.clone(), "FINISHED".into()));
    assert_eq!(server.history(&id, "step/loss").len(), 30);

    server.post("mlflow/runs/delete", &json!({ "run_id": id }));
    let standing = run.pump(&spec(server)).finish(Vec::new(), LONG).remove(0);
    assert!(standing.fault.unwrap().contains("was deleted on the server"));

    // The database is lost: everything that the journal knows goes to a new run.
    server.kill();
    server.lose_database();
    server.start_again();
    run.send(&spec(server));
    let (other, finished) = status(server);
    assert_ne!(other, id);
    assert_eq!(finished, "FINISHED");
    assert_eq!(server.history(&other, "step/loss").len(), 30);
}

fn parts_of_a_study_hang_under_one_run(server: &MlflowServer) {
    // Many that begin at once, in a study whose name a search cannot write.
    let names: Vec<String> = (1..=8).map(|number| format!("trial-{number:05}")).collect();
    let trial = |name: &String| WrittenRun::new("tuning", name).part_of("study", "it's quick");
    let trials: Vec<WrittenRun> = names.iter().map(trial).collect();
    std::thread::scope(|scope| {
        for trial in &trials {
            let mut journal = trial.journal();
            started(&mut journal);
            journal.observe(&Event::RunEnded { step: 0, epoch: 1, outcome: Outcome::Completed });
            let spec = spec(server);
            scope.spawn(move || trial.send(&spec));
        }
    });
    let runs = server.runs("tuning");
    assert_eq!(runs.len(), trials.len() + 1, "{runs:?}");
    let parent = runs.iter().find(|run| run["info"]["run_name"] == "it's quick").unwrap();
    for trial in runs.iter().filter(|run| run_id(run) != run_id(parent)) {
        assert_eq!(entries(&trial["data"]["tags"])["mlflow.parentRunId"], run_id(parent));
    }
    let status = |server: &MlflowServer| {
        let parent = server.get(&format!("mlflow/runs/get?run_id={}", run_id(parent)));
        parent["run"]["info"]["status"].as_str().unwrap().to_owned()
    };
    assert_eq!(status(server), "FINISHED");

    // A trial that runs keeps the study running, whichever other ends.
    let [late, short] = ["trial-00009", "trial-00010"].map(|name| trial(&name.to_owned()));
    let mut journal = late.journal();
    started(&mut journal);
    let pump = late.pump(&spec(server));
    while pump.standings()[0].acknowledged.is_none() {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let mut other = short.journal();
    started(&mut other);
    other.observe(&Event::RunEnded { step: 0, epoch: 1, outcome: Outcome::Completed });
    short.send(&spec(server));
    assert_eq!(status(server), "RUNNING");
    journal.observe(&Event::RunEnded { step: 0, epoch: 1, outcome: Outcome::Completed });
    complete(&pump.finish(Vec::new(), LONG));
    assert_eq!(status(server), "FINISHED");
}
