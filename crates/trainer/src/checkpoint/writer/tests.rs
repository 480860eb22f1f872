use std::sync::mpsc::{Receiver, Sender, channel};

use super::{Report, Writer};
use crate::checkpoint::{Saved, Snapshot};
use crate::error::TrainError;
use crate::small_network;
use crate::state::State;

/// A writer that begins each snapshot when it is told to, and what tells it.
fn hesitant() -> (Writer, Sender<()>, Receiver<usize>) {
    let (go, gate) = channel();
    let (begun, beginnings) = channel();
    let writer = Writer::saving_by(move |snapshot: &Snapshot| {
        begun.send(snapshot.step()).unwrap();
        gate.recv().unwrap();
        Ok(Saved { folder: snapshot.step().to_string(), is_best: false, undeleted: Vec::new() })
    });
    (writer.unwrap(), go, beginnings)
}

fn snapshot(step: usize, cursor: usize) -> Snapshot {
    let state = State { step, cursor, ..State::fresh(small_network::lineage()) };
    Snapshot::take(&state, small_network::network().as_ref(), Vec::new()).unwrap()
}

fn inside_an_epoch(step: usize) -> Snapshot {
    snapshot(step, step)
}

fn at_an_epochs_end(step: usize) -> Snapshot {
    snapshot(step, 0)
}

fn steps(writer: &Writer) -> Vec<u64> {
    let told: Vec<Report> = writer.reports().collect();
    told.iter().map(|report| report.step).collect()
}

#[test]
fn of_snapshots_inside_an_epoch_the_newest_waits() {
    let (writer, go, beginnings) = hesitant();
    writer.give(inside_an_epoch(1)).unwrap();
    assert_eq!(beginnings.recv(), Ok(1));
    for step in [2, 3, 4] {
        writer.give(inside_an_epoch(step)).unwrap();
    }
    (0..2).for_each(|_| go.send(()).unwrap());
    writer.wait().unwrap();
    assert_eq!(steps(&writer), [1, 4]);
}

#[test]
fn one_of_an_epochs_end_is_never_given_up() {
    let (writer, go, beginnings) = hesitant();
    writer.give(inside_an_epoch(1)).unwrap();
    assert_eq!(beginnings.recv(), Ok(1));
    writer.give(inside_an_epoch(2)).unwrap();
    writer.give(at_an_epochs_end(3)).unwrap();
    writer.give(inside_an_epoch(4)).unwrap();
    // The next end waits for its place, which is there once 3 has begun.
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            (0..4).for_each(|_| go.send(()).unwrap());
        });
        writer.give(at_an_epochs_end(5)).unwrap();
        waiting.join().unwrap();
    });
    writer.wait().unwrap();
    assert_eq!(steps(&writer), [1, 3, 5]);
}

#[test]
fn who_waits_for_a_snapshot_has_those_before_it_written_too() {
    let (writer, go, beginnings) = hesitant();
    writer.give(inside_an_epoch(1)).unwrap();
    assert_eq!(beginnings.recv(), Ok(1));
    writer.give(inside_an_epoch(2)).unwrap();
    (0..3).for_each(|_| go.send(()).unwrap());
    writer.give_and_wait(inside_an_epoch(3)).unwrap();
    assert_eq!(steps(&writer), [1, 2, 3]);
}

#[test]
fn what_was_given_is_written_though_nobody_waits() {
    let (writer, go, beginnings) = hesitant();
    writer.give(inside_an_epoch(1)).unwrap();
    assert_eq!(beginnings.recv(), Ok(1));
    writer.give(inside_an_epoch(2)).unwrap();
    (0..2).for_each(|_| go.send(()).unwrap());
    drop(writer);
    assert_eq!(beginnings.recv(), Ok(2));
}

#[test]
fn a_writer_that_is_gone_is_an_error_and_no_wait() {
    let (begun, beginnings) = channel();
    // Unwinds without the words of a panic.
    let writer = Writer::saving_by(move |_: &Snapshot| {
        begun.send(()).unwrap();
        std::panic::resume_unwind(Box::new("gone"))
    });
    let writer = writer.unwrap();
    writer.give(at_an_epochs_end(1)).unwrap();
    beginnings.recv().unwrap();
    assert!(matches!(writer.wait(), Err(TrainError::WriterEnded)));
    assert!(matches!(writer.give(at_an_epochs_end(2)), Err(TrainError::WriterEnded)));
    assert!(matches!(writer.give(inside_an_epoch(3)), Err(TrainError::WriterEnded)));
}
