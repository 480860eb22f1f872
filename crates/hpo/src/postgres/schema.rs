//! The tables, exactly Optuna's.

use super::connection::{Connection, Server};
use crate::HpoError;
use crate::storage::encoding::{REVISION, SCHEMA_VERSION};
use crate::storage::version::{LIBRARY, check_version};

/// Each type with what makes it.
const TYPES: [(&str, &str); 4] = [
    ("studydirection", "'NOT_SET', 'MINIMIZE', 'MAXIMIZE'"),
    ("trialstate", "'RUNNING', 'COMPLETE', 'PRUNED', 'FAIL', 'WAITING'"),
    ("trialvaluetype", "'FINITE', 'INF_POS', 'INF_NEG'"),
    ("trialintermediatevaluetype", "'FINITE', 'INF_POS', 'INF_NEG', 'NAN'"),
];

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS studies (
    study_id SERIAL PRIMARY KEY,
    study_name VARCHAR(512) NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS ix_studies_study_name ON studies (study_name);
CREATE TABLE IF NOT EXISTS version_info (
    version_info_id INTEGER PRIMARY KEY CHECK (version_info_id = 1),
    schema_version INTEGER,
    library_version VARCHAR(256)
);
CREATE TABLE IF NOT EXISTS study_directions (
    study_direction_id SERIAL PRIMARY KEY,
    direction studydirection NOT NULL,
    study_id INTEGER NOT NULL REFERENCES studies (study_id),
    objective INTEGER NOT NULL,
    UNIQUE (study_id, objective)
);
CREATE TABLE IF NOT EXISTS study_user_attributes (
    study_user_attribute_id SERIAL PRIMARY KEY,
    study_id INTEGER REFERENCES studies (study_id),
    key VARCHAR(512),
    value_json TEXT,
    UNIQUE (study_id, key)
);
CREATE TABLE IF NOT EXISTS study_system_attributes (
    study_system_attribute_id SERIAL PRIMARY KEY,
    study_id INTEGER REFERENCES studies (study_id),
    key VARCHAR(512),
    value_json TEXT,
    UNIQUE (study_id, key)
);
CREATE TABLE IF NOT EXISTS trials (
    trial_id SERIAL PRIMARY KEY,
    number INTEGER,
    study_id INTEGER REFERENCES studies (study_id),
    state trialstate NOT NULL,
    datetime_start TIMESTAMP WITHOUT TIME ZONE,
    datetime_complete TIMESTAMP WITHOUT TIME ZONE
);
CREATE INDEX IF NOT EXISTS ix_trials_study_id ON trials (study_id);
CREATE TABLE IF NOT EXISTS trial_user_attributes (
    trial_user_attribute_id SERIAL PRIMARY KEY,
    trial_id INTEGER REFERENCES trials (trial_id),
    key VARCHAR(512),
    value_json TEXT,
    UNIQUE (trial_id, key)
);
CREATE TABLE IF NOT EXISTS trial_system_attributes (
    trial_system_attribute_id SERIAL PRIMARY KEY,
    trial_id INTEGER REFERENCES trials (trial_id),
    key VARCHAR(512),
    value_json TEXT,
    UNIQUE (trial_id, key)
);
CREATE TABLE IF NOT EXISTS trial_params (
    param_id SERIAL PRIMARY KEY,
    trial_id INTEGER REFERENCES trials (trial_id),
    param_name VARCHAR(512),
    param_value DOUBLE PRECISION,
    distribution_json TEXT,
    UNIQUE (trial_id, param_name)
);
CREATE TABLE IF NOT EXISTS trial_values (
    trial_value_id SERIAL PRIMARY KEY,
    trial_id INTEGER NOT NULL REFERENCES trials (trial_id),
    objective INTEGER NOT NULL,
    value DOUBLE PRECISION,
    value_type trialvaluetype NOT NULL,
    UNIQUE (trial_id, objective)
);
CREATE TABLE IF NOT EXISTS trial_intermediate_values (
    trial_intermediate_value_id SERIAL PRIMARY KEY,
    trial_id INTEGER NOT NULL REFERENCES trials (trial_id),
    step INTEGER NOT NULL,
    intermediate_value DOUBLE PRECISION,
    intermediate_value_type trialintermediatevaluetype NOT NULL,
    UNIQUE (trial_id, step)
);
CREATE TABLE IF NOT EXISTS trial_heartbeats (
    trial_heartbeat_id SERIAL PRIMARY KEY,
    trial_id INTEGER NOT NULL REFERENCES trials (trial_id),
    heartbeat TIMESTAMP WITHOUT TIME ZONE NOT NULL,
    UNIQUE (trial_id)
);
CREATE TABLE IF NOT EXISTS alembic_version (
    version_num VARCHAR(32) CONSTRAINT alembic_version_pkc PRIMARY KEY
);
";

/// Makes the tables in an empty database; in another, sees that they are those of this schema.
pub(super) fn prepare(server: &Server) -> Result<(), HpoError> {
    let operation = "make its tables";
    // Most workers find the tables, and reading needs no right to make any.
    if server.read(operation, is_current)? {
        return Ok(());
    }
    server.write(operation, |connection| {
        // Workers that begin at the same time make the tables one after the other; the number only has to be our own.
        connection.batch("SELECT pg_advisory_xact_lock(7463108752265137)")?;
        if is_current(connection, server.name())? {
            return Ok(());
        }
        for (name, labels) in TYPES {
            if connection.query("SELECT to_regtype($1::text)::text", &[&name])?[0]
                .get::<_, Option<String>>(0)
                .is_none()
            {
                connection.batch(&format!("CREATE TYPE {name} AS ENUM ({labels})"))?;
            }
        }
        connection.batch(TABLES)?;
        connection.execute(
            "INSERT INTO version_info VALUES (1, $1::int4, $2::text) ON CONFLICT DO NOTHING",
            &[&SCHEMA_VERSION, &LIBRARY],
        )?;
        connection.execute(
            "INSERT INTO alembic_version SELECT $1::text WHERE NOT EXISTS (SELECT 1 FROM alembic_version)",
            &[&REVISION],
        )?;
        Ok(())
    })
}

/// Whether every table is there. Tables of another version are an error.
fn is_current(connection: &mut Connection, storage: &str) -> Result<bool, super::Broken> {
    let mut has = |table: &str| {
        let rows = connection.query("SELECT to_regclass($1::text)::text", &[&table])?;
        Ok::<_, postgres::Error>(rows[0].get::<_, Option<String>>(0).is_some())
    };
    if !has("studies")? {
        return Ok(false);
    }
    let all = ["trials", "trial_params", "trial_values", "trial_intermediate_values", "trial_heartbeats"];
    let mut whole =
        has("study_directions")? && has("trial_user_attributes")? && has("trial_system_attributes")?;
    whole &= has("study_user_attributes")? && has("study_system_attributes")?;
    for table in all {
        whole &= has(table)?;
    }
    let (has_version, has_revision) = (has("version_info")?, has("alembic_version")?);
    let mut first = |there: bool, sql: &str| match there {
        true => {
            let rows = connection.query(sql, &[])?;
            Ok::<_, postgres::Error>(rows.first().and_then(|row| row.get::<_, Option<String>>(0)))
        }
        false => Ok(None),
    };
    let revision = first(has_revision, "SELECT version_num::text FROM alembic_version LIMIT 1")?;
    let schema = first(has_version, "SELECT schema_version::text FROM version_info LIMIT 1")?;
    let library = first(has_version, "SELECT library_version::text FROM version_info LIMIT 1")?;
    check_version(storage, revision.as_deref(), schema.as_deref(), library.as_deref())?;
    Ok(whole && has_version && has_revision)
}
