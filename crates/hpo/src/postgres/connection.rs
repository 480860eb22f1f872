//! Connections to a server that may be away for a while.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use postgres::error::SqlState;
use postgres::types::ToSql;
use postgres::{Client, Row, SimpleQueryMessage, Statement};

use super::reach::{Address, Lost, is_of_encryption};
use crate::HpoError;

/// Idle connections that are kept; as many as there are threads can be in use.
const KEPT: usize = 8;
/// Between two tries: the first, and the longest.
const PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// How long a transaction may be silent, or wait for a lock: this share of patience within these ends. The server ends it then,
/// since whoever began it may be gone without a word and hold what others need.
const SHARE_OF_PATIENCE: u32 = 4;
const LEAST_SILENCE: Duration = Duration::from_secs(2);
const MOST_SILENCE: Duration = Duration::from_secs(30);

/// What stops a call inside a transaction.
pub(super) enum Broken {
    Postgres(postgres::Error),
    Ours(HpoError),
}

impl From<postgres::Error> for Broken {
    fn from(error: postgres::Error) -> Self {
        Self::Postgres(error)
    }
}

impl From<HpoError> for Broken {
    fn from(error: HpoError) -> Self {
        Self::Ours(error)
    }
}

/// One connection and what it has prepared.
pub(super) struct Connection {
    client: Client,
    statements: HashMap<String, Statement>,
}

impl Connection {
    fn prepare(&mut self, sql: &str) -> Result<Statement, postgres::Error> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(sql)?;
        self.statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    pub(super) fn query(
        &mut self,
        sql: &str,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, postgres::Error> {
        let statement = self.prepare(sql)?;
        self.client.query(&statement, params)
    }

    pub(super) fn execute(
        &mut self,
        sql: &str,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<u64, postgres::Error> {
        let statement = self.prepare(sql)?;
        self.client.execute(&statement, params)
    }

    /// Several statements without parameters.
    pub(super) fn batch(&mut self, sql: &str) -> Result<(), postgres::Error> {
        self.client.batch_execute(sql)
    }

    /// Begins a transaction that writes, within `limits`, and learns which it is.
    fn begin(&mut self, limits: &str) -> Result<Ticket, Broken> {
        let which = "SELECT txid_current(), extract(epoch FROM pg_postmaster_start_time())::text";
        let answers = self.client.simple_query(&format!("BEGIN; {limits}; {which}"))?;
        let ticket = answers.iter().find_map(|answer| match answer {
            SimpleQueryMessage::Row(row) => {
                Some(Ticket { number: row.get(0)?.parse().ok()?, server: row.get(1)?.to_owned() })
            }
            _ => None,
        });
        // The server has just said it; a server that does not is none of PostgreSQL.
        Ok(ticket.unwrap_or(Ticket { number: -1, server: String::new() }))
    }
}

/// Which transaction it was.
struct Ticket {
    number: i64,
    /// Since when the server had been running, as it says it: after a crash it gives numbers anew that it had not yet written down.
    server: String,
}

/// What became of one try.
enum Tried<T> {
    Done(T),
    Failed(HpoError),
    /// The connection was lost, or the server asks to try again, and nothing was changed.
    Again(postgres::Error),
    /// The connection was lost on the last word of this transaction, or the server has not ended it since.
    Unsure(Ticket, T, Lost),
}

/// What became of a transaction, as the server knows it.
enum Fate {
    Committed,
    Aborted,
    InProgress,
}

/// A database on a server.
pub(super) struct Server {
    address: Address,
    name: String,
    pub(super) patience: Duration,
    idle: Mutex<Vec<Connection>>,
}

impl Server {
    pub(super) fn new(address: Address, name: String, patience: Duration) -> Self {
        Self { address, name, patience, idle: Mutex::default() }
    }

    /// As messages name it.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// What the server does to a transaction of ours that stands still. It holds for one transaction, as a pool before the server
    /// may give the connection to somebody else afterwards.
    fn limits(&self) -> String {
        let limit = (self.patience / SHARE_OF_PATIENCE).clamp(LEAST_SILENCE, MOST_SILENCE).as_millis();
        format!("SET LOCAL idle_in_transaction_session_timeout = {limit}; SET LOCAL lock_timeout = {limit}")
    }

    /// One that was kept, or a new one if it comes about in that time.
    fn connection(&self, patience: Duration) -> Result<Connection, Lost> {
        loop {
            let kept = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            match kept {
                Some(connection) if connection.client.is_closed() => {}
                Some(connection) => return Ok(connection),
                None => {
                    return Ok(Connection {
                        client: self.address.reach(patience)?,
                        statements: HashMap::new(),
                    });
                }
            }
        }
    }

    fn keep(&self, connection: Connection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if !connection.client.is_closed() && idle.len() < KEPT {
            idle.push(connection);
        }
    }

    /// One transaction that reads: all of it sees the database at one moment.
    pub(super) fn read<T>(
        &self,
        operation: &'static str,
        work: impl Fn(&mut Connection, &str) -> Result<T, Broken>,
    ) -> Result<T, HpoError> {
        self.insist(operation, |connection| {
            let read = (|| {
                let limits = self.limits();
                connection.batch(&format!("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; {limits}"))?;
                let read = work(connection, &self.name)?;
                connection.batch("COMMIT")?;
                Ok(read)
            })();
            match read {
                Ok(read) => Tried::Done(read),
                Err(broken) => self.give_up(operation, connection, broken),
            }
        })
    }

    /// One transaction that writes, done once whatever happens to the connection.
    pub(super) fn write<T>(
        &self,
        operation: &'static str,
        work: impl Fn(&mut Connection) -> Result<T, Broken>,
    ) -> Result<T, HpoError> {
        self.insist(operation, |connection| {
            let written = connection.begin(&self.limits()).and_then(|ticket| Ok((ticket, work(connection)?)));
            match written {
                Ok((ticket, done)) => match connection.batch("COMMIT") {
                    Ok(()) => Tried::Done(done),
                    Err(error) if is_lost(&error) => Tried::Unsure(ticket, done, error.into()),
                    Err(error) => self.give_up(operation, connection, error.into()),
                },
                Err(broken) => self.give_up(operation, connection, broken),
            }
        })
    }

    /// Ends a transaction that cannot go on.
    fn give_up<T>(&self, operation: &'static str, connection: &mut Connection, broken: Broken) -> Tried<T> {
        let error = match broken {
            Broken::Postgres(error) if is_lost(&error) || connection.client.is_closed() => {
                return Tried::Again(error);
            }
            Broken::Postgres(error) => {
                let repeat = matches!(
                    error.code(),
                    Some(
                        &SqlState::T_R_SERIALIZATION_FAILURE
                            | &SqlState::T_R_DEADLOCK_DETECTED
                            | &SqlState::LOCK_NOT_AVAILABLE
                    )
                );
                match connection.batch("ROLLBACK") {
                    Ok(()) if !repeat => {}
                    _ => return Tried::Again(error),
                }
                self.failed(operation, error)
            }
            Broken::Ours(error) => {
                // A connection that cannot even do this is closed, and the server rolls back by itself.
                if connection.batch("ROLLBACK").is_err() {
                    connection.statements.clear();
                }
                error
            }
        };
        Tried::Failed(error)
    }

    fn failed(&self, operation: &'static str, error: postgres::Error) -> HpoError {
        HpoError::Storage { storage: self.name.clone(), operation, source: error.into() }
    }

    /// Tries until the server has answered or patience is at an end.
    #[expect(
        clippy::disallowed_methods,
        reason = "what a try takes counts as waiting, and only a clock knows it"
    )]
    fn insist<T>(
        &self,
        operation: &'static str,
        mut attempt: impl FnMut(&mut Connection) -> Tried<T>,
    ) -> Result<T, HpoError> {
        let (begun, mut pause) = (Instant::now(), PAUSE);
        let mut unsure: Option<(Ticket, T)> = None;
        loop {
            let lost = match self.connection(self.patience.saturating_sub(begun.elapsed())) {
                Err(Lost::Postgres(error)) if !is_lost(&error) => return Err(self.failed(operation, error)),
                Err(lost) => lost,
                Ok(mut connection) => {
                    let tried = match unsure.take() {
                        None => attempt(&mut connection),
                        Some((ticket, done)) => match fate(&mut connection, &ticket) {
                            Ok(Fate::Committed) => Tried::Done(done),
                            Ok(Fate::Aborted) => attempt(&mut connection),
                            Ok(Fate::InProgress) => Tried::Unsure(ticket, done, Lost::Undecided),
                            Err(error) if is_lost(&error) => Tried::Unsure(ticket, done, error.into()),
                            Err(error) => Tried::Failed(self.failed(operation, error)),
                        },
                    };
                    match tried {
                        Tried::Done(done) => {
                            self.keep(connection);
                            return Ok(done);
                        }
                        Tried::Failed(error) => {
                            self.keep(connection);
                            return Err(error);
                        }
                        Tried::Again(error) => {
                            self.keep(connection);
                            error.into()
                        }
                        Tried::Unsure(ticket, done, lost) => {
                            unsure = Some((ticket, done));
                            if matches!(lost, Lost::Undecided) {
                                self.keep(connection);
                            }
                            lost
                        }
                    }
                }
            };
            let waited = begun.elapsed();
            let Some(left) = self.patience.checked_sub(waited).filter(|left| !left.is_zero()) else {
                let storage = self.name.clone();
                return Err(HpoError::Away { storage, operation, waited, source: lost.into() });
            };
            std::thread::sleep(pause.min(left));
            pause = (2 * pause).min(LONGEST_PAUSE);
        }
    }
}

/// The state of transaction `$1` of a server that had been running since `$2`. If it has come up since by its own log, the first
/// number that it gave then is in its last checkpoint: a number from there on is somebody else's by now, and ours was lost. A
/// server that followed another one before has no such checkpoint.
const FATE: &str = "SELECT CASE
    WHEN extract(epoch FROM pg_postmaster_start_time())::text <> $2::text AND pg_last_wal_receive_lsn() IS NULL
        AND (SELECT split_part(next_xid, ':', 1)::int8 << 32 | split_part(next_xid, ':', 2)::int8
             FROM pg_control_checkpoint()) <= $1::int8
    THEN 'aborted' ELSE txid_status($1::int8) END";

/// What became of a transaction whose end was not heard of.
fn fate(connection: &mut Connection, ticket: &Ticket) -> Result<Fate, postgres::Error> {
    let answer = match connection.query(FATE, &[&ticket.number, &ticket.server]) {
        // Not every server lets everybody see how it came up.
        Err(error)
            if matches!(
                error.code(),
                Some(&SqlState::INSUFFICIENT_PRIVILEGE | &SqlState::UNDEFINED_FUNCTION)
            ) =>
        {
            connection.query("SELECT txid_status($1::int8)", &[&ticket.number])
        }
        answer => answer,
    };
    let rows = match answer {
        // The number is yet to be given: the server came up without it.
        Err(error) if error.code() == Some(&SqlState::INVALID_PARAMETER_VALUE) => return Ok(Fate::Aborted),
        answer => answer?,
    };
    let status: Option<String> = rows.first().and_then(|row| row.get(0));
    Ok(match status.as_deref() {
        Some("committed") => Fate::Committed,
        Some("in progress") => Fate::InProgress,
        // Nothing is known of a transaction that is too old, which one of some minutes ago is not.
        _ => Fate::Aborted,
    })
}

/// Whether the server, or the way to it, is gone for now.
fn is_lost(error: &postgres::Error) -> bool {
    let Some(code) = error.code() else {
        let of_the_network = |source: &(dyn std::error::Error + 'static)| match source.downcast_ref() {
            Some(error) => !is_of_encryption(error),
            None => false,
        };
        return error.is_closed() || std::error::Error::source(error).is_some_and(of_the_network);
    };
    let shuts_down = [
        SqlState::ADMIN_SHUTDOWN,
        SqlState::CRASH_SHUTDOWN,
        SqlState::CANNOT_CONNECT_NOW,
        SqlState::TOO_MANY_CONNECTIONS,
        // It took this client for gone, and ended its session.
        SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
    ];
    shuts_down.contains(code) || code.code().starts_with("08")
}
