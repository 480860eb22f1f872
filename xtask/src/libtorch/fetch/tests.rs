use std::fs;

use super::{clear, cuda_requirements, publish, remove, wheel};

#[test]
fn only_what_brings_cuda_libraries_is_asked_for() {
    let metadata = "Name: torch\n\
        Requires-Dist: filelock\n\
        Requires-Dist: cuda-toolkit[cublas,cudart]==13.0.2; platform_system == \"Linux\"\n\
        Requires-Dist: cuda-bindings<14,>=13.0.3; platform_system == \"Linux\"\n\
        Requires-Dist: nvidia-cudnn-cu13==9.19.0.56; platform_system == \"Linux\"\n\
        Requires-Dist: triton==3.6.0; platform_system == \"Linux\"\n\
        \n\
        Requires-Dist is a word that may come up in prose, and so may nvidia-cudnn.\n";
    assert_eq!(
        cuda_requirements(metadata),
        ["cuda-toolkit[cublas,cudart]==13.0.2", "nvidia-cudnn-cu13==9.19.0.56"]
    );
}

#[test]
fn what_is_published_replaces_what_was_there() {
    let cache = tempfile::tempdir().unwrap();
    let [staged, folder, old] = ["staged", "layout", "old"].map(|name| cache.path().join(name));
    for (round, text) in ["first", "second"].into_iter().enumerate() {
        fs::create_dir(&staged).unwrap();
        fs::write(staged.join("build-version"), text).unwrap();
        publish(&staged, &folder, &old).unwrap();
        assert_eq!(fs::read_to_string(folder.join("build-version")).unwrap(), text);
        assert!(!staged.exists());
        assert_eq!(old.exists(), round == 1);
    }
}

#[test]
fn removing_takes_files_folders_links_and_nothing() {
    let cache = tempfile::tempdir().unwrap();
    let path = cache.path().join("thing");
    remove(&path).unwrap();
    fs::write(&path, "").unwrap();
    remove(&path).unwrap();
    fs::create_dir_all(path.join("inner")).unwrap();
    remove(&path).unwrap();
    std::os::unix::fs::symlink("nowhere", &path).unwrap();
    remove(&path).unwrap();
    assert!(fs::symlink_metadata(&path).is_err());
}

#[test]
fn a_wheel_is_found_by_the_start_of_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let name = "torch-2.11.0-cp311-cp311-manylinux_2_28_x86_64.whl";
    fs::write(folder.path().join(name), "").unwrap();
    assert!(wheel(folder.path(), "torch-").unwrap().ends_with(name));
    assert!(wheel(folder.path(), "nvidia_cuda_runtime-").is_err());
}

#[test]
fn what_a_killed_process_left_is_cleared_and_nothing_else() {
    let cache = tempfile::tempdir().unwrap();
    for name in
        [".2.11.0-cpu.staging-1/wheels", ".2.11.0-cpu.old/lib", "2.11.0-cpu", ".2.11.0-cuda.staging-2"]
    {
        fs::create_dir_all(cache.path().join(name)).unwrap();
    }
    clear(cache.path(), ".2.11.0-cpu.").unwrap();
    let mut left: Vec<_> =
        fs::read_dir(cache.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, [".2.11.0-cuda.staging-2", "2.11.0-cpu"]);
}
