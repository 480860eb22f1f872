//! What changes in a file. Each of these is part of a transaction that holds the write lock.

use std::sync::Arc;

use rusqlite::{OptionalExtension as _, Transaction, params};

use super::{Broken, NOW};
use crate::storage::check::{KnownParams, check_agreement, check_param};
use crate::storage::encoding::{float_columns, state_name, state_of};
use crate::storage::{Author, read_time};
use crate::{
    Distribution, FrozenTrial, HpoError, NewTrial, RawJson, RowFault, StudyId, Timestamp, TrialChange,
    TrialId, TrialState,
};

/// A trial's study, its id and its number.
pub(super) type Place = (StudyId, TrialId, u64);

pub(super) fn create_trial(
    transaction: &Transaction<'_>,
    known: &mut KnownParams,
    study: StudyId,
    trial: &NewTrial,
    changes: &[TrialChange],
) -> Result<Arc<FrozenTrial>, Broken> {
    // One more than the last: what Optuna gives, which counts the trials before. The write lock is held by now.
    let sql = format!(
        "INSERT INTO trials (number, study_id, state, datetime_start, datetime_complete)
         VALUES (coalesce((SELECT number + 1 FROM trials WHERE study_id = ?1 ORDER BY trial_id DESC LIMIT 1), 0),
                 ?1, ?2, iif(?3, {NOW}, NULL), iif(?4, {NOW}, NULL))
         RETURNING trial_id, number, datetime_start, datetime_complete"
    );
    let begun = trial.state != TrialState::Waiting;
    let (id, number, started, completed) = transaction
        .prepare_cached(&sql)?
        .query_row(params![study.0, state_name(trial.state), begun, trial.state.is_finished()], |row| {
            Ok((row.get(0)?, row.get::<_, i64>(1)? as u64, row.get(2)?, row.get(3)?))
        })?;
    let id = TrialId(id);
    apply(transaction, known, (study, id, number), changes)?;
    values(transaction, id, trial.values.as_deref().unwrap_or_default())?;
    Ok(Arc::new(trial.frozen(id, number, own_time(started), own_time(completed))))
}

/// A time that this file's own clock has just written.
fn own_time(text: Option<String>) -> Option<Timestamp> {
    text.and_then(|text| read_time(&text, "").ok())
}

/// Takes the first queued trial with an id from `from` on.
pub(super) fn claim(
    transaction: &Transaction<'_>,
    study: StudyId,
    from: i64,
) -> Result<Option<TrialId>, Broken> {
    // Compare and set in one statement: whoever finds the trial queued is the one that has it.
    let sql = format!(
        "UPDATE trials SET state = 'RUNNING', datetime_start = {NOW}
         WHERE state = 'WAITING' AND trial_id = (
             SELECT trial_id FROM trials WHERE study_id = ?1 AND trial_id >= ?2 AND state = 'WAITING'
             ORDER BY trial_id LIMIT 1)
         RETURNING trial_id"
    );
    Ok(transaction
        .prepare_cached(&sql)?
        .query_row([study.0, from], |row| row.get(0).map(TrialId))
        .optional()?)
}

/// The study and the number of a trial that is not finished.
pub(super) fn unfinished(transaction: &Transaction<'_>, trial: TrialId) -> Result<(StudyId, u64), Broken> {
    let found = transaction
        .prepare_cached("SELECT study_id, number, state FROM trials WHERE trial_id = ?1")?
        .query_row([trial.0], |row| {
            Ok((StudyId(row.get(0)?), row.get::<_, i64>(1)? as u64, row.get::<_, String>(2)?))
        })
        .optional()?;
    let (study, number, state) = found.ok_or(HpoError::UnknownTrial { trial })?;
    match state_of(&state) {
        Ok(state) if state.is_finished() => Err(HpoError::TrialFinished { trial }.into()),
        Ok(_) => Ok((study, number)),
        Err(fault) => {
            let faults = vec![RowFault { table: "trials", row: trial.0, fault }];
            Err(HpoError::Rows { storage: "the file".to_owned(), faults }.into())
        }
    }
}

pub(super) fn apply(
    transaction: &Transaction<'_>,
    known: &mut KnownParams,
    place: Place,
    changes: &[TrialChange],
) -> Result<(), Broken> {
    let trial = place.1.0;
    for change in changes {
        match change {
            TrialChange::Param { name, param } => {
                let distribution = check_param(name, param)?;
                agree(transaction, known, place, name, &distribution)?;
                transaction
                    .prepare_cached(
                        "INSERT INTO trial_params (trial_id, param_name, param_value, distribution_json)
                         VALUES (?1, ?2, ?3, ?4)
                         ON CONFLICT (trial_id, param_name) DO UPDATE
                         SET param_value = excluded.param_value, distribution_json = excluded.distribution_json",
                    )?
                    .execute(params![trial, name, param.value, distribution.to_json()])?;
            }
            TrialChange::Report { step, value } => {
                let (number, kind) = float_columns(*value);
                transaction
                    .prepare_cached(
                        "INSERT INTO trial_intermediate_values
                         (trial_id, step, intermediate_value, intermediate_value_type) VALUES (?1, ?2, ?3, ?4)
                         ON CONFLICT (trial_id, step) DO NOTHING",
                    )?
                    .execute(params![trial, step, number, kind])?;
            }
            TrialChange::UserAttribute { key, value } => note(transaction, Author::User, trial, key, value)?,
            TrialChange::SystemAttribute { key, value } => {
                note(transaction, Author::System, trial, key, value)?;
            }
        }
    }
    Ok(())
}

fn note(
    transaction: &Transaction<'_>,
    author: Author,
    trial: i64,
    key: &str,
    value: &RawJson,
) -> Result<(), Broken> {
    let sql = format!(
        "INSERT INTO {} (trial_id, \"key\", value_json) VALUES (?1, ?2, ?3)
         ON CONFLICT (trial_id, \"key\") DO UPDATE SET value_json = excluded.value_json",
        author.trial_table()
    );
    transaction.prepare_cached(&sql)?.execute(params![trial, key, value.as_str()])?;
    Ok(())
}

/// Whether the parameter is what it was in earlier trials of the study.
fn agree(
    transaction: &Transaction<'_>,
    known: &mut KnownParams,
    (study, _, number): Place,
    name: &str,
    now: &Distribution,
) -> Result<(), Broken> {
    if let Some((earlier, in_trial)) = known.get(study, name) {
        return Ok(check_agreement(name, earlier, *in_trial, now)?);
    }
    let first = transaction
        .prepare_cached(
            "SELECT p.param_id, t.number, p.distribution_json
             FROM trials t JOIN trial_params p ON p.trial_id = t.trial_id AND p.param_name = ?2
             WHERE t.study_id = ?1 ORDER BY t.trial_id LIMIT 1",
        )?
        .query_row(params![study.0, name], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)? as u64, row.get::<_, String>(2)?))
        })
        .optional()?;
    let Some((row, in_trial, json)) = first else { return Ok(()) };
    let earlier = Distribution::from_json(&json).map_err(|fault| HpoError::Rows {
        storage: "the file".to_owned(),
        faults: vec![RowFault { table: "trial_params", row, fault: format!("distribution_json: {fault}") }],
    })?;
    check_agreement(name, &earlier, in_trial, now)?;
    // What this very trial has may yet come to nothing with its transaction.
    if in_trial != number {
        known.remember(study, name, earlier, in_trial);
    }
    Ok(())
}

pub(super) fn values(transaction: &Transaction<'_>, trial: TrialId, values: &[f64]) -> Result<(), Broken> {
    for (objective, value) in values.iter().enumerate() {
        let (number, kind) = float_columns(*value);
        transaction
            .prepare_cached(
                "INSERT INTO trial_values (trial_id, objective, value, value_type) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (trial_id, objective) DO UPDATE
                 SET value = excluded.value, value_type = excluded.value_type",
            )?
            .execute(params![trial.0, objective as i64, number, kind])?;
    }
    Ok(())
}

/// Finishes a trial of which everything else is written.
pub(super) fn end(transaction: &Transaction<'_>, trial: TrialId, state: TrialState) -> Result<(), Broken> {
    let sql = format!("UPDATE trials SET state = ?2, datetime_complete = {NOW} WHERE trial_id = ?1");
    transaction.prepare_cached(&sql)?.execute(params![trial.0, state_name(state)])?;
    Ok(())
}

/// Forgets a study, what hangs on it first: the schema deletes nothing by itself.
pub(super) fn delete_study(transaction: &Transaction<'_>, study: StudyId) -> Result<(), Broken> {
    let of_trials = [
        "trial_user_attributes",
        "trial_system_attributes",
        "trial_params",
        "trial_values",
        "trial_intermediate_values",
        "trial_heartbeats",
    ];
    for table in of_trials {
        let sql = format!(
            "DELETE FROM {table} WHERE trial_id IN (SELECT trial_id FROM trials WHERE study_id = ?1)"
        );
        transaction.execute(&sql, [study.0])?;
    }
    for table in ["trials", "study_directions", "study_user_attributes", "study_system_attributes"] {
        transaction.execute(&format!("DELETE FROM {table} WHERE study_id = ?1"), [study.0])?;
    }
    match transaction.execute("DELETE FROM studies WHERE study_id = ?1", [study.0])? {
        0 => Err(HpoError::UnknownStudyId { study }.into()),
        _ => Ok(()),
    }
}
