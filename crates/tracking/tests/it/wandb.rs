//! Files of offline runs, uploaded by the real `wandb sync` to a stand-in that keeps what arrives.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use tapeline_events::{Event, Observer, Outcome};
use tapeline_testkit::{output_of, python_with};
use tapeline_tracking::TrackingSpec;

use crate::written_run::{WrittenRun, inside, loss, started, steps};

/// Where runs are uploaded to, and what arrived.
struct StandIn {
    python: PathBuf,
    folder: tempfile::TempDir,
    port: u16,
    child: Child,
}

/// All that arrived of a run.
struct Arrived {
    rows: Vec<Value>,
    files: BTreeMap<String, String>,
    console: Vec<String>,
    exit_code: Option<i64>,
    run: Value,
}

impl StandIn {
    fn start() -> Option<Self> {
        let python = python_with(Path::new(env!("CARGO_TARGET_TMPDIR")), &["wandb==0.31.0"])?;
        let folder = tempfile::tempdir().unwrap();
        let mut child = Command::new(&python)
            .args(["-c", include_str!("wandb_stand_in.py")])
            .arg(folder.path().join("arrived.jsonl"))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut port = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut port).unwrap();
        Some(Self { python, folder, port: port.trim().parse().unwrap(), child })
    }

    /// Uploads one file of a run.
    fn sync(&self, run: &Path) -> Result<String, String> {
        let mut command = Command::new(self.python.with_file_name("wandb"));
        command
            .args(["sync"])
            .arg(run)
            .env("WANDB_BASE_URL", format!("http://127.0.0.1:{}", self.port))
            .env("WANDB_API_KEY", "a".repeat(40))
            .env("WANDB_ERROR_REPORTING", "false")
            .current_dir(self.folder.path());
        output_of(&mut command)
    }

    fn arrived(&self) -> Arrived {
        let lines = fs::read_to_string(self.folder.path().join("arrived.jsonl")).unwrap();
        let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let content = |name: &str| {
            let parts = lines.iter().filter_map(|line| line["files"][name]["content"].as_array());
            parts.flatten().map(|line| line.as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let rows = content("wandb-history.jsonl");
        let uploaded = lines.iter().filter_map(|line| Some((line["file"].as_str()?, line["text"].as_str()?)));
        Arrived {
            rows: rows.iter().map(|row| number_or_null(row)).collect(),
            files: uploaded.map(|(name, text)| (name.to_owned(), text.to_owned())).collect(),
            console: content("output.log"),
            exit_code: lines.iter().filter_map(|line| line["exitcode"].as_i64()).next_back(),
            run: lines.iter().find(|line| line["asked"] == "mutation UpsertBucket").unwrap()["variables"]
                .clone(),
        }
    }
}

/// A row, with null for what is no number in JSON.
fn number_or_null(row: &str) -> Value {
    let row = row.replace(":NaN", ":null").replace(":Infinity", ":null");
    serde_json::from_str(&row).unwrap()
}

impl Drop for StandIn {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn spec() -> TrackingSpec {
    serde_json::from_value(json!({ "wandb": { "project": "bars", "entity": "desk", "tags": ["nightly"] } }))
        .unwrap()
}

/// The files of the offline runs of a run, in the order of their making.
fn offline_runs(run: &WrittenRun) -> Vec<PathBuf> {
    let folders = fs::read_dir(run.facts.folder.join("wandb")).unwrap().map(|entry| entry.unwrap().path());
    let mut folders: Vec<PathBuf> = folders.collect();
    folders.sort();
    folders
}

#[test]
fn wandb_uploads_what_was_written() {
    let Some(server) = StandIn::start() else { return };
    let run = WrittenRun::new("uploaded", "20260131-120000");
    let mut journal = run.journal();
    started(&mut journal);
    steps(&mut journal, 1..=3000);
    inside(&mut journal, 3000);
    let metrics = BTreeMap::from([("validation/loss".to_owned(), Some(0.5)), ("undefined".to_owned(), None)]);
    journal.observe(&Event::EpochEnded { epoch: 1, step: 3000, metrics });
    journal.observe(&Event::RunEnded { step: 3000, epoch: 1, outcome: Outcome::Completed });
    run.send_to(&spec());

    let [folder] = offline_runs(&run).try_into().unwrap();
    server.sync(&folder).unwrap();
    let arrived = server.arrived();
    let rows: Vec<&Value> = arrived.rows.iter().filter(|row| row.get("step/loss").is_some()).collect();
    assert_eq!(rows.len(), 3000);
    for (step, row) in (1..).zip(rows) {
        assert_eq!(row["step"], step, "{row}");
        let expected = loss(step);
        match row["step/loss"].as_f64() {
            Some(found) => assert_eq!(found, expected),
            None => assert!(expected.is_nan(), "{row}"),
        }
    }
    let with = |key: &str| arrived.rows.iter().find_map(|row| row.get(key)).unwrap();
    assert_eq!(with("time/stall_share"), 0.2);
    let weights = with("weights/cnn.weight");
    assert_eq!(weights["_type"], "histogram");
    let counts: Vec<u64> = serde_json::from_value(weights["values"].clone()).unwrap();
    let bins: Vec<f64> = serde_json::from_value(weights["bins"].clone()).unwrap();
    assert_eq!((counts.iter().sum::<u64>(), bins[0], bins[bins.len() - 1]), (4, -1.0, 2.0));
    assert_eq!(bins.len(), counts.len() + 1);
    let last = arrived.rows.last().unwrap();
    assert_eq!((&last["validation/loss"], last.get("undefined")), (&json!(0.5), None));
    assert_eq!(arrived.exit_code, Some(0));
    assert!(
        arrived.console.iter().any(|line| line.contains("epoch 1: validation/loss 0.5000")),
        "{:?}",
        arrived.console
    );
    assert_eq!((&arrived.run["project"], &arrived.run["entity"]), (&json!("bars"), &json!("desk")));
    assert_eq!(arrived.run["tags"], json!(["nightly"]));
    let summary: Value = serde_json::from_str(&arrived.files["/upload/wandb-summary.json"]).unwrap();
    assert_eq!(summary["validation/loss"], 0.5);
    assert!(arrived.files["/upload/config.yaml"].contains("log_return"));
}

#[test]
fn a_run_that_is_resumed_is_two_files_of_one_run_with_every_row_once() {
    let Some(server) = StandIn::start() else { return };
    let run = WrittenRun::new("resumed", "20260131-120000");
    let mut journal = run.journal();
    started(&mut journal);
    steps(&mut journal, 1..=40);
    journal.observe(&Event::RunEnded { step: 40, epoch: 1, outcome: Outcome::Interrupted });
    run.send_to(&spec());
    // Another process goes on from the checkpoint at step 30.
    journal.observe(&Event::ResumedFrom { step: 30, epoch: 1 });
    steps(&mut journal, 31..=60);
    journal.observe(&Event::RunEnded { step: 60, epoch: 1, outcome: Outcome::Completed });
    run.send_to(&spec());

    let folders = offline_runs(&run);
    assert_eq!(folders.len(), 2, "{folders:?}");
    for folder in &folders {
        server.sync(folder).unwrap();
    }
    let arrived = server.arrived();
    let numbers = |key: &str| arrived.rows.iter().map(|row| row[key].as_u64().unwrap()).collect::<Vec<_>>();
    assert_eq!(numbers("step"), (1..=60).collect::<Vec<_>>());
    assert!(numbers("_step").is_sorted_by(|a, b| a < b), "W&B drops rows that go back");
    assert_eq!(arrived.exit_code, Some(0));
}
