use std::fs;

use super::{ElfError, fake, read};

#[test]
fn names_needed_libraries_and_search_folders() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("libone.so");
    fs::write(&path, fake::library(&["libtwo.so", "libc.so.6"], "$ORIGIN/../far:$ORIGIN")).unwrap();
    let library = read(&path).unwrap();
    assert_eq!(library.needed, ["libtwo.so", "libc.so.6"]);
    assert_eq!(library.search, [folder.path().join("../far"), folder.path().to_path_buf()]);
}

#[test]
fn reads_what_the_linker_wrote() {
    let library = read(&std::env::current_exe().unwrap()).unwrap();
    assert!(library.needed.contains(&"libc.so.6".to_owned()), "{library:?}");
}

#[test]
fn every_cut_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("libcut.so");
    let whole = fake::library(&["libc.so.6"], "");
    for length in [0, 1, 63, 64, 100, 180, whole.len() - 1] {
        fs::write(&path, &whole[..length]).unwrap();
        assert!(matches!(read(&path), Err(ElfError::Truncated { .. })), "{length} bytes passed for whole");
    }
    fs::write(&path, &whole).unwrap();
    assert!(read(&path).is_ok());
}

#[test]
fn something_else_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("libscript.so");
    fs::write(&path, "INPUT(-lc)".repeat(20)).unwrap();
    assert!(matches!(read(&path), Err(ElfError::Foreign)));
    assert!(matches!(read(&folder.path().join("absent.so")), Err(ElfError::Read(_))));
}
