//! Files that something else has been at: what cannot be read is named, with what to do.

use std::path::Path;

use tapeline_hpo::{
    Direction, FloatDistribution, HpoError, NewTrial, Param, SqliteOptions, SqliteStorage, Storage,
    TrialChange, TrialState,
};

fn open(file: &Path) -> Result<SqliteStorage, HpoError> {
    SqliteStorage::open(file, SqliteOptions::default())
}

/// A study with one trial of each state, 1 to 4, damaged by `sql`; then what is read.
fn damaged(sql: &str) -> Result<usize, HpoError> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("studies.db");
    let storage = open(&file).unwrap();
    let study = storage.create_study("s", &[Direction::Minimize]).unwrap();
    let param = Param { distribution: FloatDistribution::new(0.0, 1.0).into(), value: 0.5 };
    for state in [TrialState::Complete, TrialState::Pruned, TrialState::Running, TrialState::Waiting] {
        let mut trial = NewTrial::in_state(state);
        trial.params.insert("x".to_owned(), param.clone());
        trial.intermediate.insert(0, 1.0);
        trial.values = (state == TrialState::Complete).then(|| vec![1.0]);
        trial.user_attributes.insert("u".to_owned(), tapeline_hpo::RawJson::from_text("1"));
        storage.create_trial(study, &trial).unwrap();
    }
    drop(storage);
    rusqlite::Connection::open(&file).unwrap().execute_batch(sql).unwrap();
    let storage = open(&file)?;
    let study = storage.study("s")?;
    Ok(storage.trials(study.id, None, &[])?.len())
}

#[test]
fn what_optuna_puts_up_with_is_read() {
    let harmless = [
        "",
        "DELETE FROM version_info",
        "UPDATE version_info SET schema_version = 11",
        "DELETE FROM alembic_version",
        "DROP TABLE trial_heartbeats; DROP TABLE study_system_attributes",
        "UPDATE trials SET datetime_start = '2026-11-22T19:16:40'",
        "UPDATE trials SET datetime_start = '2026-11-22 19:16:40.061760+00:00'",
        "UPDATE trials SET datetime_start = NULL, datetime_complete = NULL",
        "UPDATE trials SET number = 7 WHERE trial_id = 4",
        "UPDATE trial_params SET param_value = 5.0",
        r#"UPDATE trial_params SET distribution_json = '{"type":"float","low":0,"high":1}'"#,
        "UPDATE trial_values SET value = 9e999",
    ];
    for sql in harmless {
        assert_eq!(damaged(sql).unwrap(), 4, "{sql}");
    }
}

#[test]
fn every_row_that_cannot_be_read_is_named_with_what_to_do() {
    let cases: [(&str, &[&str]); 14] = [
        ("UPDATE trials SET state = 'complete' WHERE trial_id = 1", &["row 1 of trials", "COMPLETE"]),
        ("UPDATE trials SET number = NULL WHERE trial_id = 3", &["row 3 of trials", "number is NULL"]),
        (
            "UPDATE trials SET datetime_start = 1763838000 WHERE trial_id = 2",
            &["row 2 of trials", "YYYY-MM-DD"],
        ),
        ("DELETE FROM trial_values", &["row 1 of trials", "0 rows in trial_values"]),
        ("UPDATE trial_values SET value = NULL", &["row 1 of trial_values", "FINITE"]),
        (
            "UPDATE trial_intermediate_values SET intermediate_value_type = 'NAN' WHERE trial_id = 2",
            &["row 2 of trial_intermediate_values", "make the value NULL"],
        ),
        (
            "UPDATE trial_intermediate_values SET intermediate_value_type = 'finite'",
            &["4 rows", "make it one of"],
        ),
        (
            r#"UPDATE trial_params SET param_value = 9,
               distribution_json = '{"name": "CategoricalDistribution", "attributes": {"choices": ["a"]}}' WHERE trial_id = 4"#,
            &["row 4 of trial_params", "\"x\"", "one of its 1 choices"],
        ),
        (
            "UPDATE trial_params SET distribution_json = '{}' WHERE trial_id = 1",
            &["row 1 of trial_params", "what Optuna writes"],
        ),
        (
            "UPDATE trial_user_attributes SET value_json = 'not json' WHERE trial_id = 2",
            &["row 2 of trial_user_attributes", "write JSON"],
        ),
        (
            "UPDATE trial_intermediate_values SET step = 'x' WHERE trial_id = 3",
            &["row 3 of trial_intermediate_values", "step is no whole number"],
        ),
        ("UPDATE study_directions SET direction = 'minimize'", &["row 1 of study_directions", "MINIMIZE"]),
        ("DELETE FROM study_directions", &["row 1 of studies", "study_directions"]),
        (
            "UPDATE trials SET state = 'x'; UPDATE trial_values SET value = NULL",
            &["row 1 of trials", "row 4 of trials"],
        ),
    ];
    for (sql, expected) in cases {
        let Err(error) = damaged(sql) else { panic!("{sql}: was read") };
        assert!(matches!(error, HpoError::Rows { .. }), "{sql}: {error}");
        for words in expected {
            assert!(error.to_string().contains(words), "{sql}: {error}");
        }
    }
}

#[test]
fn tables_of_another_version_are_not_touched() {
    let cases = [
        ("UPDATE alembic_version SET version_num = 'v3.0.0.d'", "optuna storage upgrade"),
        ("UPDATE alembic_version SET version_num = 'v9.0.0.a'", "v9.0.0.a"),
        (
            "DELETE FROM alembic_version; UPDATE version_info SET schema_version = 11",
            "open it once with Optuna",
        ),
    ];
    for (sql, expected) in cases {
        let Err(error) = damaged(sql) else { panic!("{sql}: was read") };
        assert!(matches!(error, HpoError::Schema { .. }), "{sql}: {error}");
        assert!(error.to_string().contains(expected), "{sql}: {error}");
    }
}

#[test]
fn what_is_no_database_is_not_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("notes.txt");
    let text = "not a database, but what somebody wrote\n".repeat(100);
    std::fs::write(&file, &text).unwrap();
    assert!(matches!(open(&file), Err(HpoError::Storage { .. })));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
    let missing = folder.path().join("no folder/studies.db");
    let Err(error) = open(&missing) else { panic!("a file without a folder was opened") };
    assert!(error.to_string().contains("no folder/studies.db"), "{error}");
}

#[test]
fn a_parameter_keeps_its_kind_whoever_writes_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("studies.db");
    let (ours, theirs) = (open(&file).unwrap(), open(&file).unwrap());
    let study = ours.create_study("s", &[Direction::Minimize]).unwrap();
    let change = |may_be: FloatDistribution| TrialChange::Param {
        name: "x".to_owned(),
        param: Param { distribution: may_be.into(), value: 0.5 },
    };
    let running = NewTrial::in_state(TrialState::Running);
    let (first, second) =
        (ours.create_trial(study, &running).unwrap(), ours.create_trial(study, &running).unwrap());
    ours.change_trial(first.id, &[change(FloatDistribution::new(0.0, 1.0))]).unwrap();
    let refused = theirs.change_trial(second.id, &[change(FloatDistribution::log(0.1, 1.0))]);
    assert!(matches!(refused, Err(HpoError::Disagrees { number: 0, .. })), "{refused:?}");
    theirs.change_trial(second.id, &[change(FloatDistribution::new(-9.0, 9.0))]).unwrap();
    let refused = theirs.change_trial(second.id, &[change(FloatDistribution::log(0.1, 1.0))]);
    assert!(matches!(refused, Err(HpoError::Disagrees { number: 0, .. })), "{refused:?}");
}
