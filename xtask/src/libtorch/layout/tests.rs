use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::super::elf::fake;
use super::{Fault, Flavour, HEADERS, Layout, VERSION_HEADER, faults_of_given};

/// A CPU-only layout in small.
fn layout(folder: &Path) -> Layout {
    for (name, needed) in [
        ("libtorch_cpu.so", &["libc10.so", "libcudart.so.13", "libc.so.6"][..]),
        ("libc10.so", &["libc.so.6"]),
        ("libcudart.so.13", &["libc.so.6"]),
    ] {
        write(&folder.join("lib").join(name), &fake::library(needed, ""));
    }
    symlink("libtorch_cpu.so", folder.join("lib/libtorch.so")).unwrap();
    for header in HEADERS {
        write(&folder.join(header), b"#pragma once\n");
    }
    write(&folder.join("build-version"), b"2.11.0\n");
    Layout { folder: folder.to_path_buf(), flavour: Flavour::Cpu }
}

fn write(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// Breaks a whole, recorded layout and hands back what is then said of it.
fn after(damage: impl FnOnce(&Path)) -> Vec<Fault> {
    let folder = tempfile::tempdir().unwrap();
    let layout = layout(folder.path());
    layout.record().unwrap();
    assert!(layout.faults().is_empty(), "{:?}", layout.faults());
    damage(folder.path());
    layout.faults()
}

#[test]
fn a_whole_one_has_no_faults_with_or_without_a_record() {
    let folder = tempfile::tempdir().unwrap();
    let layout = layout(folder.path());
    assert!(!layout.is_recorded());
    assert!(layout.faults().is_empty(), "{:?}", layout.faults());
    layout.record().unwrap();
    assert!(layout.is_recorded());
    assert!(layout.faults().is_empty(), "{:?}", layout.faults());
}

#[test]
fn one_that_is_not_there_is_missing() {
    let layout = Layout { folder: "/nowhere/2.11.0-cpu".into(), flavour: Flavour::Cpu };
    assert!(matches!(layout.faults().as_slice(), [Fault::Missing(_)]));
}

#[test]
fn a_library_that_went_is_noticed() {
    let faults = after(|folder| fs::remove_file(folder.join("lib/libcudart.so.13")).unwrap());
    assert!(
        faults
            .iter()
            .any(|fault| matches!(fault, Fault::Unresolved { needed, .. } if needed == "libcudart.so.13"))
    );
    assert!(
        faults.iter().any(|fault| matches!(fault, Fault::Missing(path) if path.ends_with("libcudart.so.13")))
    );
}

#[test]
fn a_cut_library_is_noticed() {
    let cut = |folder: &Path| {
        let path = folder.join("lib/libtorch_cpu.so");
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
    };
    let faults = after(cut);
    assert!(faults.iter().any(|fault| matches!(fault, Fault::Size { .. })), "{faults:?}");
    assert!(faults.iter().any(|fault| matches!(fault, Fault::Library { .. })), "{faults:?}");

    let folder = tempfile::tempdir().unwrap();
    let unrecorded = layout(folder.path());
    cut(folder.path());
    assert!(matches!(unrecorded.faults().as_slice(), [Fault::Library { .. }, ..]));
}

#[test]
fn a_grown_library_is_noticed() {
    let faults = after(|folder| {
        let path = folder.join("lib/libc10.so");
        let mut bytes = fs::read(&path).unwrap();
        bytes.push(0);
        fs::write(&path, bytes).unwrap();
    });
    assert!(matches!(faults.as_slice(), [Fault::Size { .. }]), "{faults:?}");
}

#[test]
fn headers_that_went_or_changed_are_noticed() {
    let faults = after(|folder| fs::remove_file(folder.join(HEADERS[0])).unwrap());
    assert!(matches!(faults.as_slice(), [Fault::Missing(_), Fault::Headers { .. }]), "{faults:?}");
    let faults = after(|folder| fs::write(folder.join(HEADERS[0]), "").unwrap());
    assert!(matches!(faults.as_slice(), [Fault::Headers { .. }]), "{faults:?}");
}

#[test]
fn another_release_is_noticed() {
    for (text, right) in [("2.11.0+cpu", true), ("2.11.0\n", true), ("2.9.1\n", false), ("", false)] {
        let faults = after(|folder| fs::write(folder.join("build-version"), text).unwrap());
        assert_eq!(faults.is_empty(), right, "{text}: {faults:?}");
    }
}

#[test]
fn a_record_that_is_rubbish_is_noticed() {
    let faults = after(|folder| fs::write(folder.join("layout.json"), "{").unwrap());
    assert!(matches!(faults.as_slice(), [Fault::Unreadable { .. }]), "{faults:?}");
}

#[test]
fn a_cpu_layout_is_no_cuda_layout() {
    let folder = tempfile::tempdir().unwrap();
    let cuda = Layout { flavour: Flavour::Cuda, ..layout(folder.path()) };
    let missing: Vec<_> = cuda.faults();
    assert_eq!(missing.len(), 2, "{missing:?}");
}

#[test]
fn a_given_one_is_known_by_its_header_where_it_names_no_release() {
    let folder = tempfile::tempdir().unwrap();
    layout(folder.path());
    assert!(faults_of_given(folder.path()).is_empty());
    fs::remove_file(folder.path().join("build-version")).unwrap();
    let header = |minor| {
        format!(
            "#define TORCH_VERSION_MAJOR 2\n#define TORCH_VERSION_MINOR {minor}\n#define TORCH_VERSION_PATCH 0\n"
        )
    };
    fs::write(folder.path().join(VERSION_HEADER), header(11)).unwrap();
    assert!(faults_of_given(folder.path()).is_empty());
    fs::write(folder.path().join(VERSION_HEADER), header(9)).unwrap();
    assert!(
        matches!(faults_of_given(folder.path()).as_slice(), [Fault::Version { found }] if found == "2.9.0")
    );
}

#[test]
fn libraries_are_followed_where_their_makers_put_them() {
    let folder = tempfile::tempdir().unwrap();
    layout(folder.path());
    let lib = folder.path().join("lib");
    fs::remove_file(lib.join("libcudart.so.13")).unwrap();
    write(&lib.join("libtorch_cpu.so"), &fake::library(&["libcudart.so.13"], "$ORIGIN/../../nvidia/lib"));
    let far = folder.path().parent().unwrap().join("nvidia/lib/libcudart.so.13");
    assert!(!far.exists());
    assert!(matches!(faults_of_given(folder.path()).as_slice(), [Fault::Unresolved { .. }, ..]));

    write(&lib.join("libtorch_cpu.so"), &fake::library(&["libcudart.so.13"], "$ORIGIN/../nvidia/lib"));
    write(&folder.path().join("nvidia/lib/libcudart.so.13"), &fake::library(&[], ""));
    assert!(faults_of_given(folder.path()).is_empty(), "{:?}", faults_of_given(folder.path()));
}
