//! What changes in a database. Each of these is part of a transaction.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use postgres::types::ToSql;

use super::connection::{Broken, Connection};
use super::{Memo, lock};
use crate::storage::Author;
use crate::storage::check::{check_agreement, check_param};
use crate::storage::encoding::{direction_name, float_columns, state_name, state_of};
use crate::{
    Direction, Distribution, FrozenTrial, HpoError, NewTrial, RowFault, StudyId, Timestamp, TrialChange,
    TrialId, TrialState,
};

/// A trial's study, its id and its number.
pub(super) type Place = (StudyId, TrialId, u64);

/// The database's clock, as Optuna since 5.0 writes its times: UTC, without saying so.
const NOW: &str = "timezone('utc', clock_timestamp())";

pub(super) fn create_study(
    connection: &mut Connection,
    name: &str,
    directions: &[Direction],
) -> Result<StudyId, Broken> {
    let rows = connection.query(
        "INSERT INTO studies (study_name) VALUES ($1::text) ON CONFLICT (study_name) DO NOTHING
         RETURNING study_id::int8",
        &[&name],
    )?;
    let study: i64 = rows.first().ok_or_else(|| HpoError::StudyExists { name: name.to_owned() })?.get(0);
    let names: Vec<&str> = directions.iter().map(|direction| direction_name(*direction)).collect();
    connection.execute(
        "INSERT INTO study_directions (direction, study_id, objective)
         SELECT name::studydirection, $1::int8, place - 1 FROM unnest($2::text[]) WITH ORDINALITY AS d (name, place)",
        &[&study, &names],
    )?;
    Ok(StudyId(study))
}

/// Keeps others from making trials of the study until the transaction is over, as Optuna does: so numbers have no gaps, and
/// ids become visible in their order. Returns how many objectives the study has.
pub(super) fn lock_study(connection: &mut Connection, study: StudyId) -> Result<usize, Broken> {
    let rows = connection.query("SELECT 1 FROM studies WHERE study_id = $1::int8 FOR UPDATE", &[&study.0])?;
    match rows.is_empty() {
        true => Err(HpoError::UnknownStudyId { study }.into()),
        false => super::read::objectives(connection, study),
    }
}

pub(super) fn create_trial(
    connection: &mut Connection,
    memo: &Mutex<Memo>,
    study: StudyId,
    trial: &NewTrial,
    changes: &[TrialChange],
) -> Result<Arc<FrozenTrial>, Broken> {
    // One more than the last: what Optuna gives, which counts the trials before. The study is locked by now.
    let micros = |column: &str| format!("(extract(epoch FROM {column}) * 1000000)::int8");
    let sql = format!(
        "INSERT INTO trials (number, study_id, state, datetime_start, datetime_complete)
         VALUES (coalesce((SELECT number + 1 FROM trials WHERE study_id = $1::int8 ORDER BY trial_id DESC LIMIT 1), 0),
                 $1::int8, $2::text::trialstate,
                 CASE WHEN $3::bool THEN {NOW} END, CASE WHEN $4::bool THEN {NOW} END)
         RETURNING trial_id::int8, number::int8, {}, {}",
        micros("datetime_start"),
        micros("datetime_complete")
    );
    let begun = trial.state != TrialState::Waiting;
    let rows =
        connection.query(&sql, &[&study.0, &state_name(trial.state), &begun, &trial.state.is_finished()])?;
    let (id, number) = (TrialId(rows[0].get(0)), rows[0].get::<_, i64>(1) as u64);
    apply(connection, memo, (study, id, number), changes)?;
    values(connection, id, trial.values.as_deref().unwrap_or_default())?;
    Ok(Arc::new(trial.frozen(
        id,
        number,
        rows[0].get::<_, Option<i64>>(2).map(Timestamp),
        rows[0].get::<_, Option<i64>>(3).map(Timestamp),
    )))
}

/// Takes the first queued trial with an id from `from` on that nobody else is taking.
pub(super) fn claim(
    connection: &mut Connection,
    study: StudyId,
    from: i64,
) -> Result<Option<TrialId>, Broken> {
    let sql = format!(
        "UPDATE trials SET state = 'RUNNING', datetime_start = {NOW}
         WHERE state = 'WAITING' AND trial_id = (
             SELECT trial_id FROM trials WHERE study_id = $1::int8 AND trial_id >= $2::int8 AND state = 'WAITING'
             ORDER BY trial_id LIMIT 1 FOR UPDATE SKIP LOCKED)
         RETURNING trial_id::int8"
    );
    let rows = connection.query(&sql, &[&study.0, &from])?;
    Ok(rows.first().map(|row| TrialId(row.get(0))))
}

/// Keeps others from changing the trial's state. Returns the study and the number of a trial that is not finished.
pub(super) fn lock_unfinished(connection: &mut Connection, trial: TrialId) -> Result<(StudyId, u64), Broken> {
    let rows = connection.query(
        "SELECT study_id::int8, number::int8, state::text FROM trials WHERE trial_id = $1::int8 FOR UPDATE",
        &[&trial.0],
    )?;
    let row = rows.first().ok_or(HpoError::UnknownTrial { trial })?;
    let state = state_of(row.get(2)).map_err(|fault| unreadable("trials", trial.0, fault))?;
    match state.is_finished() {
        true => Err(HpoError::TrialFinished { trial }.into()),
        false => Ok((StudyId(row.get(0)), row.get::<_, i64>(1) as u64)),
    }
}

fn unreadable(table: &'static str, row: i64, fault: String) -> HpoError {
    HpoError::Rows { storage: "the database".to_owned(), faults: vec![RowFault { table, row, fault }] }
}

/// Writes changes, those of a kind in one statement.
pub(super) fn apply(
    connection: &mut Connection,
    memo: &Mutex<Memo>,
    place: Place,
    changes: &[TrialChange],
) -> Result<(), Broken> {
    let trial = place.1.0;
    // By name, since a statement must not meet a row twice: the last parameter and note count, the first report.
    let mut params: BTreeMap<&str, (f64, String)> = BTreeMap::new();
    let mut reports: BTreeMap<i64, f64> = BTreeMap::new();
    let mut notes: [BTreeMap<&str, &str>; 2] = [BTreeMap::new(), BTreeMap::new()];
    for change in changes {
        match change {
            TrialChange::Param { name, param } => {
                let distribution = check_param(name, param)?;
                agree(connection, memo, place, name, &distribution)?;
                params.insert(name, (param.value, distribution.to_json()));
            }
            TrialChange::Report { step, value } => drop(reports.entry(*step).or_insert(*value)),
            TrialChange::UserAttribute { key, value } => drop(notes[0].insert(key, value.as_str())),
            TrialChange::SystemAttribute { key, value } => drop(notes[1].insert(key, value.as_str())),
        }
    }
    if !params.is_empty() {
        let names: Vec<&str> = params.keys().copied().collect();
        let (numbers, texts): (Vec<f64>, Vec<String>) = params.into_values().unzip();
        connection.execute(
            "INSERT INTO trial_params (trial_id, param_name, param_value, distribution_json)
             SELECT $1::int8, * FROM unnest($2::text[], $3::float8[], $4::text[])
             ON CONFLICT (trial_id, param_name) DO UPDATE
             SET param_value = excluded.param_value, distribution_json = excluded.distribution_json",
            &[&trial, &names, &numbers, &texts],
        )?;
    }
    if !reports.is_empty() {
        let steps = reports.keys().map(|step| column_integer(*step)).collect::<Result<Vec<i32>, _>>()?;
        let (numbers, kinds): (Vec<Option<f64>>, Vec<&str>) =
            reports.into_values().map(float_columns).unzip();
        connection.execute(
            "INSERT INTO trial_intermediate_values (trial_id, step, intermediate_value, intermediate_value_type)
             SELECT $1::int8, step, number, kind::trialintermediatevaluetype
             FROM unnest($2::int4[], $3::float8[], $4::text[]) AS r (step, number, kind)
             ON CONFLICT (trial_id, step) DO NOTHING",
            &[&trial, &steps, &numbers, &kinds],
        )?;
    }
    for (author, notes) in Author::BOTH.into_iter().zip(notes) {
        if notes.is_empty() {
            continue;
        }
        let (keys, texts): (Vec<&str>, Vec<&str>) = notes.into_iter().unzip();
        let sql = format!(
            "INSERT INTO {} (trial_id, key, value_json) SELECT $1::int8, * FROM unnest($2::text[], $3::text[])
             ON CONFLICT (trial_id, key) DO UPDATE SET value_json = excluded.value_json",
            author.trial_table()
        );
        connection.execute(&sql, &[&trial, &keys, &texts])?;
    }
    Ok(())
}

/// A step as the column holds it, which has 32 bits here.
fn column_integer(step: i64) -> Result<i32, HpoError> {
    i32::try_from(step).map_err(|_| HpoError::Unstorable {
        what: format!("a report at step {step}"),
        fault: "PostgreSQL's column has 32 bits for a step: count in larger units".to_owned(),
    })
}

/// Whether the parameter is what it was in earlier trials of the study.
fn agree(
    connection: &mut Connection,
    memo: &Mutex<Memo>,
    (study, _, number): Place,
    name: &str,
    now: &Distribution,
) -> Result<(), Broken> {
    if let Some((earlier, in_trial)) = lock(memo).known.get(study, name) {
        return Ok(check_agreement(name, earlier, *in_trial, now)?);
    }
    let rows = connection.query(
        "SELECT p.param_id::int8, t.number::int8, p.distribution_json
         FROM trials t JOIN trial_params p ON p.trial_id = t.trial_id AND p.param_name = $2::text
         WHERE t.study_id = $1::int8 ORDER BY t.trial_id LIMIT 1",
        &[&study.0, &name],
    )?;
    let Some(row) = rows.first() else { return Ok(()) };
    let (json, in_trial) = (row.get::<_, Option<&str>>(2).unwrap_or_default(), row.get::<_, i64>(1) as u64);
    let earlier = Distribution::from_json(json)
        .map_err(|fault| unreadable("trial_params", row.get(0), format!("distribution_json: {fault}")))?;
    check_agreement(name, &earlier, in_trial, now)?;
    // What this very trial has may yet come to nothing with its transaction.
    if in_trial != number {
        lock(memo).known.remember(study, name, earlier, in_trial);
    }
    Ok(())
}

pub(super) fn values(connection: &mut Connection, trial: TrialId, values: &[f64]) -> Result<(), Broken> {
    if values.is_empty() {
        return Ok(());
    }
    let (numbers, kinds): (Vec<Option<f64>>, Vec<&str>) =
        values.iter().map(|value| float_columns(*value)).unzip();
    connection.execute(
        "INSERT INTO trial_values (trial_id, objective, value, value_type)
         SELECT $1::int8, place - 1, number, kind::trialvaluetype
         FROM unnest($2::float8[], $3::text[]) WITH ORDINALITY AS v (number, kind, place)
         ON CONFLICT (trial_id, objective) DO UPDATE
         SET value = excluded.value, value_type = excluded.value_type",
        &[&trial.0, &numbers, &kinds],
    )?;
    Ok(())
}

/// Finishes a trial of which everything else is written.
pub(super) fn end(connection: &mut Connection, trial: TrialId, state: TrialState) -> Result<(), Broken> {
    let sql = format!(
        "UPDATE trials SET state = $2::text::trialstate, datetime_complete = {NOW} WHERE trial_id = $1::int8"
    );
    connection.execute(&sql, &[&trial.0, &state_name(state)])?;
    Ok(())
}

pub(super) fn beat(connection: &mut Connection, trial: TrialId) -> Result<(), Broken> {
    lock_unfinished(connection, trial)?;
    // In the zone of the session, which is the server's unless someone set it: so does Optuna, whose beats these meet.
    connection.execute(
        "INSERT INTO trial_heartbeats (trial_id, heartbeat) VALUES ($1::int8, clock_timestamp()::timestamp)
         ON CONFLICT (trial_id) DO UPDATE SET heartbeat = excluded.heartbeat",
        &[&trial.0],
    )?;
    Ok(())
}

/// Forgets a study, what hangs on it first: the schema deletes nothing by itself.
pub(super) fn delete_study(connection: &mut Connection, study: StudyId) -> Result<(), Broken> {
    lock_study(connection, study)?;
    let id: &[&(dyn ToSql + Sync)] = &[&study.0];
    let of_trials = [
        "trial_user_attributes",
        "trial_system_attributes",
        "trial_params",
        "trial_values",
        "trial_intermediate_values",
        "trial_heartbeats",
    ];
    for table in of_trials {
        let of_study = "trial_id IN (SELECT trial_id FROM trials WHERE study_id = $1::int8)";
        connection.execute(&format!("DELETE FROM {table} WHERE {of_study}"), id)?;
    }
    for table in ["trials", "study_directions", "study_user_attributes", "study_system_attributes", "studies"]
    {
        connection.execute(&format!("DELETE FROM {table} WHERE study_id = $1::int8"), id)?;
    }
    Ok(())
}
