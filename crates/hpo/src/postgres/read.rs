//! What is asked of a database.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use postgres::Row;

use super::connection::{Broken, Connection};
use crate::storage::encoding::direction_of;
use crate::storage::{Assembly, Author, TrialRow, read_attribute};
use crate::{FrozenTrial, HpoError, RowFault, StudyId, StudyRecord, Timestamp, TrialId};

/// How many objectives a study has.
pub(super) fn objectives(connection: &mut Connection, study: StudyId) -> Result<usize, Broken> {
    let rows = connection.query(
        "SELECT (SELECT count(*) FROM study_directions d WHERE d.study_id = s.study_id)
         FROM studies s WHERE s.study_id = $1::int8",
        &[&study.0],
    )?;
    let count: i64 = rows.first().ok_or(HpoError::UnknownStudyId { study })?.get(0);
    Ok(count as usize)
}

/// The study of that name, or all.
pub(super) fn studies(
    connection: &mut Connection,
    name: Option<&str>,
    storage: &str,
) -> Result<Vec<StudyRecord>, Broken> {
    let mut studies: BTreeMap<i64, StudyRecord> = BTreeMap::new();
    let mut faults = Vec::new();
    let named = "($1::text IS NULL OR study_name = $1::text)";
    let rows = connection.query(
        &format!("SELECT study_id::int8, study_name::text FROM studies WHERE {named} ORDER BY study_id"),
        &[&name],
    )?;
    for row in rows {
        let id = row.get(0);
        let record = StudyRecord {
            id: StudyId(id),
            name: row.get(1),
            directions: Vec::new(),
            user_attributes: BTreeMap::new(),
            system_attributes: BTreeMap::new(),
        };
        studies.insert(id, record);
    }
    let of_these = format!("study_id IN (SELECT study_id FROM studies WHERE {named})");
    let sql = format!(
        "SELECT study_direction_id::int8, study_id::int8, direction::text FROM study_directions WHERE {of_these}
         ORDER BY objective"
    );
    for row in connection.query(&sql, &[&name])? {
        let Some(study) = studies.get_mut(&row.get(1)) else { continue };
        match direction_of(row.get(2)) {
            Ok(direction) => study.directions.push(direction),
            Err(fault) => faults.push(RowFault { table: "study_directions", row: row.get(0), fault }),
        }
    }
    for author in Author::BOTH {
        let table = author.study_table();
        let key = author.study_key();
        let sql = format!(
            "SELECT {key}::int8, study_id::int8, key::text, value_json::text FROM {table} WHERE {of_these}"
        );
        for row in connection.query(&sql, &[&name])? {
            let Some(study) = studies.get_mut(&row.get(1)) else { continue };
            match (read_attribute(row.get(2), row.get(3)), author) {
                (Ok((key, value)), Author::User) => drop(study.user_attributes.insert(key, value)),
                (Ok((key, value)), Author::System) => drop(study.system_attributes.insert(key, value)),
                (Err(fault), _) => faults.push(RowFault { table, row: row.get(0), fault }),
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
    connection: &mut Connection,
    study: StudyId,
    after: Option<TrialId>,
    again: &[TrialId],
    storage: &str,
) -> Result<Vec<Arc<FrozenTrial>>, Broken> {
    let mut assembly = Assembly::new(objectives(connection, study)?);
    let again: Vec<i64> = again.iter().map(|trial| trial.0).collect();
    let after = after.map_or(i64::MIN, |after| after.0);
    let micros = |column: &str| format!("(extract(epoch FROM {column}) * 1000000)::int8");
    let columns = format!(
        "trial_id::int8, number::int8, state::text, {}, {}",
        micros("datetime_start"),
        micros("datetime_complete")
    );
    // Two statements, each with an index of its own; as one condition they would have none.
    let mut rows = match again.is_empty() {
        true => Vec::new(),
        false => {
            let of_again = "trial_id <= $2::int8 AND trial_id = ANY($3::int8[])";
            let sql = format!(
                "SELECT {columns} FROM trials WHERE study_id = $1::int8 AND {of_again} ORDER BY trial_id"
            );
            connection.query(&sql, &[&study.0, &after, &again])?
        }
    };
    let sql = format!(
        "SELECT {columns} FROM trials WHERE study_id = $1::int8 AND trial_id > $2::int8 ORDER BY trial_id"
    );
    rows.extend(connection.query(&sql, &[&study.0, &after])?);
    let ids: Vec<i64> = rows.iter().map(|row| row.get(0)).collect();
    for (row, id) in rows.iter().zip(&ids) {
        assembly.trial(TrialRow {
            id: *id,
            number: row.get(1),
            state: row.get(2),
            started: Ok(time(row, 3)),
            completed: Ok(time(row, 4)),
        });
    }
    if assembly.is_empty() {
        return Ok(assembly.finish(storage)?);
    }
    let mut each = |columns: &str, table: &str| {
        connection.query(&format!("SELECT {columns} FROM {table} WHERE trial_id = ANY($1::int8[])"), &[&ids])
    };
    let params =
        "param_id::int8, trial_id::int8, param_name::text, param_value::float8, distribution_json::text";
    for row in each(params, "trial_params")? {
        assembly.param(row.get(0), row.get(1), row.get(2), row.get(3), row.get(4));
    }
    let values = "trial_value_id::int8, trial_id::int8, objective::int8, value::float8, value_type::text";
    for row in each(values, "trial_values")? {
        assembly.value(row.get(0), row.get(1), row.get(2), row.get(3), row.get(4));
    }
    let reports = "trial_intermediate_value_id::int8, trial_id::int8, step::int8, intermediate_value::float8,
                   intermediate_value_type::text";
    for row in each(reports, "trial_intermediate_values")? {
        assembly.report(row.get(0), row.get(1), row.get(2), row.get(3), row.get(4));
    }
    for author in Author::BOTH {
        let columns = format!("{}::int8, trial_id::int8, key::text, value_json::text", author.trial_key());
        for row in each(&columns, author.trial_table())? {
            assembly.attribute(author, row.get(0), row.get(1), row.get(2), row.get(3));
        }
    }
    Ok(assembly.finish(storage)?)
}

fn time(row: &Row, column: usize) -> Option<Timestamp> {
    row.get::<_, Option<i64>>(column).map(Timestamp)
}

/// The first queued trial with an id from `from` on, and the id after the study's last one.
pub(super) fn queue(
    connection: &mut Connection,
    study: StudyId,
    from: i64,
) -> Result<(Option<i64>, i64), Broken> {
    let rows = connection.query(
        "SELECT (SELECT trial_id::int8 FROM trials
                 WHERE study_id = $1::int8 AND trial_id >= $2::int8 AND state = 'WAITING' ORDER BY trial_id LIMIT 1),
                (SELECT max(trial_id)::int8 FROM trials WHERE study_id = $1::int8 AND trial_id >= $2::int8)",
        &[&study.0, &from],
    )?;
    let last: Option<i64> = rows[0].get(1);
    if last.is_none() {
        objectives(connection, study)?;
    }
    Ok((rows[0].get(0), last.map_or(from, |last| last + 1)))
}

/// Seconds since the beat of a row of `trial_heartbeats h`, at the instant `now`. Beats are in the zone of the session, which may
/// have changed its clocks since: so instants are compared. Of an hour that came twice the second is meant; a beat of the first
/// is then taken for one that is yet to come, and nobody for dead who is not.
fn age(now: &str) -> String {
    format!("extract(epoch FROM {now} - h.heartbeat::timestamptz)")
}

/// Running trials whose last beat is older than `grace`.
pub(super) fn stale(
    connection: &mut Connection,
    study: StudyId,
    grace: Duration,
) -> Result<Vec<TrialId>, Broken> {
    objectives(connection, study)?;
    let sql = format!(
        "SELECT t.trial_id::int8 FROM trials t JOIN trial_heartbeats h ON h.trial_id = t.trial_id
         WHERE t.study_id = $1::int8 AND t.state = 'RUNNING' AND {} > $2::float8
         ORDER BY t.trial_id",
        age("clock_timestamp()")
    );
    let rows = connection.query(&sql, &[&study.0, &grace.as_secs_f64()])?;
    Ok(rows.iter().map(|row| TrialId(row.get(0))).collect())
}
