//! The tables, exactly Optuna's.

use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OptionalExtension as _, Transaction};

use super::{Broken, SqliteJournal, SqliteOptions};
use crate::storage::encoding::{REVISION, SCHEMA_VERSION};
use crate::storage::version::{LIBRARY, check_version};

const TABLES: &str = "
CREATE TABLE studies (
    study_id INTEGER NOT NULL,
    study_name VARCHAR(512) NOT NULL,
    PRIMARY KEY (study_id)
);
CREATE UNIQUE INDEX ix_studies_study_name ON studies (study_name);
CREATE TABLE version_info (
    version_info_id INTEGER NOT NULL,
    schema_version INTEGER,
    library_version VARCHAR(256),
    PRIMARY KEY (version_info_id),
    CHECK (version_info_id=1)
);
CREATE TABLE study_directions (
    study_direction_id INTEGER NOT NULL,
    direction VARCHAR(8) NOT NULL,
    study_id INTEGER NOT NULL,
    objective INTEGER NOT NULL,
    PRIMARY KEY (study_direction_id),
    UNIQUE (study_id, objective),
    FOREIGN KEY(study_id) REFERENCES studies (study_id)
);
CREATE TABLE study_user_attributes (
    study_user_attribute_id INTEGER NOT NULL,
    study_id INTEGER,
    \"key\" VARCHAR(512),
    value_json TEXT,
    PRIMARY KEY (study_user_attribute_id),
    UNIQUE (study_id, \"key\"),
    FOREIGN KEY(study_id) REFERENCES studies (study_id)
);
CREATE TABLE study_system_attributes (
    study_system_attribute_id INTEGER NOT NULL,
    study_id INTEGER,
    \"key\" VARCHAR(512),
    value_json TEXT,
    PRIMARY KEY (study_system_attribute_id),
    UNIQUE (study_id, \"key\"),
    FOREIGN KEY(study_id) REFERENCES studies (study_id)
);
CREATE TABLE trials (
    trial_id INTEGER NOT NULL,
    number INTEGER,
    study_id INTEGER,
    state VARCHAR(8) NOT NULL,
    datetime_start DATETIME,
    datetime_complete DATETIME,
    PRIMARY KEY (trial_id),
    FOREIGN KEY(study_id) REFERENCES studies (study_id)
);
CREATE INDEX ix_trials_study_id ON trials (study_id);
CREATE TABLE trial_user_attributes (
    trial_user_attribute_id INTEGER NOT NULL,
    trial_id INTEGER,
    \"key\" VARCHAR(512),
    value_json TEXT,
    PRIMARY KEY (trial_user_attribute_id),
    UNIQUE (trial_id, \"key\"),
    FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
CREATE TABLE trial_system_attributes (
    trial_system_attribute_id INTEGER NOT NULL,
    trial_id INTEGER,
    \"key\" VARCHAR(512),
    value_json TEXT,
    PRIMARY KEY (trial_system_attribute_id),
    UNIQUE (trial_id, \"key\"),
    FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
CREATE TABLE trial_params (
    param_id INTEGER NOT NULL,
    trial_id INTEGER,
    param_name VARCHAR(512),
    param_value FLOAT,
    distribution_json TEXT,
    PRIMARY KEY (param_id),
    UNIQUE (trial_id, param_name),
    FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
CREATE TABLE trial_values (
    trial_value_id INTEGER NOT NULL,
    trial_id INTEGER NOT NULL,
    objective INTEGER NOT NULL,
    value FLOAT,
    value_type VARCHAR(7) NOT NULL,
    PRIMARY KEY (trial_value_id),
    UNIQUE (trial_id, objective),
    FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
CREATE TABLE trial_intermediate_values (
    trial_intermediate_value_id INTEGER NOT NULL,
    trial_id INTEGER NOT NULL,
    step INTEGER NOT NULL,
    intermediate_value FLOAT,
    intermediate_value_type VARCHAR(7) NOT NULL,
    PRIMARY KEY (trial_intermediate_value_id),
    UNIQUE (trial_id, step),
    FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
CREATE TABLE trial_heartbeats (
    trial_heartbeat_id INTEGER NOT NULL,
    trial_id INTEGER NOT NULL,
    heartbeat DATETIME NOT NULL,
    PRIMARY KEY (trial_heartbeat_id),
    UNIQUE (trial_id),
    FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
CREATE TABLE alembic_version (
    version_num VARCHAR(32) NOT NULL,
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
";

/// Between two tries to change the journal.
const PAUSE: Duration = Duration::from_millis(20);

/// Changes the file's journal if it is another. For that no other connection may be in a transaction, and SQLite does not
/// wait by itself; a file that is busy throughout is left as it is, which is no fault: both journals are safe.
pub(super) fn set_journal(connection: &Connection, options: SqliteOptions) -> Result<(), Broken> {
    let (wanted, synchronous) = match options.journal {
        // The log is synced before it is written back, so the file stays whole whatever happens.
        SqliteJournal::WriteAhead => ("wal", "NORMAL"),
        SqliteJournal::Delete => ("delete", "FULL"),
    };
    let mut waited = Duration::ZERO;
    loop {
        let found: String = connection.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
        if found == wanted {
            connection.pragma_update(None, "synchronous", synchronous)?;
            return Ok(());
        }
        match connection.pragma_update_and_check(None, "journal_mode", wanted, |row| row.get::<_, String>(0))
        {
            Ok(_) => {}
            Err(error) if is_busy(&error) => {}
            Err(error) => return Err(error.into()),
        }
        if waited >= options.patience {
            return Ok(());
        }
        std::thread::sleep(PAUSE);
        waited += PAUSE;
    }
}

fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

/// Makes the tables in an empty file; in another, sees that they are those of this schema.
pub(super) fn prepare(transaction: &Transaction<'_>, storage: &str) -> Result<(), Broken> {
    let has = |table: &str| {
        transaction.query_row(
            "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?1)",
            [table],
            |row| row.get::<_, bool>(0),
        )
    };
    if !has("studies")? {
        transaction.execute_batch(TABLES)?;
        transaction.execute("INSERT INTO version_info VALUES (1, ?1, ?2)", (SCHEMA_VERSION, LIBRARY))?;
        transaction.execute("INSERT INTO alembic_version VALUES (?1)", [REVISION])?;
        return Ok(());
    }
    let first = |table: &str, sql: &str| match has(table)? {
        true => transaction.query_row(sql, [], |row| row.get::<_, Option<String>>(0)).optional(),
        false => Ok(None),
    };
    let revision = first("alembic_version", "SELECT version_num FROM alembic_version LIMIT 1")?.flatten();
    let schema =
        first("version_info", "SELECT CAST(schema_version AS TEXT) FROM version_info LIMIT 1")?.flatten();
    let library = first("version_info", "SELECT library_version FROM version_info LIMIT 1")?.flatten();
    check_version(storage, revision.as_deref(), schema.as_deref(), library.as_deref())?;
    // Optuna makes these when it opens a file that lacks them; so do we, or their first use would fail.
    for statement in TABLES.split_inclusive(';').filter(|statement| statement.contains("CREATE TABLE")) {
        transaction.execute_batch(&statement.replacen("CREATE TABLE", "CREATE TABLE IF NOT EXISTS", 1))?;
    }
    Ok(())
}
