//! Servers and workers that stand still: how long they are waited for, and that nobody waits for ever.

use std::net::TcpListener;
use std::sync::atomic::Ordering;
use std::sync::mpsc::channel;
use std::time::Duration;

use tapeline_hpo::{
    Direction, HpoError, NewTrial, PostgresOptions, PostgresStorage, Storage as _, TrialState,
};
use tapeline_testkit::PostgresServer;

use crate::lost_commit::{Moment, Way};

fn patient(url: &str, patience: Duration) -> Result<PostgresStorage, HpoError> {
    PostgresStorage::connect(url, PostgresOptions { patience })
}

/// What `work` comes to, on a thread of its own: where the fault is that it waits for ever, the test ends all the same.
fn in_the_end<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (said, heard) = channel();
    std::thread::spawn(move || drop(said.send(work())));
    heard.recv_timeout(Duration::from_secs(120)).expect("it waits for ever")
}

/// A storage whose line to the server breaks at its next commit, one that has a line of its own, and their study.
fn broken_at(
    server: &PostgresServer,
    moment: Moment,
    patience: Duration,
) -> (PostgresStorage, PostgresStorage, tapeline_hpo::StudyId, Way) {
    let url = server.database();
    let direct = patient(&url, PostgresOptions::default().patience).unwrap();
    let study = direct.create_study("s", &[Direction::Minimize]).unwrap();
    let way = Way::to(server.port(), moment);
    let around = url.replace(&format!(":{}/", server.port()), &format!(":{}/", way.port));
    let broken = patient(&around, patience).unwrap();
    way.left.store(1, Ordering::Release);
    (broken, direct, study, way)
}

fn running() -> NewTrial {
    NewTrial::in_state(TrialState::Running)
}

#[test]
fn a_worker_that_vanishes_inside_a_transaction_keeps_nobody_waiting() {
    let Some(server) = PostgresServer::shared() else { return };
    let (vanishing, direct, study, way) = broken_at(&server, Moment::Silent, Duration::from_secs(40));
    let vanished = std::thread::spawn(move || vanishing.create_trial(study, &running()));
    while way.left.load(Ordering::Acquire) > 0 {
        std::thread::yield_now();
    }
    // The study is locked by somebody who is not heard of any more.
    let (trial, direct) = in_the_end(move || (direct.create_trial(study, &running()), direct));
    assert_eq!(trial.unwrap().number, 0);
    // Once its line is there again, it does what it wanted, once.
    assert_eq!(vanished.join().unwrap().unwrap().number, 1);
    assert_eq!(direct.trials(study, None, &[]).unwrap().len(), 2);
}

#[test]
fn a_transaction_that_does_not_end_is_waited_for_as_long_as_patience_lasts() {
    let Some(server) = PostgresServer::shared() else { return };
    let (broken, direct, study, way) = broken_at(&server, Moment::Halved, Duration::from_millis(400));
    let refused = in_the_end(move || broken.create_trial(study, &running()));
    let Err(HpoError::Away { source, .. }) = refused else { panic!("{refused:?}") };
    assert!(source.to_string().contains("still in progress"), "{source}");
    assert_eq!(way.left.load(Ordering::Acquire), 0);
    assert_eq!(in_the_end(move || direct.create_trial(study, &running())).unwrap().number, 0);
}

#[test]
fn a_lock_is_waited_for_as_long_as_patience_lasts() {
    let Some(server) = PostgresServer::shared() else { return };
    let url = server.database();
    let waits = patient(&url, Duration::from_secs(60)).unwrap();
    let study = waits.create_study("s", &[Direction::Minimize]).unwrap();
    let hurried = patient(&url, Duration::from_secs(1)).unwrap();
    let mut other = postgres::Client::connect(&url, postgres::NoTls).unwrap();
    other.batch_execute("BEGIN; SELECT 1 FROM studies FOR UPDATE").unwrap();
    let refused = in_the_end(move || hurried.create_trial(study, &running()));
    let Err(HpoError::Away { source, .. }) = refused else { panic!("{refused:?}") };
    let said = std::error::Error::source(&*source).map(ToString::to_string).unwrap_or_default();
    assert!(said.contains("lock timeout"), "{source}: {said}");

    let waiting = std::thread::spawn(move || waits.create_trial(study, &running()));
    let mut onlooker = postgres::Client::connect(&url, postgres::NoTls).unwrap();
    let blocked =
        "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
    while onlooker.query(blocked, &[]).unwrap().is_empty() {
        std::thread::yield_now();
    }
    other.batch_execute("COMMIT").unwrap();
    assert_eq!(waiting.join().unwrap().unwrap().number, 0);
}

#[test]
fn who_takes_the_call_and_says_nothing_is_away() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("postgresql://tapeline@{}/studies", listener.local_addr().unwrap());
    let refused = in_the_end(move || patient(&url, Duration::from_millis(100)).map(drop));
    let Err(HpoError::Away { source, .. }) = refused else { panic!("{refused:?}") };
    assert!(source.to_string().contains("no connection came about"), "{source}");
}

/// A server that crashes gives numbers of transactions again that it had not yet written down.
#[test]
fn a_commit_that_a_crash_took_is_not_mistaken_for_that_of_another() {
    let Some(server) = PostgresServer::start() else { return };
    let (broken, direct, study, way) =
        broken_at(&server, Moment::Halved, PostgresOptions::default().patience);
    way.shut.store(true, Ordering::Release);
    let breaking = std::thread::spawn(move || broken.create_trial(study, &running()));
    while way.left.load(Ordering::Acquire) > 0 {
        std::thread::yield_now();
    }
    server.down("immediate");
    server.up();
    for number in 0..3 {
        assert_eq!(direct.create_trial(study, &running()).unwrap().number, number);
    }
    way.shut.store(false, Ordering::Release);
    assert_eq!(breaking.join().unwrap().unwrap().number, 3);
    assert_eq!(direct.trials(study, None, &[]).unwrap().len(), 4);
}
