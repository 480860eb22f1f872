//! What was saved is what is loaded, and anything else is refused.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use tapeline_artefact::{
    ARTEFACT_VERSION, ArtefactError, Extractor, FolderError, predict, read_folder, write_folder,
};
use tapeline_data_pipeline::Split;
use tapeline_data_pipeline::feature::{LogReturn, Volume};
use tapeline_models::weights_to_bytes;
use tch::Device;

use crate::small_extractor::{SmallExtractor, bars, data_spec, labels, prepared};

fn load(folder: &Path) -> Result<Extractor, ArtefactError> {
    Extractor::load(folder, Device::Cpu)
}

fn refusal(folder: &Path) -> ArtefactError {
    match load(folder) {
        Ok(_) => panic!("not refused"),
        Err(error) => error,
    }
}

/// Writes the artefact again with other files, as if it had been saved so.
fn rewrite(folder: &Path, change: impl FnOnce(&mut BTreeMap<String, Vec<u8>>)) {
    let mut files = read_folder(folder).unwrap();
    change(&mut files);
    fs::remove_dir_all(folder).unwrap();
    let files: Vec<(&str, &[u8])> = files.iter().map(|(name, bytes)| (&**name, &**bytes)).collect();
    write_folder(folder, &files).unwrap();
}

#[test]
fn a_loaded_extractor_says_what_the_saved_network_said() {
    let small = SmallExtractor::new();
    let parent = tempfile::tempdir().unwrap();
    let loaded = load(&small.save(parent.path()).unwrap()).unwrap();
    assert_eq!(*loaded.description(), small.description);

    let again = small.description.data.check().unwrap();
    let data = again.prepare_with(bars(&data_spec()), &labels(), &loaded.description().fitted).unwrap();
    let samples = data.samples(Split::Test);
    let said = loaded.predict(&data, samples, 64).unwrap();
    let expected = predict(small.network.as_ref(), &small.data, samples, 64, Device::Cpu).unwrap();
    assert_eq!(said, expected);
    assert_eq!((said.features.width, said.heads[0].width), (6, 2));
    assert_eq!(said.heads[0].values.len(), 2 * samples.len());
}

#[test]
fn the_same_artefact_is_the_same_bytes() {
    let small = SmallExtractor::new();
    let folders = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let files = folders.each_ref().map(|parent| read_folder(&small.save(parent.path()).unwrap()).unwrap());
    assert_eq!(files[0], files[1]);
}

#[test]
fn a_damaged_file_is_named() {
    let small = SmallExtractor::new();
    for file in ["artefact.json", "weights.safetensors", "golden.safetensors"] {
        let parent = tempfile::tempdir().unwrap();
        let path = small.save(parent.path()).unwrap().join(file);
        let mut bytes = fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(&path, bytes).unwrap();
        match refusal(&parent.path().join("extractor")) {
            ArtefactError::Folder(FolderError::Damaged { path: named, .. }) => assert_eq!(named, path),
            other => panic!("{other}"),
        }
    }
}

#[test]
fn a_file_that_was_never_there_is_named() {
    let parent = tempfile::tempdir().unwrap();
    let folder = SmallExtractor::new().save(parent.path()).unwrap();
    rewrite(&folder, |files| drop(files.remove("golden.safetensors")));
    let error = refusal(&folder);
    assert!(matches!(error, ArtefactError::MissingFile { file: "golden.safetensors", .. }), "{error}");
}

#[test]
fn another_version_is_refused_by_its_number() {
    let parent = tempfile::tempdir().unwrap();
    let folder = SmallExtractor::new().save(parent.path()).unwrap();
    rewrite(&folder, |files| drop(files.insert("artefact.json".into(), br#"{"version": 99}"#.to_vec())));
    let error = refusal(&folder);
    let expected = ARTEFACT_VERSION;
    assert!(
        matches!(error, ArtefactError::Version { found: 99, expected: e, .. } if e == expected),
        "{error}"
    );
}

#[test]
fn weights_that_say_something_else_are_refused() {
    let small = SmallExtractor::new();
    let parent = tempfile::tempdir().unwrap();
    let folder = small.save(parent.path()).unwrap();
    let bias = small.network.parameters().get("price_prediction.bias").unwrap();
    drop(tch::no_grad(|| bias.shallow_clone().f_add_(&(bias.ones_like() * 1e-2)).unwrap()));
    let weights = weights_to_bytes(small.network.parameters()).unwrap();
    rewrite(&folder, |files| drop(files.insert("weights.safetensors".into(), weights)));
    match refusal(&folder) {
        ArtefactError::Golden { head, difference, .. } => {
            assert_eq!(head, "price_prediction");
            assert!((difference - 1e-2).abs() < 1e-6, "{difference}");
        }
        other => panic!("{other}"),
    }
}

#[test]
fn windows_of_another_layout_are_refused() {
    let small = SmallExtractor::new();
    let parent = tempfile::tempdir().unwrap();
    let loaded = load(&small.save(parent.path()).unwrap()).unwrap();
    let mut other = data_spec();
    other.features = vec![Volume.into(), LogReturn.into()];
    let data = prepared(&other);
    assert_eq!(data.inputs()[0].width(), small.data.inputs()[0].width());
    match loaded.predict(&data, data.samples(Split::Test), 64) {
        Err(ArtefactError::InputLayout { expected, found }) => assert_ne!(expected, found),
        other => panic!("not refused: {:?}", other.map(|said| said.heads.len())),
    }
}

#[test]
fn data_scaled_by_other_figures_is_refused() {
    let small = SmallExtractor::new();
    let parent = tempfile::tempdir().unwrap();
    let loaded = load(&small.save(parent.path()).unwrap()).unwrap();
    let mut other = data_spec();
    other.source.synthetic.as_mut().unwrap().seed = 4;
    let data = prepared(&other);
    let refused = loaded.predict(&data, data.samples(Split::Test), 64);
    assert!(matches!(refused, Err(ArtefactError::OtherFit)));
    let refit =
        other.check().unwrap().prepare_with(bars(&other), &labels(), &small.description.fitted).unwrap();
    assert!(loaded.predict(&refit, refit.samples(Split::Test), 64).is_ok());
}

#[test]
fn an_artefact_is_not_written_over_and_not_without_a_sample() {
    let small = SmallExtractor::new();
    let parent = tempfile::tempdir().unwrap();
    small.save(parent.path()).unwrap();
    let again = small.save(parent.path());
    assert!(matches!(again, Err(ArtefactError::Folder(FolderError::Exists { .. }))), "{again:?}");
    let (network, folder) = (small.network.as_ref(), parent.path().join("empty"));
    let empty = Extractor::save(&folder, &small.description, network, &small.data, &[], Device::Cpu);
    assert!(matches!(empty, Err(ArtefactError::NoSample)), "{empty:?}");
    assert!(!folder.exists());
}
