//! Connections that break at the worst moment: as the transaction is committed, before the server hears of it or after.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tapeline_hpo::{Direction, HpoError, NewTrial, PostgresOptions, PostgresStorage, Storage, TrialState};

use tapeline_testkit::PostgresServer;

/// When a line breaks.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Moment {
    /// The server never hears of the commit.
    Before,
    /// The client never hears of it.
    After,
    /// Neither hears of the other any more, and nobody hangs up before the server does.
    Silent,
    /// The client's end breaks and the server's does not.
    Halved,
}

/// A way to a server that breaks at the next `left` commits of transactions that write.
pub(crate) struct Way {
    pub(crate) port: u16,
    pub(crate) left: Arc<AtomicUsize>,
    /// Whether nobody new is let through.
    pub(crate) shut: Arc<AtomicBool>,
}

impl Way {
    pub(crate) fn to(server: u16, moment: Moment) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let left = Arc::new(AtomicUsize::new(0));
        let shut = Arc::new(AtomicBool::new(false));
        let (breaks, closed) = (Arc::clone(&left), Arc::clone(&shut));
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if closed.load(Ordering::Acquire) {
                    continue;
                }
                let Ok(server) = TcpStream::connect(("127.0.0.1", server)) else { continue };
                let breaks = Arc::clone(&breaks);
                std::thread::spawn(move || carry(client, server, moment, &breaks));
            }
        });
        Self { port, left, shut }
    }
}

fn carry(mut client: TcpStream, mut server: TcpStream, moment: Moment, left: &AtomicUsize) {
    let (mut answers, mut back) = (server.try_clone().unwrap(), client.try_clone().unwrap());
    let silent = Arc::new(AtomicBool::new(false));
    let mute = Arc::clone(&silent);
    let answering = std::thread::spawn(move || {
        let mut bytes = [0; 1 << 16];
        while let Ok(count @ 1..) = answers.read(&mut bytes) {
            // What is answered after the line broke is not carried any more, but the server has said it.
            if mute.load(Ordering::Acquire) || back.write_all(&bytes[..count]).is_err() {
                break;
            }
        }
    });
    let (mut bytes, mut writes) = ([0; 1 << 16], false);
    while let Ok(count @ 1..) = client.read(&mut bytes) {
        let says = |word: &[u8]| bytes[..count].windows(word.len()).any(|said| said == word);
        writes = says(b"txid_current()") || (writes && !says(b"READ ONLY"));
        let breaks = writes
            && says(b"COMMIT")
            && left.fetch_update(Ordering::AcqRel, Ordering::Acquire, |left| left.checked_sub(1)).is_ok();
        if breaks {
            match moment {
                Moment::Before => {}
                Moment::After => {
                    silent.store(true, Ordering::Release);
                    server.write_all(&bytes[..count]).unwrap();
                    answering.join().unwrap();
                }
                Moment::Silent => answering.join().unwrap(),
                Moment::Halved => {
                    client.shutdown(Shutdown::Both).unwrap();
                    answering.join().unwrap();
                }
            }
            break;
        }
        if server.write_all(&bytes[..count]).is_err() {
            break;
        }
    }
    // The other side may be gone already.
    let _ = (client.shutdown(Shutdown::Both), server.shutdown(Shutdown::Both));
}

#[test]
fn nothing_is_done_twice_and_nothing_is_lost() {
    let Some(server) = PostgresServer::shared() else { return };
    for moment in [Moment::Before, Moment::After] {
        let url = server.database();
        let direct = PostgresStorage::connect(&url, PostgresOptions::default()).unwrap();
        let study = direct.create_study("s", &[Direction::Minimize]).unwrap();
        let way = Way::to(server.port(), moment);
        let around = url.replace(&format!(":{}/", server.port()), &format!(":{}/", way.port));
        let storage = PostgresStorage::connect(&around, PostgresOptions::default()).unwrap();
        for turn in 0..4 {
            let breaks = || way.left.store(1, Ordering::Release);
            breaks();
            let made = storage.create_trial(study, &NewTrial::in_state(TrialState::Waiting)).unwrap();
            assert_eq!(made.number, turn, "{moment:?}");
            breaks();
            let taken = storage.claim_waiting(study).unwrap().unwrap();
            assert_eq!(taken.id, made.id, "{moment:?}");
            breaks();
            storage.finish_trial(taken.id, &[], TrialState::Complete, Some(&[1.0])).unwrap();
            assert_eq!(way.left.load(Ordering::Acquire), 0, "{moment:?}: no line broke");
            let trials = direct.trials(study, None, &[]).unwrap();
            assert_eq!(trials.len() as u64, turn + 1, "{moment:?}: a trial was made twice");
            assert!(trials.iter().all(|trial| trial.state == TrialState::Complete), "{moment:?}");
        }
    }
}

#[test]
fn a_server_that_stays_away_is_said_to_be_away() {
    let Some(server) = PostgresServer::start() else { return };
    let url = server.database();
    let storage = PostgresStorage::connect(&url, PostgresOptions::default()).unwrap();
    let study = storage.create_study("s", &[Direction::Minimize]).unwrap();
    let patience = Duration::from_secs(2);
    let hurried = PostgresStorage::connect(&url, PostgresOptions { patience }).unwrap();
    server.down("immediate");
    let refused = hurried.create_trial(study, &NewTrial::in_state(TrialState::Running));
    let Err(HpoError::Away { waited, .. }) = refused else { panic!("{refused:?}") };
    assert!(waited >= patience);
    server.up();
    storage.create_trial(study, &NewTrial::in_state(TrialState::Running)).unwrap();
}

#[test]
fn a_server_that_refuses_is_not_waited_for() {
    let Some(server) = PostgresServer::shared() else { return };
    let url = server.database().replace("/studies_", "/nothing_");
    let refused = PostgresStorage::connect(&url, PostgresOptions::default()).map(drop);
    let Err(HpoError::Storage { source, .. }) = refused else { panic!("{refused:?}") };
    let said = std::iter::successors(Some(&*source as &dyn std::error::Error), |error| error.source())
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ");
    assert!(said.contains("does not exist"), "{said}");
}
