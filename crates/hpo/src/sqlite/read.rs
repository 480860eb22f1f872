//! What is asked of a file.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::types::ValueRef;
use rusqlite::{OptionalExtension as _, Row, Transaction, params};

use super::Broken;
use crate::storage::encoding::direction_of;
use crate::storage::{Assembly, Author, TrialRow, read_attribute, read_time};
use crate::{FrozenTrial, HpoError, RowFault, StudyId, StudyRecord, Timestamp, TrialId};

/// How many objectives a study has.
pub(super) fn objectives(transaction: &Transaction<'_>, study: StudyId) -> Result<usize, Broken> {
    let count: Option<i64> = transaction
        .prepare_cached(
            "SELECT (SELECT count(*) FROM study_directions d WHERE d.study_id = s.study_id)
             FROM studies s WHERE s.study_id = ?1",
        )?
        .query_row([study.0], |row| row.get(0))
        .optional()?;
    Ok(count.ok_or(HpoError::UnknownStudyId { study })? as usize)
}

/// The study of that name, or all.
pub(super) fn studies(
    transaction: &Transaction<'_>,
    name: Option<&str>,
    storage: &str,
) -> Result<Vec<StudyRecord>, Broken> {
    let mut studies: BTreeMap<i64, StudyRecord> = BTreeMap::new();
    let mut faults = Vec::new();
    let mut statement = transaction.prepare_cached(
        "SELECT study_id, study_name FROM studies WHERE ?1 IS NULL OR study_name = ?1 ORDER BY study_id",
    )?;
    let mut rows = statement.query([name])?;
    while let Some(row) = rows.next()? {
        let id = row.get(0)?;
        let record = StudyRecord {
            id: StudyId(id),
            name: row.get(1)?,
            directions: Vec::new(),
            user_attributes: BTreeMap::new(),
            system_attributes: BTreeMap::new(),
        };
        studies.insert(id, record);
    }
    let of_these = "study_id IN (SELECT study_id FROM studies WHERE ?1 IS NULL OR study_name = ?1)";
    let mut statement = transaction.prepare_cached(&format!(
        "SELECT study_direction_id, study_id, direction FROM study_directions WHERE {of_these} ORDER BY objective"
    ))?;
    let mut rows = statement.query([name])?;
    while let Some(row) = rows.next()? {
        let Some(study) = studies.get_mut(&row.get(1)?) else { continue };
        match text(row, 2).ok_or_else(|| "direction is no text".to_owned()).and_then(direction_of) {
            Ok(direction) => study.directions.push(direction),
            Err(fault) => faults.push(RowFault { table: "study_directions", row: row.get(0)?, fault }),
        }
    }
    for author in Author::BOTH {
        let table = author.study_table();
        let mut statement = transaction.prepare_cached(&format!(
            "SELECT rowid, study_id, \"key\", value_json FROM {table} WHERE {of_these}"
        ))?;
        let mut rows = statement.query([name])?;
        while let Some(row) = rows.next()? {
            let Some(study) = studies.get_mut(&row.get(1)?) else { continue };
            match (read_attribute(text(row, 2), text(row, 3)), author) {
                (Ok((key, value)), Author::User) => drop(study.user_attributes.insert(key, value)),
                (Ok((key, value)), Author::System) => drop(study.system_attributes.insert(key, value)),
                (Err(fault), _) => faults.push(RowFault { table, row: row.get(0)?, fault }),
            }
        }
    }
    if faults.is_empty() {
        let mute = studies.values().filter(|study| study.directions.is_empty());
        faults.extend(mute.map(|study| RowFault::study_without_directions(study.id)));
    }
    match faults.is_empty() {
        true => Ok(studies.into_values().collect()),
        false => Err(HpoError::Rows { storage: storage.to_owned(), faults }.into()),
    }
}

/// Trials with ids after `after`, and those of `again`.
pub(super) fn trials(
    transaction: &Transaction<'_>,
    study: StudyId,
    after: Option<TrialId>,
    again: &[TrialId],
    storage: &str,
) -> Result<Vec<Arc<FrozenTrial>>, Broken> {
    let mut assembly = Assembly::new(objectives(transaction, study)?);
    let again: Vec<String> = again.iter().map(|trial| trial.0.to_string()).collect();
    let again = format!("[{}]", again.join(","));
    let after = after.map_or(i64::MIN, |after| after.0);
    // Each of the two filters has an index of its own; together as one condition they would have none.
    let of_again = "t.trial_id <= ?2 AND t.trial_id IN (SELECT value FROM json_each(?3))";
    let filters = match again.len() {
        2 => vec!["t.trial_id > ?2 AND ?3 = ?3"],
        _ => vec![of_again, "t.trial_id > ?2 AND ?3 = ?3"],
    };
    let each = |columns: &str, join: &str, take: &mut dyn FnMut(&Row<'_>) -> rusqlite::Result<()>| {
        for filter in &filters {
            let sql = format!(
                "SELECT {columns} FROM trials t {join} WHERE t.study_id = ?1 AND {filter} ORDER BY t.trial_id"
            );
            let mut statement = transaction.prepare_cached(&sql)?;
            let mut rows = statement.query(params![study.0, after, again])?;
            while let Some(row) = rows.next()? {
                take(row)?;
            }
        }
        Ok::<_, Broken>(())
    };
    each("t.trial_id, t.number, t.state, t.datetime_start, t.datetime_complete", "", &mut |row| {
        assembly.trial(TrialRow {
            id: row.get(0)?,
            number: whole(row, 1),
            state: text(row, 2).unwrap_or_default(),
            started: time(row, 3, "datetime_start"),
            completed: time(row, 4, "datetime_complete"),
        });
        Ok(())
    })?;
    if assembly.is_empty() {
        return Ok(assembly.finish(storage)?);
    }
    each(
        "p.param_id, p.trial_id, p.param_name, p.param_value, p.distribution_json",
        "JOIN trial_params p ON p.trial_id = t.trial_id",
        &mut |row| {
            assembly.param(row.get(0)?, row.get(1)?, text(row, 2), float(row, 3), text(row, 4));
            Ok(())
        },
    )?;
    each(
        "v.trial_value_id, v.trial_id, v.objective, v.value, v.value_type",
        "JOIN trial_values v ON v.trial_id = t.trial_id",
        &mut |row| {
            let kind = text(row, 4).unwrap_or_default();
            match whole(row, 2) {
                Some(objective) => assembly.value(row.get(0)?, row.get(1)?, objective, float(row, 3), kind),
                None => {
                    assembly.fault("trial_values", row.get(0)?, "objective is no whole number".to_owned())
                }
            }
            Ok(())
        },
    )?;
    each(
        "v.trial_intermediate_value_id, v.trial_id, v.step, v.intermediate_value, v.intermediate_value_type",
        "JOIN trial_intermediate_values v ON v.trial_id = t.trial_id",
        &mut |row| {
            let kind = text(row, 4).unwrap_or_default();
            match whole(row, 2) {
                Some(step) => assembly.report(row.get(0)?, row.get(1)?, step, float(row, 3), kind),
                None => {
                    let fault = "step is no whole number".to_owned();
                    assembly.fault("trial_intermediate_values", row.get(0)?, fault);
                }
            }
            Ok(())
        },
    )?;
    for author in Author::BOTH {
        let join = format!("JOIN {} a ON a.trial_id = t.trial_id", author.trial_table());
        each("a.rowid, a.trial_id, a.\"key\", a.value_json", &join, &mut |row| {
            assembly.attribute(author, row.get(0)?, row.get(1)?, text(row, 2), text(row, 3));
            Ok(())
        })?;
    }
    Ok(assembly.finish(storage)?)
}

/// The first queued trial with an id from `from` on, and the id after the study's last one.
pub(super) fn queue(
    transaction: &Transaction<'_>,
    study: StudyId,
    from: i64,
) -> Result<(Option<i64>, i64), Broken> {
    let waiting = transaction
        .prepare_cached(
            "SELECT trial_id FROM trials WHERE study_id = ?1 AND trial_id >= ?2 AND state = 'WAITING'
             ORDER BY trial_id LIMIT 1",
        )?
        .query_row([study.0, from], |row| row.get(0))
        .optional()?;
    let last: Option<i64> = transaction
        .prepare_cached("SELECT max(trial_id) FROM trials WHERE study_id = ?1")?
        .query_row([study.0], |row| row.get(0))?;
    if last.is_none() {
        objectives(transaction, study)?;
    }
    Ok((waiting, last.map_or(from, |last| last + 1)))
}

/// Running trials whose last beat is older than `grace`.
pub(super) fn stale(
    transaction: &Transaction<'_>,
    study: StudyId,
    grace: Duration,
) -> Result<Vec<TrialId>, Broken> {
    objectives(transaction, study)?;
    let mut statement = transaction.prepare_cached(
        "SELECT t.trial_id FROM trials t JOIN trial_heartbeats h ON h.trial_id = t.trial_id
         WHERE t.study_id = ?1 AND t.state = 'RUNNING'
           AND (julianday('now') - julianday(h.heartbeat)) * 86400.0 > ?2
         ORDER BY t.trial_id",
    )?;
    let stale = statement.query_map(params![study.0, grace.as_secs_f64()], |row| row.get(0).map(TrialId))?;
    Ok(stale.collect::<Result<_, _>>()?)
}

fn text<'a>(row: &'a Row<'_>, column: usize) -> Option<&'a str> {
    row.get_ref(column).ok()?.as_str().ok()
}

fn whole(row: &Row<'_>, column: usize) -> Option<i64> {
    row.get_ref(column).ok()?.as_i64().ok()
}

/// A column of floats takes integers as floats, but a file can hold what was never meant to be there.
fn float(row: &Row<'_>, column: usize) -> Option<f64> {
    match row.get_ref(column).ok()? {
        ValueRef::Real(value) => Some(value),
        ValueRef::Integer(whole) => Some(whole as f64),
        ValueRef::Null | ValueRef::Text(_) | ValueRef::Blob(_) => None,
    }
}

fn time(row: &Row<'_>, column: usize, name: &str) -> Result<Option<Timestamp>, String> {
    match row.get_ref(column) {
        Ok(ValueRef::Null) => Ok(None),
        Ok(ValueRef::Text(_)) => read_time(text(row, column).unwrap_or_default(), name).map(Some),
        _ => Err(format!("{name} is no text: write YYYY-MM-DD HH:MM:SS.ffffff, or NULL")),
    }
}
