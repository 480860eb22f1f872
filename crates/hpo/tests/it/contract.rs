//! Every storage keeps its contract.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use tapeline_hpo::{
    MemoryStorage, PostgresOptions, PostgresStorage, SqliteJournal, SqliteOptions, SqliteStorage, Storage,
    Timestamp, contract,
};

use tapeline_testkit::PostgresServer;

/// Runs every check, so that all that fail are named.
fn check(open: contract::storage::Open<'_>) {
    let fails = |check: contract::storage::Check| catch_unwind(AssertUnwindSafe(|| check(open))).is_err();
    let failed: Vec<&str> =
        contract::storage::CHECKS.iter().filter(|(_, check)| fails(*check)).map(|(name, _)| *name).collect();
    assert!(failed.is_empty(), "these checks failed: {failed:?}");
}

#[test]
fn memory_is_a_storage() {
    #[expect(
        clippy::disallowed_methods,
        reason = "a storage in memory is given the time by whoever makes it"
    )]
    let now = || Timestamp(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros() as i64);
    let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::with_clock(now));
    check(&|| Arc::clone(&storage));
}

fn check_file(journal: SqliteJournal) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("studies.db");
    let options = SqliteOptions { journal, ..SqliteOptions::default() };
    check(&|| Arc::new(SqliteStorage::open(&file, options).unwrap()));
}

#[test]
fn a_file_with_a_log_is_a_storage() {
    check_file(SqliteJournal::WriteAhead);
}

#[test]
fn a_file_without_a_log_is_a_storage() {
    check_file(SqliteJournal::Delete);
}

#[test]
fn sqlite_in_memory_is_a_storage() {
    let storage: Arc<dyn Storage> = Arc::new(SqliteStorage::in_memory().unwrap());
    check(&|| Arc::clone(&storage));
}

#[test]
fn postgresql_is_a_storage() {
    let Some(server) = PostgresServer::shared() else { return };
    let url = server.database();
    check(&|| Arc::new(PostgresStorage::connect(&url, PostgresOptions::default()).unwrap()));
}
