//! Several processes work on one study: ours, and Optuna's among them.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::Stdio;
use std::time::Duration;

use tapeline_hpo::{Choice, FrozenTrial, RandomSampler, Study, TrialState};

use crate::optuna::{file, for_python, open};
use crate::python::{Optuna, Python};
use crate::worker::{Task, Worker, numbers};
use tapeline_testkit::PostgresServer;

const STUDY: &str = "together";
/// Of ours.
const WORKERS: usize = 4;
const TRIALS: usize = 2_000;
/// Of these Optuna runs so many, for each takes it a while.
const OPTUNAS: usize = 80;
/// Queued before anyone begins; each worker of ours queues more.
const QUEUED: usize = 100;
const QUEUED_BY_EACH: usize = 40;

fn make(url: &str) -> Study {
    Study::minimize(STUDY).storage(open(url)).sampler(RandomSampler).create().unwrap()
}

fn all(url: &str) -> Vec<std::sync::Arc<FrozenTrial>> {
    let storage = open(url);
    storage.trials(storage.study(STUDY).unwrap().id, None, &[]).unwrap()
}

fn assert_numbered(trials: &[std::sync::Arc<FrozenTrial>]) {
    let numbers: Vec<u64> = trials.iter().map(|trial| trial.number).collect();
    assert_eq!(numbers, Vec::from_iter(0..trials.len() as u64), "numbers are unique and without gaps");
    assert!(trials.is_sorted_by_key(|trial| trial.id), "ids grow with numbers");
}

fn whole(trial: &FrozenTrial) -> bool {
    trial.state == TrialState::Complete
        && trial.values.is_some()
        && trial.params.len() == 2
        && trial.intermediate.len() == 1
}

/// Four processes of ours and one of Optuna.
fn check_together(url: &str, python: &Python, optuna_takes_once: bool) {
    let study = make(url);
    for _ in 0..QUEUED {
        study.enqueue(&[("x".to_owned(), Choice::from(0.25))].into(), [].into()).unwrap();
    }
    let mut command = python.peer(&["work", &for_python(url), STUDY, &OPTUNAS.to_string()]);
    let mut optuna = Worker::of(command.stdin(Stdio::piped()));
    let ready = optuna.says.recv_timeout(Duration::from_secs(300)).unwrap();
    assert_eq!(ready, "ready");
    let trials = (TRIALS - OPTUNAS) / WORKERS;
    let task = Task { url, study: STUDY, trials, queues: QUEUED_BY_EACH, milliseconds: 5 };
    let ours: Vec<Worker> = (0..WORKERS).map(|_| Worker::start(&task)).collect();
    writeln!(optuna.input()).unwrap();
    // A worker that met a locked database, or any other error, has not ended well.
    let ours: Vec<Vec<String>> = ours.into_iter().map(Worker::end).collect();
    let said_by_optuna = optuna.end();
    let (optunas, lost_by_optuna) = (numbers(&said_by_optuna, "done"), numbers(&said_by_optuna, "lost"));

    let said: Vec<String> = ours.into_iter().flatten().collect();
    let (took, done, lost) = (numbers(&said, "took"), numbers(&said, "done"), numbers(&said, "lost"));
    let trials = all(url);
    assert_numbered(&trials);
    assert_eq!(took.len(), took.iter().collect::<BTreeSet<_>>().len(), "two of ours took one trial");
    assert!(took.len() > QUEUED, "only {} queued trials were taken by ours", took.len());
    assert_eq!(done.len() + lost.len(), TRIALS - OPTUNAS);
    assert_eq!(optunas.len() + lost_by_optuna.len(), OPTUNAS);
    // Optuna reads a file's queue and takes from it later, so it may take what one of ours has.
    let distinct = done.iter().chain(&optunas).collect::<BTreeSet<_>>().len();
    println!("run twice, by one of ours and by Optuna: {lost:?} and {lost_by_optuna:?}");
    if optuna_takes_once {
        assert!(lost.is_empty() && lost_by_optuna.is_empty() && distinct == TRIALS, "trials were run twice");
    }
    let finished = trials.iter().filter(|trial| trial.state.is_finished()).count();
    assert_eq!(finished, distinct);
    let torn: Vec<u64> =
        trials.iter().filter(|t| t.state.is_finished() && !whole(t)).map(|t| t.number).collect();
    assert!(torn.is_empty(), "trials {torn:?} are not whole");
    let waiting = trials.iter().filter(|trial| trial.state == TrialState::Waiting).count();
    assert_eq!(waiting + finished, trials.len(), "a trial runs for ever");
}

#[test]
fn ours_and_optuna_share_a_file() {
    let Some(python) = Optuna::V5.python() else { return };
    let (_folder, url) = file();
    check_together(&url, &python, false);
}

#[test]
fn ours_and_optuna_share_a_database() {
    let (Some(python), Some(server)) = (Optuna::V5.python(), PostgresServer::shared()) else { return };
    check_together(&server.database(), &python, true);
}

/// Among ours alone, nothing is ever taken twice.
fn check_queue(url: &str) {
    let study = make(url);
    for _ in 0..400 {
        study.enqueue(&[("x".to_owned(), Choice::from(0.25))].into(), [].into()).unwrap();
    }
    let task = Task { url, study: STUDY, trials: 100, queues: 0, milliseconds: 0 };
    let workers: Vec<Worker> = (0..WORKERS).map(|_| Worker::start(&task)).collect();
    let said: Vec<String> = workers.into_iter().flat_map(Worker::end).collect();
    let took: BTreeSet<u64> = numbers(&said, "took").into_iter().collect();
    assert_eq!(took, BTreeSet::from_iter(0..400), "every queued trial is taken");
    assert_eq!(numbers(&said, "done").len(), 400, "and by one worker");
    assert!(all(url).iter().all(|trial| whole(trial)));
}

#[test]
fn a_queue_in_a_file_is_taken_once() {
    let (_folder, url) = file();
    check_queue(&url);
}

#[test]
fn a_queue_in_a_database_is_taken_once() {
    let Some(server) = PostgresServer::shared() else { return };
    check_queue(&server.database());
}

/// Workers are killed one after the other, each in the middle of its work.
fn check_kills(url: &str) {
    let _study = make(url);
    let task = Task { url, study: STUDY, trials: usize::MAX, queues: 20, milliseconds: 2 };
    let workers: Vec<Worker> = (0..WORKERS).map(|_| Worker::start(&task)).collect();
    let mut said = Vec::new();
    for (killed, mut worker) in workers.into_iter().enumerate() {
        // At another place of its work each time.
        for _ in 0..30 + 7 * killed {
            said.push(worker.says.recv_timeout(Duration::from_secs(120)).unwrap());
        }
        worker.kill();
        said.extend(worker.says.iter());
        let trials = all(url);
        assert_numbered(&trials);
        let lost: Vec<u64> = trials
            .iter()
            .filter(|trial| trial.state == TrialState::Running)
            .map(|trial| trial.number)
            .collect();
        assert!(lost.len() <= WORKERS, "{lost:?} are running for {WORKERS} workers");
        for number in numbers(&said, "done") {
            assert!(whole(&trials[number as usize]), "trial {number} was told and is lost");
        }
    }
    let trials = all(url);
    let running = trials.iter().filter(|trial| trial.state == TrialState::Running).count();
    assert!(running <= WORKERS, "{running} trials of {WORKERS} killed workers are running");
    assert!(
        trials.iter().all(|trial| !trial.state.is_finished() || whole(trial)),
        "a finished trial is not whole"
    );
    // The study goes on.
    Worker::start(&Task { trials: 5, queues: 0, ..task }).end();
}

#[test]
fn killed_workers_lose_their_running_trial_in_a_file() {
    let (_folder, url) = file();
    check_kills(&url);
}

#[test]
fn killed_workers_lose_their_running_trial_in_a_database() {
    let Some(server) = PostgresServer::shared() else { return };
    check_kills(&server.database());
}

#[test]
fn workers_wait_for_a_server_that_is_restarted() {
    let Some(server) = PostgresServer::start() else { return };
    let url = server.database();
    let study = make(&url);
    let task = Task { url: &url, study: STUDY, trials: 150, queues: 30, milliseconds: 5 };
    let workers: Vec<Worker> = (0..WORKERS).map(|_| Worker::start(&task)).collect();
    let mut said = Vec::new();
    for mode in ["immediate", "fast", "immediate"] {
        for worker in &workers {
            for _ in 0..20 {
                said.push(worker.says.recv_timeout(Duration::from_secs(120)).unwrap());
            }
        }
        server.down(mode);
        // So that everyone notices.
        std::thread::sleep(Duration::from_millis(700));
        server.up();
    }
    for worker in workers {
        said.extend(worker.end());
    }
    let trials = all(&url);
    assert_numbered(&trials);
    let done = numbers(&said, "done");
    assert_eq!(done.len(), 150 * WORKERS, "{:?} were lost", numbers(&said, "lost"));
    let broken = trials.iter().filter(|trial| !whole(trial));
    let broken: Vec<(u64, TrialState)> = broken.map(|trial| (trial.number, trial.state)).collect();
    assert!(
        broken.is_empty(),
        "every trial that was begun is finished, once: {broken:?} of {}",
        trials.len()
    );
    assert_eq!(trials.len(), done.len(), "no call was made twice");
    drop(study);
}
