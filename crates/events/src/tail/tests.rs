use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;

use tempfile::TempDir;

use super::*;
use crate::{Event, Journal, Observer};

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    (folder, path)
}

fn journal(path: &Path) -> Journal {
    Journal::open(path, || "2026-01-31T12:00:00Z".into()).unwrap().journal
}

fn all(tail: &mut Tail) -> Vec<u64> {
    std::iter::from_fn(|| tail.next_record().unwrap()).map(|record| record.seq).collect()
}

fn warning(letters: usize) -> Event {
    Event::Warning { message: "w".repeat(letters) }
}

#[test]
fn records_come_as_they_are_written() {
    let (_folder, path) = folder();
    let mut tail = Tail::of(&path);
    assert!(tail.next_record().unwrap().is_none(), "a journal that is not there yet has no record");
    let mut journal = journal(&path);
    journal.observe(&warning(1));
    assert_eq!(all(&mut tail), [0]);
    assert_eq!(all(&mut tail), [0; 0]);
    journal.observe(&warning(1));
    journal.observe(&warning(1));
    assert_eq!(all(&mut tail), [1, 2]);
}

#[test]
fn lines_longer_and_shorter_than_a_chunk_are_read_whole() {
    let (_folder, path) = folder();
    let mut journal = journal(&path);
    let lengths = [10, CHUNK, 10, 3 * CHUNK, CHUNK - 60, 10];
    for letters in lengths.into_iter().chain(std::iter::repeat_n(100, 2000)) {
        journal.observe(&warning(letters));
    }
    let mut tail = Tail::of(&path);
    let records: Vec<Record> = std::iter::from_fn(|| tail.next_record().unwrap()).collect();
    assert_eq!(records, crate::read(&path).unwrap());
    assert_eq!(records.len(), 2006);
}

#[test]
fn a_half_line_is_passed_over_until_it_is_finished_or_replaced() {
    let (_folder, path) = folder();
    journal(&path).observe(&warning(1));
    let mut tail = Tail::of(&path);
    assert_eq!(all(&mut tail), [0]);
    let finished = std::fs::metadata(&path).unwrap().len();
    let mut file = OpenOptions::new().append(true).open(&path).unwrap();
    file.write_all(br#"{"schema":1,"seq":1,"at":"2026"#).unwrap();
    assert_eq!(all(&mut tail), [0; 0]);

    // What a resumed run does: it cuts the half line off and goes on.
    File::options().write(true).open(&path).unwrap().set_len(finished).unwrap();
    journal(&path).observe(&warning(40));
    assert_eq!(all(&mut tail), [1]);
}

#[test]
fn a_line_that_is_no_record_is_named() {
    let (_folder, path) = folder();
    journal(&path).observe(&warning(1));
    let mut file = OpenOptions::new().append(true).open(&path).unwrap();
    file.write_all(b"nonsense\n").unwrap();
    let mut tail = Tail::of(&path);
    assert_eq!(tail.next_record().unwrap().unwrap().seq, 0);
    for _ in 0..2 {
        let error = tail.next_record().unwrap_err();
        assert!(matches!(error, JournalError::Line { line: 2, .. }), "{error}");
    }
}

#[test]
fn numbers_that_do_not_grow_are_named() {
    let (_folder, path) = folder();
    let line =
        r#"{"schema":1,"seq":3,"at":"2026-01-31T12:00:00Z","kind":"epoch_started","epoch":1,"step":0}"#;
    std::fs::write(&path, format!("{line}\n{line}\n")).unwrap();
    let mut tail = Tail::of(&path);
    assert_eq!(tail.next_record().unwrap().unwrap().seq, 3);
    let error = tail.next_record().unwrap_err();
    assert!(matches!(error, JournalError::Sequence { line: 2, previous: 3, found: 3, .. }), "{error}");
}
