use super::*;

fn open(folder: &Path) -> Cursor {
    Cursor::open(folder, "test").unwrap()
}

#[test]
fn what_was_acknowledged_and_remembered_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let mut cursor = open(folder.path());
    assert_eq!(cursor.acknowledged(), None);
    cursor.acknowledge(7);
    cursor.acknowledge(3);
    cursor.remember("run_id", "abc".into());
    cursor.remember("other", 1.into());
    cursor.forget("other");
    drop(cursor);
    let cursor = open(folder.path());
    assert_eq!(cursor.acknowledged(), Some(7));
    assert_eq!(cursor.recall_text("run_id"), Some("abc"));
    assert_eq!(cursor.recall("other"), None);
}

#[test]
fn two_processes_do_not_speak_for_one_sink() {
    let folder = tempfile::tempdir().unwrap();
    let _held = open(folder.path());
    let error = Cursor::open(folder.path(), "test").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WouldBlock);
    Cursor::open(folder.path(), "other").unwrap();
}

#[test]
fn a_damaged_cursor_is_set_aside_and_everything_is_sent_again() {
    let folder = tempfile::tempdir().unwrap();
    open(folder.path()).acknowledge(7);
    fs::write(folder.path().join("tracking/test.cursor"), "{\"schema\":1").unwrap();
    assert_eq!(open(folder.path()).acknowledged(), None);
    assert!(folder.path().join("tracking/test.cursor.damaged").exists());
}

#[test]
fn a_cursor_that_cannot_be_written_goes_on_in_memory() {
    let folder = tempfile::tempdir().unwrap();
    let mut cursor = open(folder.path());
    cursor.acknowledge(1);
    // Nothing can be written where a folder stands in the way, not even by root.
    fs::create_dir(folder.path().join("tracking/test.cursor.new")).unwrap();
    cursor.acknowledge(2);
    assert_eq!(cursor.acknowledged(), Some(2));
    assert!(cursor.last_error().is_some());
    fs::remove_dir(folder.path().join("tracking/test.cursor.new")).unwrap();
    cursor.acknowledge(3);
    assert!(cursor.last_error().is_none());
    drop(cursor);
    assert_eq!(open(folder.path()).acknowledged(), Some(3));
}
