//! A folder is all there or not there.

use std::fs;

use tapeline_artefact::{FolderError, MANIFEST, read_folder, replace_file, write_folder};

const FILES: [(&str, &[u8]); 2] = [("one", b"first"), ("two", b"second")];

#[test]
fn what_was_written_is_read() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("folder");
    fs::create_dir(parent.path().join(".folder.partial")).unwrap(); // left by a killed process
    write_folder(&folder, &FILES).unwrap();
    let files = read_folder(&folder).unwrap();
    assert_eq!(files.len(), 2);
    assert!(FILES.iter().all(|(name, bytes)| files[*name] == *bytes));
    assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 1, "something was left behind");
    assert!(matches!(write_folder(&folder, &FILES), Err(FolderError::Exists { .. })));
}

#[test]
fn a_write_that_fails_leaves_nothing_behind() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("folder");
    let refused = write_folder(&folder, &[("one", b"first"), ("no/such/folder", b"second")]);
    assert!(matches!(refused, Err(FolderError::Io { operation: "create", .. })), "{refused:?}");
    assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0);
}

#[test]
fn each_kind_of_damage_is_named() {
    let said = |damage: &dyn Fn(&std::path::Path)| {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("folder");
        write_folder(&folder, &FILES).unwrap();
        damage(&folder);
        read_folder(&folder).unwrap_err().to_string()
    };
    assert!(said(&|folder| fs::write(folder.join("two"), "secomd").unwrap()).contains("two is damaged"));
    assert!(said(&|folder| fs::remove_file(folder.join("two")).unwrap()).contains("two is missing"));
    assert!(said(&|folder| fs::remove_file(folder.join(MANIFEST)).unwrap()).contains("it has no MANIFEST"));
    assert!(said(&|folder| fs::write(folder.join(MANIFEST), "").unwrap()).contains("lists no file"));
    assert!(said(&|folder| fs::write(folder.join(MANIFEST), "torn").unwrap()).contains("\"torn\""));
    assert!(said(&|folder| fs::remove_dir_all(folder).unwrap()).contains("it has no MANIFEST"));
}

#[test]
fn a_file_is_replaced_whole() {
    let parent = tempfile::tempdir().unwrap();
    let path = parent.path().join("last");
    for text in ["one", "another"] {
        replace_file(&path, text.as_bytes()).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
    assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 1);
}
