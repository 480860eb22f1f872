use std::fs;
use std::path::{Path, PathBuf};

use super::{Choice, ChoiceFile, Circumstances, Flavour, Origin, quote, tidy_path, unquote};

const CACHE: &str = "/cache/tapeline/libtorch";

fn nothing() -> Circumstances {
    Circumstances { requested: None, flavour: None, environment: None, written: None, driver: false }
}

fn everything() -> Circumstances {
    Circumstances {
        requested: Some("/asked".into()),
        flavour: Some(Flavour::Cpu),
        environment: Some("/shell".into()),
        written: Some("/before".into()),
        driver: true,
    }
}

fn given(folder: &str, origin: Origin) -> Choice {
    Choice::Given { folder: folder.into(), origin }
}

#[test]
fn each_gives_way_to_the_one_before_it() {
    let cache = Path::new(CACHE);
    assert_eq!(everything().choose(cache), given("/asked", Origin::Flag));
    let without_folder = || Circumstances { requested: None, ..everything() };
    let by_flag = Choice::Managed { flavour: Flavour::Cpu, origin: Origin::Flag };
    assert_eq!(without_folder().choose(cache), by_flag);
    let without_flags = || Circumstances { flavour: None, ..without_folder() };
    assert_eq!(without_flags().choose(cache), given("/shell", Origin::Environment));
    let remembered = Circumstances { environment: None, ..without_flags() };
    assert_eq!(remembered.choose(cache), given("/before", Origin::Written));
}

#[test]
fn a_driver_brings_cuda_only_where_nobody_chose() {
    let cache = Path::new(CACHE);
    let fresh = |driver| Circumstances { driver, ..nothing() }.choose(cache);
    assert_eq!(fresh(false), Choice::Managed { flavour: Flavour::Cpu, origin: Origin::Default });
    assert_eq!(fresh(true), Choice::Managed { flavour: Flavour::Cuda, origin: Origin::Default });
    let remembered = Circumstances { driver: true, written: Some(Flavour::Cpu.folder(cache)), ..nothing() };
    assert_eq!(remembered.choose(cache), Choice::Managed { flavour: Flavour::Cpu, origin: Origin::Written });
}

#[test]
fn a_folder_of_ours_is_ours_whoever_names_it() {
    let cache = Path::new(CACHE);
    let ours = Flavour::Cuda.folder(cache);
    let named = Circumstances { environment: Some(ours.clone()), ..nothing() };
    let managed = |origin| Choice::Managed { flavour: Flavour::Cuda, origin };
    assert_eq!(named.choose(cache), managed(Origin::Environment));
    let asked = Circumstances { requested: Some(ours), ..nothing() };
    assert_eq!(asked.choose(cache), managed(Origin::Flag));
}

#[test]
fn paths_that_mean_the_same_are_written_the_same() {
    for path in ["/opt/libtorch", "/opt/libtorch/", "/opt//libtorch", "/opt/./libtorch"] {
        assert_eq!(tidy_path(Path::new(path)).unwrap(), PathBuf::from("/opt/libtorch"));
    }
    assert!(tidy_path(Path::new("libtorch")).unwrap().is_absolute());
}

fn checkout() -> (tempfile::TempDir, ChoiceFile) {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir(root.path().join(".cargo")).unwrap();
    let file = ChoiceFile::of(root.path());
    (root, file)
}

#[test]
fn the_file_is_written_once_and_then_left_alone() {
    let (_root, file) = checkout();
    assert_eq!(file.read().unwrap(), None);
    assert!(file.write(Path::new("/opt/one")).unwrap());
    assert_eq!(file.read().unwrap(), Some("/opt/one".into()));

    let edited = "# mine\n[env]\nLIBTORCH='/opt/one'\n";
    fs::write(&file.0, edited).unwrap();
    let time = fs::metadata(&file.0).unwrap().modified().unwrap();
    assert!(!file.write(Path::new("/opt/one")).unwrap());
    assert_eq!(fs::read_to_string(&file.0).unwrap(), edited);
    assert_eq!(fs::metadata(&file.0).unwrap().modified().unwrap(), time);

    assert!(file.write(Path::new("/opt/two")).unwrap());
    assert_eq!(file.read().unwrap(), Some("/opt/two".into()));
    let left: Vec<_> = fs::read_dir(file.0.parent().unwrap()).unwrap().collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

#[test]
fn a_file_without_a_value_is_named_and_can_be_replaced() {
    let (_root, file) = checkout();
    fs::write(&file.0, "[env]\n").unwrap();
    assert!(file.read().unwrap_err().to_string().contains("libtorch.toml"));
    assert!(file.write(Path::new("/opt/one")).unwrap());
}

#[test]
fn quoting_is_undone() {
    for text in ["/opt/libtorch", r#"/opt/a "b"\c"#, ""] {
        assert_eq!(unquote(&quote(text)).as_deref(), Some(text));
    }
    assert_eq!(unquote("bare"), None);
    assert_eq!(unquote("\"open"), None);
}
