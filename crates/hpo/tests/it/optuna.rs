//! Optuna and its dashboard open what is stored here, and work on it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tapeline_hpo::{
    Choice, Direction, FloatDistribution, Heartbeat, IntDistribution, JsonValue, Outcome, RandomSampler,
    RawJson, Storage, StorageOptions, Study, TrialState, open_storage,
};
use tempfile::TempDir;

use crate::dump::{assert_read_alike, at};
use crate::python::{Optuna, Python};
use tapeline_testkit::PostgresServer;

/// A file of its own and its address.
pub(crate) fn file() -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:///{}", folder.path().join("studies.db").display());
    (folder, url)
}

pub(crate) fn open(url: &str) -> Arc<dyn Storage> {
    Arc::from(open_storage(url, &StorageOptions::default()).unwrap())
}

/// The address as SQLAlchemy takes it: without a driver it would take one that is not installed everywhere.
pub(crate) fn for_python(url: &str) -> String {
    url.replace("postgresql://", "postgresql+psycopg://")
}

/// Two studies with something of everything.
fn fill(storage: &Arc<dyn Storage>) {
    let study =
        Study::minimize("ours, é").storage(Arc::clone(storage)).sampler(RandomSampler).create().unwrap();
    let endings = [
        Outcome::from(1.5),
        Outcome::from(f64::INFINITY),
        Outcome::from(f64::NEG_INFINITY),
        Outcome::from(f64::NAN),
        Outcome::Pruned,
        Outcome::Failed("out of memory, \"é\"".to_owned()),
    ];
    for ending in endings {
        let mut trial = study.ask().unwrap();
        let x = trial.suggest_float("x", FloatDistribution::new(0.0, 1.0)).unwrap();
        trial.suggest_float("rate", FloatDistribution::log(1e-5, 0.1)).unwrap();
        trial.suggest_float("step", FloatDistribution::stepped(0.0, 1.05, 0.25)).unwrap();
        trial.suggest_int("layers", IntDistribution::log(1, 64)).unwrap();
        let kinds = [Choice::from("é"), Choice::Null, Choice::from(true), Choice::Int(3), Choice::from(2.5)];
        trial.suggest_categorical("kind", &kinds).unwrap();
        for (step, value) in [x, f64::INFINITY, f64::NEG_INFINITY, f64::NAN, 0.5].into_iter().enumerate() {
            trial.report(step as i64, value).unwrap();
        }
        trial.set_user_attribute("odd", RawJson::from_text("[NaN, -Infinity, 100000000000000000000000000]"));
        study.tell(trial, ending).unwrap();
    }
    drop(study.ask().unwrap());
    study.enqueue(&BTreeMap::from([("x".to_owned(), Choice::from(0.125))]), BTreeMap::new()).unwrap();
    let record = storage.study("ours, é").unwrap();
    storage.set_study_user_attribute(record.id, "note", &RawJson::from_text("{\"é\": NaN}")).unwrap();

    let directions = [Direction::Minimize, Direction::Maximize];
    let several = Study::of("several", directions)
        .storage(Arc::clone(storage))
        .sampler(RandomSampler)
        .create()
        .unwrap();
    let mut trial = several.ask().unwrap();
    let x = trial.suggest_float("x", FloatDistribution::new(0.0, 1.0)).unwrap();
    trial.set_constraint("size", -1.0);
    several.tell(trial, [x, f64::NEG_INFINITY]).unwrap();
}

fn check_reading(url: &str, python: &Python) {
    let storage = open(url);
    fill(&storage);
    let address = for_python(url);
    let dump = python.ask(&["dump", &address]);
    assert_read_alike(&*storage, &dump);

    python.tell(&["queue", &address, "ours, é"]);
    let study =
        Study::minimize("ours, é").storage(Arc::clone(&storage)).sampler(RandomSampler).open().unwrap();
    assert_eq!(study.ask().unwrap().number(), 7, "the trial that was queued here");
    let mut theirs = study.ask().unwrap();
    assert_eq!(theirs.number(), 8, "the trial that Optuna queued");
    assert_eq!(theirs.suggest_float("x", FloatDistribution::new(0.0, 1.0)).unwrap(), 0.125);
    study.tell(theirs, 1.0).unwrap();
    assert_read_alike(&*storage, &python.ask(&["dump", &address]));
}

#[test]
fn optuna_5_reads_our_files() {
    let Some(python) = Optuna::V5.python() else { return };
    let (_folder, url) = file();
    check_reading(&url, &python);
}

#[test]
fn optuna_4_reads_our_files() {
    let Some(python) = Optuna::V4.python() else { return };
    let (_folder, url) = file();
    check_reading(&url, &python);
}

#[test]
fn optuna_reads_our_databases() {
    let (Some(python), Some(server)) = (Optuna::V5.python(), PostgresServer::shared()) else { return };
    check_reading(&server.database(), &python);
}

#[test]
fn we_read_what_optuna_makes_of_an_empty_database() {
    let (Some(python), Some(server)) = (Optuna::V5.python(), PostgresServer::shared()) else { return };
    let (ours, theirs) = (server.database(), server.database());
    // Optuna makes its tables as it opens a storage.
    python.ask(&["dump", &for_python(&theirs)]);
    fill(&open(&theirs));
    fill(&open(&ours));
    let columns = |url: &str| schema(&mut postgres::Client::connect(url, postgres::NoTls).unwrap());
    assert_eq!(columns(&ours), columns(&theirs), "tables, types and constraints are those of Optuna");
    assert_read_alike(&*open(&theirs), &python.ask(&["dump", &for_python(&theirs)]));
}

/// Every column, constraint, index and type of a database, as text.
fn schema(client: &mut postgres::Client) -> Vec<String> {
    let queries = [
        "SELECT concat_ws(' ', table_name, column_name, data_type, udt_name, character_maximum_length, is_nullable, column_default)
         FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1",
        "SELECT concat_ws(' ', conrelid::regclass, conname, pg_get_constraintdef(oid)) FROM pg_constraint
         WHERE connamespace = 'public'::regnamespace ORDER BY 1",
        "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1",
        "SELECT concat_ws(' ', t.typname, e.enumsortorder, e.enumlabel) FROM pg_enum e JOIN pg_type t ON t.oid = e.enumtypid
         ORDER BY 1",
        "SELECT concat_ws(' ', (SELECT version_num FROM alembic_version), (SELECT schema_version FROM version_info))",
    ];
    let rows = queries.iter().flat_map(|query| client.query(*query, &[]).unwrap());
    rows.map(|row| row.get(0)).collect()
}

#[test]
fn a_file_of_ours_has_the_tables_of_optuna() {
    let tables = |file: &std::path::Path| -> Vec<String> {
        let connection = rusqlite::Connection::open(file).unwrap();
        let mut statement =
            connection.prepare("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL").unwrap();
        let rows = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
        // Spaces aside.
        let mut tables: Vec<String> = rows
            .map(|sql| {
                sql.unwrap()
                    .split_whitespace()
                    .collect::<Vec<_>>()
                    .join(" ")
                    .replace("( ", "(")
                    .replace(" )", ")")
            })
            .collect();
        tables.sort();
        tables
    };
    let (folder, url) = file();
    drop(open(&url));
    let golden = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/optuna-5.0.db");
    assert_eq!(tables(&folder.path().join("studies.db")), tables(&golden));
}

#[test]
fn infinities_stand_where_optuna_puts_them() {
    let (folder, url) = file();
    fill(&open(&url));
    let connection = rusqlite::Connection::open(folder.path().join("studies.db")).unwrap();
    for table in ["trial_values WHERE value", "trial_intermediate_values WHERE intermediate_value"] {
        let (table, column) = table.split_once(" WHERE ").unwrap();
        let sql = format!(
            "SELECT {column}_type FROM {table} WHERE {column} IS NULL OR abs({column}) > 1e308 OR
                           {column}_type <> 'FINITE' GROUP BY 1 HAVING max({column}) IS NULL ORDER BY 1"
        );
        let mut statement = connection.prepare(&sql).unwrap();
        let kinds: Vec<String> =
            statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        let expected: &[&str] =
            if table == "trial_values" { &["INF_NEG", "INF_POS"] } else { &["INF_NEG", "INF_POS", "NAN"] };
        assert_eq!(kinds, expected, "{table}");
    }
}

/// Optuna reads a finished trial once and never again, so what is not there by then is lost to it.
#[test]
fn the_state_of_a_trial_is_written_last() {
    let (folder, url) = file();
    let storage = open(&url);
    rusqlite::Connection::open(folder.path().join("studies.db"))
        .unwrap()
        .execute_batch(
            "CREATE TRIGGER last AFTER UPDATE OF state ON trials WHEN NEW.state = 'COMPLETE' AND NOT (
                 EXISTS (SELECT 1 FROM trial_values v WHERE v.trial_id = NEW.trial_id)
                 AND EXISTS (SELECT 1 FROM trial_params p WHERE p.trial_id = NEW.trial_id))
             BEGIN SELECT raise(ABORT, 'a trial is complete before all of it is written'); END",
        )
        .unwrap();
    fill(&storage);
}

#[test]
fn the_dashboard_shows_our_studies() {
    let Some(python) = Optuna::V5.python() else { return };
    let (_folder, url) = file();
    fill(&open(&url));
    let answers = python.ask(&["dashboard", &url]);
    let JsonValue::Array(studies) = at(at(&answers, "/api/studies"), "study_summaries") else {
        panic!("{answers:?}");
    };
    let names: Vec<&JsonValue> = studies.iter().map(|study| at(study, "study_name")).collect();
    assert_eq!(names.len(), 2);
    assert!(names.contains(&&JsonValue::Text("ours, é".to_owned())), "{names:?}");
    let JsonValue::Array(trials) = at(at(&answers, "/api/studies/1"), "trials") else {
        panic!("{answers:?}")
    };
    let states: Vec<&JsonValue> = trials.iter().map(|trial| at(trial, "state")).collect();
    let expected = ["Complete", "Complete", "Complete", "Fail", "Pruned", "Fail", "Running", "Waiting"];
    assert_eq!(states, expected.map(|state| JsonValue::Text(state.to_owned())).iter().collect::<Vec<_>>());
    let values: Vec<&JsonValue> = trials[..3].iter().map(|trial| at(trial, "values")).collect();
    let shown =
        [JsonValue::Float(1.5), JsonValue::Text("inf".to_owned()), JsonValue::Text("-inf".to_owned())];
    assert_eq!(values, shown.map(|value| JsonValue::Array(vec![value])).iter().collect::<Vec<_>>());
}

/// Beats mean the same on both sides: each takes the other's silent trials for dead, and retries them.
fn check_beats(url: &str, python: &Python) {
    let storage = open(url);
    let options = Study::minimize("beats").storage(Arc::clone(&storage)).sampler(RandomSampler);
    let beats = Heartbeat { interval: Duration::from_secs(1), grace: Duration::from_secs(3), retries: 1 };
    let study = options.heartbeat(beats).create().unwrap();
    let mut ours = study.ask().unwrap();
    ours.suggest_float("x", FloatDistribution::new(0.0, 1.0)).unwrap();
    ours.report(0, 1.0).unwrap();
    assert_eq!(ours.number(), 0);
    let never_beat = study
        .storage()
        .create_trial(study.record().id, &tapeline_hpo::NewTrial::in_state(TrialState::Running));
    assert_eq!(never_beat.unwrap().number, 1);
    std::thread::sleep(Duration::from_millis(4500));
    // It takes ours for dead, queues it again as number 2, and takes that itself; then it falls silent.
    let said = python.ask(&["beat", &for_python(url), "beats"]);
    assert_eq!(at(&said, "failed"), &JsonValue::Array(vec![JsonValue::Int(0)]), "{said:?}");
    assert_eq!(at(&said, "beating"), &JsonValue::Int(2), "{said:?}");
    assert!(study.tell(ours, 1.0).is_err(), "others took it for dead");
    std::thread::sleep(Duration::from_millis(4500));
    assert_eq!(study.retire_dead().unwrap(), [2]);
    let states: Vec<TrialState> =
        storage.trials(study.record().id, None, &[]).unwrap().iter().map(|trial| trial.state).collect();
    // It was retried once already.
    assert_eq!(states, [TrialState::Fail, TrialState::Running, TrialState::Fail]);
}

#[test]
fn beats_mean_the_same_in_a_file() {
    let Some(python) = Optuna::V5.python() else { return };
    let (_folder, url) = file();
    check_beats(&url, &python);
}

#[test]
fn beats_mean_the_same_in_a_database() {
    let (Some(python), Some(server)) = (Optuna::V5.python(), PostgresServer::shared()) else { return };
    check_beats(&server.database(), &python);
}
