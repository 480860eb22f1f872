use std::path::Path;

use super::{LEFT_OVERS, MACHINE_FOLDERS, MAX_LINES, complaints_about};

fn said_of(path: &str, text: &str) -> Vec<String> {
    complaints_about(Path::new(path), text.as_bytes()).iter().map(ToString::to_string).collect()
}

#[test]
fn a_plain_file_passes() {
    assert!(said_of("crates/models/src/hybrid.rs", "//! A network.\n\nfn forward() {}\n").is_empty());
    assert!(said_of("crates/models/src/lib.rs", "//! Networks.\n").is_empty());
}

#[test]
fn drawers_are_named() {
    for path in [
        "crates/x/src/utils.rs",
        "crates/x/src/block/mod.rs",
        "crates/core/src/time.rs",
        "scripts/common/draw.py",
        "crates/x/cpp/helpers.h",
    ] {
        assert_eq!(said_of(path, "").len(), 1, "{path}");
    }
    assert!(said_of("docs/core/thoughts.md", "").is_empty());
}

#[test]
fn length_counts_for_source_only() {
    let long = "x\n".repeat(MAX_LINES + 1);
    assert_eq!(said_of("crates/x/src/loss.rs", &long).len(), 1);
    assert!(said_of("crates/x/src/loss.rs", &"x\n".repeat(MAX_LINES)).is_empty());
    assert!(said_of("docs/table.md", &long).is_empty());
}

#[test]
fn every_left_over_is_found_with_its_line() {
    for left in LEFT_OVERS {
        let said = said_of("crates/x/src/loss.rs", &format!("fn f() {{\n    {left}\n}}\n"));
        assert_eq!(said.len(), 1, "{left}");
        assert!(said[0].starts_with("crates/x/src/loss.rs:2: "), "{}", said[0]);
    }
}

#[test]
fn machine_paths_are_found_in_any_text() {
    for folder in MACHINE_FOLDERS {
        for text in
            [format!("{folder}data"), format!("path = \"{folder}data\""), format!("see ({folder}data)")]
        {
            assert_eq!(said_of("docs/notes.md", &text).len(), 1, "{text}");
        }
        for text in [format!("docs{folder}data"), format!("..{folder}data"), format!("${{HOME}}{folder}data")]
        {
            assert!(said_of("docs/notes.md", &text).is_empty(), "{text}");
        }
    }
}

#[test]
fn a_library_opens_with_its_page() {
    assert_eq!(said_of("crates/x/src/lib.rs", "mod loss;\n").len(), 1);
    assert!(said_of("crates/x/src/loss.rs", "mod inner;\n").is_empty());
}

#[test]
fn bytes_and_generated_files_are_left_alone() {
    assert!(complaints_about(Path::new("tests/golden.safetensors"), &[0xff, 0xfe, 0]).is_empty());
    assert!(said_of("Cargo.lock", MACHINE_FOLDERS[0]).is_empty());
}
