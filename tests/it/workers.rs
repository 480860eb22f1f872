//! Workers of one study in a real PostgreSQL: helped, drained, killed, and what the winner becomes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use serde_json::Value;
use tapeline_hpo::TrialState;
use tapeline_testkit::PostgresServer;

use crate::hpo::{LONG, Search, is_on, reasons, said_by, text};
use crate::program::{BAD_INPUT, DONE, INTERRUPTED, send, tapeline};

const TRIALS: usize = 6;

/// In every address here; the server trusts whoever comes.
const PASSWORD: &str = "open-sesame";

fn start_worker(search: &Search, url: &str) -> Child {
    let mut command = tapeline(search.folder(), ["hpo", "worker", "--set", "threads=1"]);
    command.env("TAPELINE_HPO__STORAGE", url);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Every file in `folder` and in the folders below it.
fn files_under(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files_under(&path) } else { vec![path] }).collect()
}

#[test]
fn workers_share_a_study_in_postgresql_and_its_winner_is_registered() {
    let Some(server) = PostgresServer::shared() else { return };
    let url = server.database().replace('@', &format!(":{PASSWORD}@"));
    let search = Search::remembered_at(&url);
    let on = |verb: &str, more: &[&str]| {
        let verb = verb.split(' ');
        search
            .say_words(["hpo"].into_iter().chain(verb).chain(["--storage", &url]).chain(more.iter().copied()))
    };
    on("worker", &[]).ended_with(BAD_INPUT);
    let trials = TRIALS.to_string();
    let create = || search.say("create", &[&LONG[..], &["--storage", &url, "--trials", &trials]].concat());
    create().ended_with(DONE).printing("tapeline hpo worker --storage");
    // Begun already, by another worker's script: nothing changes.
    create().ended_with(DONE);
    assert_eq!(search.trials().len(), 1, "the configuration as it stands is queued, once");

    let [mut drained, mut killed] = [start_worker(&search, &url), start_worker(&search, &url)];
    // Held, so that no trial ends between a look and what follows from it.
    let hold_on_a_trial = |worker: &mut Child| loop {
        let process = worker.id();
        search.wait_for(worker, |trials| trials.iter().any(|trial| is_on(trial, process)));
        send("STOP", process);
        if let Some(trial) = search.trials().into_iter().find(|trial| is_on(trial, process)) {
            break trial;
        }
        send("CONT", process);
    };
    hold_on_a_trial(&mut drained);
    let process = killed.id();
    search.wait_for(&mut killed, |trials| trials.iter().any(|trial| is_on(trial, process)));
    let process = drained.id();
    send("TERM", process);
    send("CONT", process);
    said_by(drained).ended_with(INTERRUPTED);
    let told_by = |trial: &tapeline_hpo::FrozenTrial, process: u32| {
        text(trial, "worker").is_some_and(|worker| worker.contains(&format!(":{process}#")))
    };
    let of_drained = search.trials().into_iter().filter(|trial| told_by(trial, process));
    assert!(of_drained.map(|trial| trial.state).eq([TrialState::Complete]), "it was drained");

    let lost = hold_on_a_trial(&mut killed);
    killed.kill().unwrap();
    said_by(killed);
    said_by(start_worker(&search, &url)).ended_with(DONE);
    let trials = search.trials();
    let numbers: Vec<u64> = trials.iter().map(|trial| trial.number).collect();
    assert_eq!(numbers, (0..trials.len() as u64).collect::<Vec<_>>());
    let complete = trials.iter().filter(|trial| trial.state == TrialState::Complete);
    assert_eq!(complete.count(), TRIALS);
    assert_eq!(reasons(&trials).len(), 1, "one trial was lost, and no other");
    let again = trials.iter().find(|trial| trial.system_attributes.contains_key("failed_trial")).unwrap();
    assert_eq!((again.state, &again.params), (TrialState::Complete, &lost.params));

    on("status", &[]).ended_with(DONE).printing("6 of 6");
    let best: Value = serde_json::from_str(&on("best", &["--json"]).ended_with(DONE).stdout).unwrap();
    // The lost trial counts where it lived to the end of an epoch: it looked at the validation span.
    let looks = best["deflated"]["trials"].as_u64().unwrap() as usize;
    assert!((TRIALS..=TRIALS + 1).contains(&looks), "{best}");

    on("retrain", &["--top", "1", "--seeds", "2", "--register", "winner"]).ended_with(DONE);
    let listed = search.say_words(["registry", "list"]).ended_with(DONE).printing("winner");
    assert!(listed.stdout.contains('1'), "{listed}");
    let again = on("retrain", &["--top", "1", "--seeds", "2"]).ended_with(DONE);
    let run = again.stdout.split("--run ").nth(1).unwrap().split_whitespace().next().unwrap();
    assert!(PathBuf::from(run).join("lineage.json").is_file());

    for file in files_under(search.folder()) {
        let bytes = fs::read(&file).unwrap();
        let found = bytes.windows(PASSWORD.len()).any(|window| window == PASSWORD.as_bytes());
        assert!(!found, "{} holds the password of the storage", file.display());
    }
}
