//! Studies in one SQLite file, which Optuna and its dashboard open, also while workers of ours are on it.

mod read;
mod schema;
mod write;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior, params};

use crate::storage::Author;
use crate::storage::check::{self, KnownParams};
use crate::storage::encoding::direction_name;
use crate::{
    Direction, FrozenTrial, HpoError, NewTrial, RawJson, Storage, StudyId, StudyRecord, TrialChange, TrialId,
    TrialState,
};

/// Studies in one SQLite file.
///
/// A call is one transaction that takes the file's write lock as it begins, so none fails half-way because another process
/// wrote; it waits instead, up to [`SqliteOptions::patience`]. With the write-ahead log, what a call wrote survives the end of
/// every process; a machine that loses its power may lose the last moments, never the file.
///
/// One process's threads share one connection and take turns.
pub struct SqliteStorage {
    /// As messages name it.
    name: String,
    inside: Mutex<Inside>,
}

/// How a SQLite file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SqliteOptions {
    /// How SQLite keeps a transaction whole.
    pub journal: SqliteJournal,
    /// How long a call waits for others to let go of the file.
    pub patience: Duration,
}

/// How SQLite keeps a transaction whole. It is a property of the file, so the last one that opens it decides for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SqliteJournal {
    /// A log beside the file: readers and the writer do not wait for each other. Not for network file systems.
    WriteAhead,
    /// The old pages beside the file until the transaction is over: slower, and right on a network file system whose locks
    /// work.
    Delete,
}

impl Default for SqliteOptions {
    /// The write-ahead log, and 30 s: more than many workers need to take their turns, less than a person waits.
    fn default() -> Self {
        Self { journal: SqliteJournal::WriteAhead, patience: Duration::from_secs(30) }
    }
}

struct Inside {
    connection: Connection,
    known: KnownParams,
    /// By study: no trial with a smaller id is queued. Trials enter the queue as they are made and never come back to it.
    queue_from: HashMap<StudyId, i64>,
}

/// The database's clock, as Optuna writes its times: UTC, to the microsecond in form, to the millisecond in fact.
const NOW: &str = "strftime('%Y-%m-%d %H:%M:%f000', 'now')";

/// What stops a call inside a transaction.
enum Broken {
    Sqlite(rusqlite::Error),
    Ours(HpoError),
}

impl From<rusqlite::Error> for Broken {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<HpoError> for Broken {
    fn from(error: HpoError) -> Self {
        Self::Ours(error)
    }
}

impl Broken {
    fn of(self, storage: &str, operation: &'static str) -> HpoError {
        match self {
            Self::Ours(error) => error,
            Self::Sqlite(error) => {
                HpoError::Storage { storage: storage.to_owned(), operation, source: error.into() }
            }
        }
    }
}

impl SqliteStorage {
    /// Opens the file, and makes it and its tables where they are not.
    ///
    /// # Errors
    /// [`HpoError::Schema`] if the file has tables of another version, [`HpoError::Storage`] with what SQLite says.
    pub fn open(file: &Path, options: SqliteOptions) -> Result<Self, HpoError> {
        let name = file.display().to_string();
        let opened = Connection::open(file).map_err(Broken::from).and_then(|connection| {
            connection.busy_timeout(options.patience)?;
            connection.set_prepared_statement_cache_capacity(96);
            schema::set_journal(&connection, options)?;
            Ok(connection)
        });
        Self::with_tables(name, opened)
    }

    /// Studies in the memory of one process, in SQLite's tables; nothing of them is left when it is dropped.
    ///
    /// # Errors
    /// [`HpoError::Storage`] with what SQLite says.
    pub fn in_memory() -> Result<Self, HpoError> {
        Self::with_tables("sqlite in memory".to_owned(), Connection::open_in_memory().map_err(Broken::from))
    }

    fn with_tables(name: String, opened: Result<Connection, Broken>) -> Result<Self, HpoError> {
        let connection = opened.map_err(|broken| broken.of(&name, "open the file"))?;
        let inside = Inside { connection, known: KnownParams::default(), queue_from: HashMap::new() };
        let storage = Self { name, inside: Mutex::new(inside) };
        storage.write("make its tables", |transaction, _, _| schema::prepare(transaction, &storage.name))?;
        Ok(storage)
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        // A panic leaves a transaction that was rolled back, and caches that only ever hold what was read.
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One transaction that writes.
    fn write<T>(
        &self,
        operation: &'static str,
        work: impl FnOnce(&Transaction<'_>, &mut KnownParams, &mut HashMap<StudyId, i64>) -> Result<T, Broken>,
    ) -> Result<T, HpoError> {
        let inside = &mut *self.inside();
        (|| {
            let transaction = inside.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let done = work(&transaction, &mut inside.known, &mut inside.queue_from)?;
            transaction.commit()?;
            Ok(done)
        })()
        .map_err(|broken: Broken| broken.of(&self.name, operation))
    }

    /// One transaction that reads: all of it sees the file at one moment.
    fn read<T>(
        &self,
        operation: &'static str,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Broken>,
    ) -> Result<T, HpoError> {
        let inside = &mut *self.inside();
        (|| {
            let transaction = inside.connection.transaction_with_behavior(TransactionBehavior::Deferred)?;
            let read = work(&transaction)?;
            transaction.commit()?;
            Ok(read)
        })()
        .map_err(|broken: Broken| broken.of(&self.name, operation))
    }

    fn set_study_attribute(
        &self,
        author: Author,
        study: StudyId,
        key: &str,
        value: &RawJson,
    ) -> Result<(), HpoError> {
        check::check_attribute(key, value)?;
        self.write("note something on a study", |transaction, _, _| {
            read::objectives(transaction, study)?;
            let sql = format!(
                "INSERT INTO {} (study_id, \"key\", value_json) VALUES (?1, ?2, ?3)
                 ON CONFLICT (study_id, \"key\") DO UPDATE SET value_json = excluded.value_json",
                author.study_table()
            );
            transaction.prepare_cached(&sql)?.execute(params![study.0, key, value.as_str()])?;
            Ok(())
        })
    }
}

impl Storage for SqliteStorage {
    fn create_study(&self, name: &str, directions: &[Direction]) -> Result<StudyId, HpoError> {
        check::check_study(name, directions)?;
        self.write("make a study", |transaction, _, _| {
            let made: Option<i64> = transaction
                .prepare_cached(
                    "INSERT INTO studies (study_name) VALUES (?1) ON CONFLICT (study_name) DO NOTHING
                     RETURNING study_id",
                )?
                .query_row([name], |row| row.get(0))
                .optional()?;
            let study = made.ok_or_else(|| HpoError::StudyExists { name: name.to_owned() })?;
            let mut insert = transaction.prepare_cached(
                "INSERT INTO study_directions (direction, study_id, objective) VALUES (?1, ?2, ?3)",
            )?;
            for (objective, direction) in directions.iter().enumerate() {
                insert.execute(params![direction_name(*direction), study, objective as i64])?;
            }
            Ok(StudyId(study))
        })
    }

    fn studies(&self) -> Result<Vec<StudyRecord>, HpoError> {
        self.read("read its studies", |transaction| read::studies(transaction, None, &self.name))
    }

    fn study(&self, name: &str) -> Result<StudyRecord, HpoError> {
        let found =
            self.read("read a study", |transaction| read::studies(transaction, Some(name), &self.name))?;
        found.into_iter().next().ok_or_else(|| HpoError::UnknownStudy { name: name.to_owned() })
    }

    fn delete_study(&self, study: StudyId) -> Result<(), HpoError> {
        self.write("delete a study", |transaction, known, queue_from| {
            known.forget(study);
            queue_from.remove(&study);
            write::delete_study(transaction, study)
        })
    }

    fn set_study_user_attribute(&self, study: StudyId, key: &str, value: &RawJson) -> Result<(), HpoError> {
        self.set_study_attribute(Author::User, study, key, value)
    }

    fn set_study_system_attribute(&self, study: StudyId, key: &str, value: &RawJson) -> Result<(), HpoError> {
        self.set_study_attribute(Author::System, study, key, value)
    }

    fn create_trial(&self, study: StudyId, trial: &NewTrial) -> Result<Arc<FrozenTrial>, HpoError> {
        let changes = check::as_changes(trial);
        check::check_changes(&changes)?;
        self.write("make a trial", |transaction, known, _| {
            trial.check(read::objectives(transaction, study)?)?;
            write::create_trial(transaction, known, study, trial, &changes)
        })
    }

    fn claim_waiting(&self, study: StudyId) -> Result<Option<Arc<FrozenTrial>>, HpoError> {
        let from = self.inside().queue_from.get(&study).copied().unwrap_or(i64::MIN);
        let operation = "take a queued trial";
        // Mostly nothing is queued, and to see that takes no lock.
        let (waiting, end) = self.read(operation, |transaction| read::queue(transaction, study, from))?;
        self.inside().queue_from.insert(study, waiting.unwrap_or(end));
        if waiting.is_none() {
            return Ok(None);
        }
        self.write(operation, |transaction, _, _| {
            let Some(trial) = write::claim(transaction, study, from)? else { return Ok(None) };
            // Read before it is taken for good: one that cannot be read stays in the queue.
            Ok(read::trials(transaction, study, Some(TrialId(i64::MAX)), &[trial], &self.name)?.pop())
        })
    }

    fn change_trial(&self, trial: TrialId, changes: &[TrialChange]) -> Result<(), HpoError> {
        check::check_changes(changes)?;
        self.write("change a trial", |transaction, known, _| {
            let (study, number) = write::unfinished(transaction, trial)?;
            write::apply(transaction, known, (study, trial, number), changes)
        })
    }

    fn finish_trial(
        &self,
        trial: TrialId,
        changes: &[TrialChange],
        state: TrialState,
        values: Option<&[f64]>,
    ) -> Result<(), HpoError> {
        check::check_changes(changes)?;
        self.write("finish a trial", |transaction, known, _| {
            let (study, number) = write::unfinished(transaction, trial)?;
            crate::storage::check_end(state, values, read::objectives(transaction, study)?)?;
            write::apply(transaction, known, (study, trial, number), changes)?;
            write::values(transaction, trial, values.unwrap_or_default())?;
            write::end(transaction, trial, state)
        })
    }

    fn trials(
        &self,
        study: StudyId,
        after: Option<TrialId>,
        again: &[TrialId],
    ) -> Result<Vec<Arc<FrozenTrial>>, HpoError> {
        self.read("read trials", |transaction| read::trials(transaction, study, after, again, &self.name))
    }

    fn beat(&self, trial: TrialId) -> Result<(), HpoError> {
        self.write("note that a trial's worker is alive", |transaction, _, _| {
            write::unfinished(transaction, trial)?;
            let sql = format!(
                "INSERT INTO trial_heartbeats (trial_id, heartbeat) VALUES (?1, {NOW})
                 ON CONFLICT (trial_id) DO UPDATE SET heartbeat = excluded.heartbeat"
            );
            transaction.prepare_cached(&sql)?.execute([trial.0])?;
            Ok(())
        })
    }

    fn stale_trials(&self, study: StudyId, grace: Duration) -> Result<Vec<TrialId>, HpoError> {
        self.read("look for stale trials", |transaction| read::stale(transaction, study, grace))
    }
}
