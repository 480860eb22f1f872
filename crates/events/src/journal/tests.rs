//! Journals on files that are torn, mixed up or shared, and on media that fail on purpose.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use proptest::prelude::*;

use super::*;
use crate::{Outcome, Record, read};

fn step(step: u64) -> Event {
    let losses = BTreeMap::from([("price_prediction".to_owned(), 0.5)]);
    Event::Step {
        step,
        epoch: 1,
        learning_rate: 1e-3,
        gradient_norm: 0.7,
        loss: 0.5,
        losses,
        loss_scale: None,
        skipped: false,
    }
}

fn folder_and_path() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    (folder, path)
}

fn open(path: &Path) -> Opened {
    Journal::open(path, || "2026-01-31T12:00:00Z".into()).unwrap()
}

fn steps_of(records: &[Record]) -> Vec<u64> {
    records.iter().filter_map(|record| record.event.step()).collect()
}

#[test]
fn a_record_is_one_line_of_json() {
    let (_folder, path) = folder_and_path();
    let Opened { mut journal, .. } = open(&path);
    journal.observe(&Event::CheckpointSaved {
        step: 3,
        epoch: 1,
        folder: "step-00000003".into(),
        best: true,
    });
    assert_eq!(
        fs::read_to_string(&path).unwrap(),
        concat!(
            r#"{"schema":1,"seq":0,"at":"2026-01-31T12:00:00Z","#,
            r#""kind":"checkpoint_saved","step":3,"epoch":1,"folder":"step-00000003","best":true}"#,
            "\n"
        )
    );
}

#[test]
fn a_journal_goes_on_where_it_was() {
    let (_folder, path) = folder_and_path();
    for life in 0..3 {
        let Opened { mut journal, torn } = open(&path);
        assert_eq!(torn, None);
        journal.append(&step(2 * life + 1));
        journal.append(&step(2 * life + 2));
        assert_eq!(journal.health(), Health { written: 2, ..Health::default() });
    }
    let records = read(&path).unwrap();
    assert_eq!(records.iter().map(|record| record.seq).collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5]);
    assert_eq!(steps_of(&records), [1, 2, 3, 4, 5, 6]);
    assert_eq!(records[4].event, step(5));
}

#[test]
fn a_torn_last_line_is_passed_over_by_readers_and_cut_off_by_writers() {
    let (_folder, path) = folder_and_path();
    let Opened { mut journal, .. } = open(&path);
    journal.append(&step(1));
    journal.append(&step(2));
    drop(journal);
    let whole = fs::read(&path).unwrap();
    let first_line = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;

    for kept in first_line + 1..whole.len() {
        fs::write(&path, &whole[..kept]).unwrap();
        assert_eq!(steps_of(&read(&path).unwrap()), [1]);
        let Opened { mut journal, torn } = open(&path);
        assert_eq!(torn, Some(TornLine { line: 2, bytes: (kept - first_line) as u64 }));
        journal.append(&step(2));
        drop(journal);
        assert_eq!(fs::read(&path).unwrap(), whole, "cut after byte {kept}");
    }
}

#[test]
fn a_broken_line_in_the_middle_is_named() {
    let (_folder, path) = folder_and_path();
    let Opened { mut journal, .. } = open(&path);
    for n in 1..=3 {
        journal.append(&step(n));
    }
    drop(journal);
    let text = fs::read_to_string(&path).unwrap();

    fs::write(&path, text.replacen(r#""step":2"#, r#""step":"two""#, 1)).unwrap();
    let error = read(&path).unwrap_err();
    assert!(matches!(error, JournalError::Line { line: 2, .. }), "{error}");
    assert!(error.to_string().contains("line 2") && error.to_string().contains("journal.jsonl"), "{error}");
    assert!(matches!(Journal::open(&path, String::new), Err(JournalError::Line { line: 2, .. })));

    fs::write(&path, text.replacen(r#""schema":1,"seq":1"#, r#""schema":9,"seq":1"#, 1)).unwrap();
    assert!(matches!(read(&path), Err(JournalError::Schema { line: 2, found: 9, .. })));

    fs::write(&path, format!("{text}{text}")).unwrap();
    assert!(matches!(read(&path), Err(JournalError::Sequence { line: 4, previous: 2, found: 0, .. })));
}

#[test]
fn a_journal_has_one_writer() {
    let (_folder, path) = folder_and_path();
    let opened = open(&path);
    assert!(matches!(Journal::open(&path, String::new), Err(JournalError::Busy { .. })));
    drop(opened);
    drop(open(&path));
}

#[test]
fn a_journal_needs_its_folder() {
    let (folder, _) = folder_and_path();
    let path = folder.path().join("absent").join("journal.jsonl");
    assert!(matches!(Journal::open(&path, String::new), Err(JournalError::Open { .. })));
    assert!(matches!(read(&path), Err(JournalError::Read { .. })));
}

/// What a medium that fails on purpose holds, and what it is told to do.
#[derive(Default)]
struct Disk {
    bytes: Vec<u8>,
    room: Option<usize>,
    cannot_cut: bool,
    cannot_sync: bool,
    syncs: usize,
}

impl Medium for Arc<Mutex<Disk>> {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut disk = self.lock().unwrap();
        let fits =
            disk.room.map_or(bytes.len(), |room| bytes.len().min(room.saturating_sub(disk.bytes.len())));
        disk.bytes.extend_from_slice(&bytes[..fits]);
        if fits == bytes.len() { Ok(()) } else { Err(io::ErrorKind::StorageFull.into()) }
    }

    fn cut_to(&mut self, length: u64) -> io::Result<()> {
        let mut disk = self.lock().unwrap();
        if disk.cannot_cut {
            return Err(io::Error::other("cannot cut"));
        }
        disk.bytes.truncate(usize::try_from(length).unwrap());
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut disk = self.lock().unwrap();
        disk.syncs += 1;
        if disk.cannot_sync { Err(io::Error::other("cannot sync")) } else { Ok(()) }
    }
}

fn journal_on(disk: &Arc<Mutex<Disk>>, backlog_records: usize) -> Journal {
    Journal::on(Box::new(Arc::clone(disk)), 0, 0, backlog_records, Box::new(|| "t".into()))
}

fn records_on(disk: &Arc<Mutex<Disk>>) -> Vec<Record> {
    let finished = record::parse(&disk.lock().unwrap().bytes, Path::new("disk")).unwrap();
    assert_eq!(finished.torn_bytes, 0, "half a line was left");
    finished.records
}

#[test]
fn what_a_full_disk_refuses_is_written_when_it_has_room() {
    let disk = Arc::new(Mutex::new(Disk { room: Some(300), ..Disk::default() }));
    let mut journal = journal_on(&disk, 100);
    for n in 1..=10 {
        journal.append(&step(n));
    }
    let full = journal.health();
    assert!(full.waiting > 0 && !full.is_sound(), "{full:?}");
    assert!(full.last_error.is_some());
    assert_eq!(records_on(&disk).len() + full.waiting, 10);

    disk.lock().unwrap().room = None;
    journal.append(&step(11));
    assert!(journal.health().is_sound());
    assert_eq!(steps_of(&records_on(&disk)), (1..=11).collect::<Vec<_>>());
}

#[test]
fn the_oldest_records_go_when_too_many_wait_and_the_gap_shows() {
    let disk = Arc::new(Mutex::new(Disk { room: Some(0), ..Disk::default() }));
    let mut journal = journal_on(&disk, 3);
    for n in 1..=5 {
        journal.append(&step(n));
    }
    assert_eq!((journal.health().waiting, journal.health().dropped), (3, 2));
    disk.lock().unwrap().room = None;
    journal.append(&step(6));
    let records = records_on(&disk);
    assert_eq!(records.iter().map(|record| record.seq).collect::<Vec<_>>(), [3, 4, 5]);
    assert!(!journal.health().is_sound());
}

#[test]
fn records_that_a_power_cut_must_not_lose_are_synced() {
    let disk = Arc::new(Mutex::new(Disk::default()));
    let mut journal = journal_on(&disk, 3);
    let syncs = || disk.lock().unwrap().syncs;
    journal.append(&step(1));
    journal.append(&Event::Warning { message: "a gap".into() });
    assert_eq!(syncs(), 0);
    journal.append(&Event::EpochEnded { epoch: 1, step: 1, metrics: BTreeMap::new() });
    assert_eq!(syncs(), 1);

    disk.lock().unwrap().room = Some(0);
    journal.append(&Event::RunEnded { step: 1, epoch: 1, outcome: Outcome::Completed });
    assert_eq!(syncs(), 1, "nothing was written that could be synced");
    disk.lock().unwrap().room = None;
    disk.lock().unwrap().cannot_sync = true;
    journal.append(&Event::Warning { message: "another".into() });
    assert_eq!(syncs(), 2, "the sync of a record that had to wait comes when it is written");
    assert_eq!(journal.health().last_error.as_deref(), Some("cannot sync"));
    assert!(journal.health().is_sound());
}

proptest! {
    /// However writes and cuts fail in between, the end is a journal in order, without half a line inside.
    #[test]
    fn no_half_line_is_left_inside(
        faults in proptest::collection::vec((proptest::option::of(0_usize..400), any::<bool>()), 1..40),
    ) {
        let disk = Arc::new(Mutex::new(Disk::default()));
        let mut journal = journal_on(&disk, 1000);
        for (n, (room, cannot_cut)) in (1..).zip(&faults) {
            {
                let mut disk = disk.lock().unwrap();
                disk.room = room.map(|more| disk.bytes.len() + more);
                disk.cannot_cut = *cannot_cut;
            }
            journal.append(&step(n));
        }
        {
            let mut disk = disk.lock().unwrap();
            disk.room = None;
            disk.cannot_cut = false;
        }
        journal.append(&step(faults.len() as u64 + 1));
        prop_assert!(journal.health().is_sound());
        prop_assert_eq!(steps_of(&records_on(&disk)), (1..=faults.len() as u64 + 1).collect::<Vec<_>>());
    }
}

/// The system's own full disk: every write fails, and so does cutting.
#[cfg(target_os = "linux")]
#[test]
fn a_device_without_room_stops_nothing() {
    let device = OpenOptions::new().append(true).open("/dev/full").unwrap();
    let mut journal = Journal::on(Box::new(device), 0, 0, 2, Box::new(|| "t".into()));
    for n in 1..=4 {
        journal.observe(&step(n));
    }
    let health = journal.health();
    assert_eq!((health.written, health.waiting, health.dropped), (0, 2, 2));
    assert!(health.last_error.is_some());
}
