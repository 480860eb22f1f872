//! Studies that Optuna wrote are read as Optuna reads them. `scripts/golden_studies.py` wrote them, and what it read.

use std::path::{Path, PathBuf};

use tapeline_hpo::{
    Attributes, Choice, Distribution, FloatDistribution, HpoError, JsonValue, NewTrial, Param, RandomSampler,
    SqliteOptions, SqliteStorage, Storage, Study, TrialState,
};
use tempfile::TempDir;

use crate::dump::assert_read_alike;

const VERSIONS: [&str; 2] = ["5.0", "4.9"];

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

/// A copy that may be changed.
fn copy(version: &str) -> (TempDir, SqliteStorage) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("studies.db");
    std::fs::copy(golden(&format!("optuna-{version}.db")), &file).unwrap();
    let storage = SqliteStorage::open(&file, SqliteOptions::default()).unwrap();
    (folder, storage)
}

#[test]
fn optunas_studies_are_read_as_optuna_reads_them() {
    for version in VERSIONS {
        let (_folder, storage) = copy(version);
        let dump = std::fs::read_to_string(golden(&format!("optuna-{version}.json"))).unwrap();
        let dump = JsonValue::parse(dump.trim()).unwrap();
        assert_read_alike(&storage, &dump);
        assert_eq!(storage.trials(storage.study("everything, é").unwrap().id, None, &[]).unwrap().len(), 12);
    }
}

#[test]
fn optunas_studies_go_on() {
    for version in VERSIONS {
        let (_folder, storage) = copy(version);
        let storage: std::sync::Arc<dyn Storage> = std::sync::Arc::new(storage);
        let study = Study::minimize("everything, é")
            .storage(std::sync::Arc::clone(&storage))
            .sampler(RandomSampler)
            .open();
        let study = study.unwrap();
        let mut queued = study.ask().unwrap();
        assert_eq!(queued.number(), 11, "the queued trial comes first");
        assert_eq!(queued.suggest_float("float", FloatDistribution::new(-1.0, 1.0)).unwrap(), 0.5);
        let choices = ["a", "é"].map(Choice::from);
        let narrower = queued.suggest_categorical("kind", &choices);
        assert!(matches!(narrower, Err(HpoError::Disagrees { .. })), "choices are what they were");
        study.tell(queued, 1.0).unwrap();
        let new = study.ask().unwrap();
        assert_eq!(new.number(), 12);
        study.tell(new, f64::INFINITY).unwrap();

        // Names from before Optuna 3 stand for today's kinds.
        let legacy = storage.study("legacy").unwrap().id;
        let params = [("uniform".to_owned(), FloatDistribution::new(0.0, 1.0))];
        let params = params.map(|(name, may_be)| (name, Param { distribution: may_be.into(), value: 0.5 }));
        let trial = NewTrial { params: params.into(), ..NewTrial::in_state(TrialState::Running) };
        storage.create_trial(legacy, &trial).unwrap();
        let other = Param { distribution: FloatDistribution::log(0.1, 1.0).into(), value: 0.5 };
        let trial = NewTrial { params: [("uniform".to_owned(), other)].into(), ..trial };
        let refused = storage.create_trial(legacy, &trial);
        assert!(matches!(refused, Err(HpoError::Disagrees { .. })), "{refused:?}");
        assert_eq!(storage.trials(legacy, None, &[]).unwrap().len(), 2, "what was refused is not there");
    }
}

#[test]
fn attributes_that_are_not_known_are_kept_as_they_are() {
    let (_folder, storage) = copy("5.0");
    let before: Vec<Attributes> = notes(&storage);
    assert!(before.iter().any(|notes| notes.keys().any(|key| key.starts_with("completed_rung_"))));
    let study = storage.study("everything, é").unwrap().id;
    let running = storage.trials(study, None, &[]).unwrap()[10].id;
    storage.finish_trial(running, &[], TrialState::Fail, None).unwrap();
    assert_eq!(notes(&storage), before);
}

fn notes(storage: &SqliteStorage) -> Vec<Attributes> {
    let studies = storage.studies().unwrap();
    let of_trials = studies.iter().flat_map(|study| storage.trials(study.id, None, &[]).unwrap());
    of_trials.map(|trial| trial.system_attributes.clone()).collect()
}

#[test]
fn every_distribution_of_the_golden_files_is_written_as_it_is_read() {
    let (_folder, storage) = copy("5.0");
    for study in storage.studies().unwrap() {
        for trial in storage.trials(study.id, None, &[]).unwrap() {
            for param in trial.params.values() {
                assert_eq!(
                    Distribution::from_json(&param.distribution.to_json()).as_ref(),
                    Ok(&param.distribution)
                );
            }
        }
    }
}
