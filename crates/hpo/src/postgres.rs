//! Studies in a PostgreSQL database, for workers on many machines.

mod connection;
mod encryption;
mod reach;
mod read;
mod schema;
mod write;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use self::connection::{Broken, Server};
use self::reach::Address;
use crate::storage::check::{self, KnownParams};
use crate::storage::{Author, without_password};
use crate::{
    Direction, FrozenTrial, HpoError, NewTrial, RawJson, Storage, StudyId, StudyRecord, TrialChange, TrialId,
    TrialState,
};

/// Studies in a PostgreSQL database.
///
/// A call is one transaction. While the server is away, a call waits for it, up to [`PostgresOptions::patience`]. A call that
/// lost its connection while it committed asks the server afterwards whether it had committed: nothing is done twice, and
/// nothing that was done is reported as failed.
///
/// Its calls wait on the calling thread and must not be made from within an asynchronous runtime; there, make them on a thread
/// for blocking work.
///
/// Connections are encrypted as libpq has it, by the options of the address: `?sslmode=verify-full&sslrootcert=/path/to/ca.pem`
/// (or `sslrootcert=system`) looks at who answers, `require` keeps out who listens, and without a word encryption is used where
/// the server has it and both agree on it. `sslcert` and `sslkey` are what the server may ask for. A socket file's connection is
/// never encrypted. Unlike libpq, a file is only looked at that the address names, and `allow` is `prefer`.
pub struct PostgresStorage {
    server: Server,
    memo: Mutex<Memo>,
}

/// How a PostgreSQL database is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PostgresOptions {
    /// How long a call waits in all, from its first try on, for a server that is away or for what others hold. A quarter of it,
    /// from 2 to 30 seconds, is how long the server lets a transaction be silent or wait for a lock before it ends it, so that
    /// a worker that vanished in the middle of one keeps nobody.
    pub patience: Duration,
}

impl Default for PostgresOptions {
    /// 10 minutes: a server that is restarted or moved is back by then, and a worker that waits costs nothing but its time.
    fn default() -> Self {
        Self { patience: Duration::from_secs(600) }
    }
}

/// A server that does not answer at first is rather misspelt than away, so this is all that it is waited for.
const OPENING: Duration = Duration::from_secs(30);

#[derive(Default)]
struct Memo {
    known: KnownParams,
    /// By study: no trial with a smaller id is queued. Trials enter the queue as they are made and never come back to it.
    queue_from: HashMap<StudyId, i64>,
}

/// Never held while the server is asked.
fn lock(memo: &Mutex<Memo>) -> MutexGuard<'_, Memo> {
    // It only ever holds what was read.
    memo.lock().unwrap_or_else(PoisonError::into_inner)
}

impl PostgresStorage {
    /// Connects to the server, and makes the tables where they are not.
    ///
    /// # Errors
    /// [`HpoError::Url`] if `url` is none, [`HpoError::Away`] if no server answers, [`HpoError::Schema`] if the database has
    /// tables of another version, [`HpoError::Storage`] with what the server says.
    pub fn connect(url: &str, options: PostgresOptions) -> Result<Self, HpoError> {
        let name = without_password(url);
        let refuse = |fault| HpoError::Url { url: name.clone(), fault };
        let address = Address::of(url).map_err(refuse)?;
        let mut server = Server::new(address, name, options.patience.min(OPENING));
        schema::prepare(&server)?;
        server.patience = options.patience;
        Ok(Self { server, memo: Mutex::default() })
    }

    fn memo(&self) -> MutexGuard<'_, Memo> {
        lock(&self.memo)
    }

    fn set_study_attribute(
        &self,
        author: Author,
        study: StudyId,
        key: &str,
        value: &RawJson,
    ) -> Result<(), HpoError> {
        check::check_attribute(key, value)?;
        self.server.write("note something on a study", |connection| {
            read::objectives(connection, study)?;
            let sql = format!(
                "INSERT INTO {} (study_id, key, value_json) VALUES ($1::int8, $2::text, $3::text)
                 ON CONFLICT (study_id, key) DO UPDATE SET value_json = excluded.value_json",
                author.study_table()
            );
            connection.execute(&sql, &[&study.0, &key, &value.as_str()])?;
            Ok(())
        })
    }
}

impl Storage for PostgresStorage {
    fn create_study(&self, name: &str, directions: &[Direction]) -> Result<StudyId, HpoError> {
        check::check_study(name, directions)?;
        self.server.write("make a study", |connection| write::create_study(connection, name, directions))
    }

    fn studies(&self) -> Result<Vec<StudyRecord>, HpoError> {
        self.server.read("read its studies", |connection, name| read::studies(connection, None, name))
    }

    fn study(&self, name: &str) -> Result<StudyRecord, HpoError> {
        let found = self
            .server
            .read("read a study", |connection, server| read::studies(connection, Some(name), server))?;
        found.into_iter().next().ok_or_else(|| HpoError::UnknownStudy { name: name.to_owned() })
    }

    fn delete_study(&self, study: StudyId) -> Result<(), HpoError> {
        let mut memo = self.memo();
        memo.known.forget(study);
        memo.queue_from.remove(&study);
        drop(memo);
        self.server.write("delete a study", |connection| write::delete_study(connection, study))
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
        self.server.write("make a trial", |connection| {
            let objectives = write::lock_study(connection, study)?;
            trial.check(objectives)?;
            write::create_trial(connection, &self.memo, study, trial, &changes)
        })
    }

    fn claim_waiting(&self, study: StudyId) -> Result<Option<Arc<FrozenTrial>>, HpoError> {
        let from = self.memo().queue_from.get(&study).copied().unwrap_or(i64::MIN);
        let operation = "take a queued trial";
        // Mostly nothing is queued, and to see that takes no lock.
        let (waiting, end) =
            self.server.read(operation, |connection, _| read::queue(connection, study, from))?;
        self.memo().queue_from.insert(study, waiting.unwrap_or(end));
        if waiting.is_none() {
            return Ok(None);
        }
        let name = self.server.name();
        self.server.write(operation, |connection| {
            let Some(trial) = write::claim(connection, study, from)? else { return Ok(None) };
            // Read before it is taken for good: one that cannot be read stays in the queue.
            Ok(read::trials(connection, study, Some(TrialId(i64::MAX)), &[trial], name)?.pop())
        })
    }

    fn change_trial(&self, trial: TrialId, changes: &[TrialChange]) -> Result<(), HpoError> {
        check::check_changes(changes)?;
        self.server.write("change a trial", |connection| {
            let (study, number) = write::lock_unfinished(connection, trial)?;
            write::apply(connection, &self.memo, (study, trial, number), changes)
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
        self.server.write("finish a trial", |connection| {
            let (study, number) = write::lock_unfinished(connection, trial)?;
            crate::storage::check_end(state, values, read::objectives(connection, study)?)?;
            write::apply(connection, &self.memo, (study, trial, number), changes)?;
            write::values(connection, trial, values.unwrap_or_default())?;
            write::end(connection, trial, state)
        })
    }

    fn trials(
        &self,
        study: StudyId,
        after: Option<TrialId>,
        again: &[TrialId],
    ) -> Result<Vec<Arc<FrozenTrial>>, HpoError> {
        self.server
            .read("read trials", |connection, name| read::trials(connection, study, after, again, name))
    }

    fn beat(&self, trial: TrialId) -> Result<(), HpoError> {
        self.server.write("note that a trial's worker is alive", |connection| write::beat(connection, trial))
    }

    fn stale_trials(&self, study: StudyId, grace: Duration) -> Result<Vec<TrialId>, HpoError> {
        self.server.read("look for stale trials", |connection, _| read::stale(connection, study, grace))
    }
}
