//! Trials whose worker is gone, or is believed to be.

use std::process::{Child, Stdio};

use tapeline_hpo::{StorageOptions, TrialState, open_storage};

use crate::hpo::{LONG, Search, is_on, said_by};
use crate::program::{DONE, tapeline};

fn start_worker(search: &Search) -> Child {
    let arguments = ["hpo", "worker", "--storage", search.url(), "--set", "threads=1"];
    let mut command = tapeline(search.folder(), arguments);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// A study of so many trials, and a worker that is on the first.
fn begun(trials: &str) -> (Search, Child) {
    let search = Search::new();
    search.say("create", &[&LONG[..], &["--trials", trials]].concat()).ended_with(DONE);
    let mut worker = start_worker(&search);
    let process = worker.id();
    search.wait_for(&mut worker, |trials| trials.iter().any(|trial| is_on(trial, process)));
    (search, worker)
}

#[test]
fn the_last_trial_of_a_study_is_tried_again_when_its_worker_died_elsewhere() {
    let (search, mut worker) = begun("1");
    worker.kill().unwrap();
    said_by(worker);
    // As it looks from another machine, some time later.
    let database = rusqlite::Connection::open(search.study().join("study.db")).unwrap();
    let later = [
        "UPDATE trial_heartbeats SET heartbeat = '2000-01-01 00:00:00.000000'",
        "UPDATE trial_user_attributes SET value_json = '\"elsewhere:7#0\"' WHERE key = 'worker'",
    ];
    for statement in later {
        assert_eq!(database.execute(statement, []).unwrap(), 1, "{statement}");
    }
    said_by(start_worker(&search)).ended_with(DONE);
    let states: Vec<TrialState> = search.trials().iter().map(|trial| trial.state).collect();
    assert_eq!(states, [TrialState::Fail, TrialState::Complete]);
}

#[test]
fn a_worker_whose_trial_was_taken_for_dead_goes_on_with_the_next() {
    let (search, worker) = begun("2");
    let running = search.trials().iter().find(|trial| trial.state == TrialState::Running).unwrap().id;
    let storage = open_storage(search.url(), &StorageOptions::default()).unwrap();
    storage.finish_trial(running, &[], TrialState::Fail, None).unwrap();
    said_by(worker).ended_with(DONE).complaining("was taken for dead while it ran");
    let states: Vec<TrialState> = search.trials().iter().map(|trial| trial.state).collect();
    assert_eq!(states, [TrialState::Fail, TrialState::Complete]);
}
