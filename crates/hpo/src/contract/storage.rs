//! What every storage must do. Each check makes studies of its own, so all of them may use one place.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::{
    CategoricalDistribution, Choice, Direction, Distribution, FloatDistribution, FrozenTrial, History,
    HpoError, IntDistribution, NewTrial, Param, RawJson, Storage, StudyId, TrialChange, TrialId, TrialState,
};

/// Opens one and the same place again and again, as several processes would. A storage that cannot be opened twice is handed
/// out twice.
pub type Open<'a> = &'a (dyn Fn() -> Arc<dyn Storage> + Sync);

/// One check of a storage.
pub type Check = fn(Open<'_>);

/// All checks, by name.
pub const CHECKS: [(&str, Check); 13] = [
    ("studies are kept", studies_are_kept),
    ("studies are forgotten whole", studies_are_forgotten_whole),
    ("notes are kept to the letter", notes_are_kept_to_the_letter),
    ("what is written is read", what_is_written_is_read),
    ("the first report of a step stays", the_first_report_of_a_step_stays),
    ("finished trials never change", finished_trials_never_change),
    ("values fit their state", values_fit_their_state),
    ("the queue is taken in order", the_queue_is_taken_in_order),
    ("a queued trial is taken once", a_queued_trial_is_taken_once),
    ("numbers have no gaps", numbers_have_no_gaps),
    ("reading on is as good as reading all", reading_on_is_as_good_as_reading_all),
    ("silent workers are noticed", silent_workers_are_noticed),
    ("what is not there is said to be not there", what_is_not_there_is_said_to_be_not_there),
];

/// Runs all checks.
///
/// # Panics
/// When the storage does not do what it must.
pub fn check(open: Open<'_>) {
    for (_, check) in CHECKS {
        check(open);
    }
}

const MINIMIZE: [Direction; 1] = [Direction::Minimize];

fn study(storage: &dyn Storage, name: &str, directions: &[Direction]) -> StudyId {
    storage.create_study(&format!("contract: {name}"), directions).expect("a new study")
}

fn running(storage: &dyn Storage, study: StudyId) -> Arc<FrozenTrial> {
    storage.create_trial(study, &NewTrial::in_state(TrialState::Running)).expect("a new trial")
}

fn all(storage: &dyn Storage, study: StudyId) -> Vec<Arc<FrozenTrial>> {
    storage.trials(study, None, &[]).expect("the trials of a study")
}

fn complete(storage: &dyn Storage, trial: TrialId, value: f64) {
    storage.finish_trial(trial, &[], TrialState::Complete, Some(&[value])).expect("a trial is finished");
}

fn studies_are_kept(open: Open<'_>) {
    let storage = open();
    let directions = [Direction::Maximize, Direction::Minimize];
    let id = study(&*storage, "kept", &directions);
    let other = study(&*storage, "kept too, é", &MINIMIZE);
    assert_ne!(id, other, "two studies have one id");
    let again = storage.create_study("contract: kept", &MINIMIZE);
    assert!(matches!(again, Err(HpoError::StudyExists { .. })), "a second study of one name: {again:?}");

    let storage = open();
    let record = storage.study("contract: kept").expect("a study by its name");
    assert_eq!((record.id, record.directions.as_slice()), (id, directions.as_slice()));
    assert!(record.user_attributes.is_empty() && record.system_attributes.is_empty());
    let ids: Vec<StudyId> = storage.studies().expect("all studies").iter().map(|study| study.id).collect();
    assert!(ids.is_sorted() && ids.contains(&id) && ids.contains(&other), "the studies are {ids:?}");
}

fn studies_are_forgotten_whole(open: Open<'_>) {
    let storage = open();
    let (id, kept) = (study(&*storage, "forgotten", &MINIMIZE), study(&*storage, "not forgotten", &MINIMIZE));
    let note = RawJson::from_text("1");
    storage.set_study_user_attribute(id, "k", &note).expect("a note");
    let trial = running(&*storage, id);
    storage.beat(trial.id).expect("a beat");
    storage
        .finish_trial(trial.id, &whole_life(), TrialState::Complete, Some(&[1.0]))
        .expect("a finished trial");
    let stays = running(&*storage, kept);
    storage.delete_study(id).expect("a study is forgotten");
    let gone = open().study("contract: forgotten");
    assert!(matches!(gone, Err(HpoError::UnknownStudy { .. })), "a forgotten study is there: {gone:?}");
    assert_eq!(all(&*open(), kept)[0].id, stays.id, "another study's trial went with it");
    let anew = study(&*storage, "forgotten", &MINIMIZE);
    assert!(all(&*storage, anew).is_empty(), "a new study has trials of a forgotten one");
    let record = storage.study("contract: forgotten").expect("the new study");
    assert!(record.user_attributes.is_empty(), "a new study has notes of a forgotten one");
}

fn notes_are_kept_to_the_letter(open: Open<'_>) {
    let storage = open();
    let id = study(&*storage, "notes", &MINIMIZE);
    let odd =
        RawJson::from_text(r#"{"nan": NaN,  "huge": 1000000000000000000000000000000, "half": "\ud83d"}"#);
    let (old, new) = (RawJson::from_text("1"), RawJson::from_text("\"é\""));
    storage.set_study_user_attribute(id, "odd", &odd).expect("a note");
    storage.set_study_user_attribute(id, "k", &old).expect("a note");
    storage.set_study_user_attribute(id, "k", &new).expect("a note in place of another");
    storage.set_study_system_attribute(id, "k", &old).expect("a note of the other kind");
    let trial = running(&*storage, id).id;
    let notes = |value: &RawJson| {
        let (key, value) = ("k".to_owned(), value.clone());
        [
            TrialChange::UserAttribute { key: key.clone(), value: value.clone() },
            TrialChange::SystemAttribute { key, value },
        ]
    };
    storage.change_trial(trial, &notes(&old)).expect("notes on a trial");
    storage.change_trial(trial, &notes(&odd)).expect("notes in place of others");

    let storage = open();
    let record = storage.study("contract: notes").expect("the study");
    assert_eq!(
        record.user_attributes,
        BTreeMap::from([("odd".to_owned(), odd.clone()), ("k".to_owned(), new)])
    );
    assert_eq!(record.system_attributes, BTreeMap::from([("k".to_owned(), old)]));
    let trials = all(&*storage, id);
    assert_eq!(trials[0].user_attributes, BTreeMap::from([("k".to_owned(), odd.clone())]));
    assert_eq!(trials[0].system_attributes, BTreeMap::from([("k".to_owned(), odd)]));
}

/// One change of every kind and more, with all that floats can be.
fn whole_life() -> Vec<TrialChange> {
    let param = |name: &str, distribution: Distribution, value: f64| TrialChange::Param {
        name: name.to_owned(),
        param: Param { distribution, value },
    };
    let choices = vec![
        Choice::Text("é\"\\".to_owned()),
        Choice::Null,
        Choice::Bool(true),
        Choice::Int(-3),
        Choice::Float(2.5),
        Choice::Json(RawJson::from_text(r#"[1, {"a": NaN}]"#)),
    ];
    let mut changes = vec![
        param("float", FloatDistribution::new(-1.5, 1e300).into(), 0.1 + 0.2),
        param("log", FloatDistribution::log(1e-300, 1.0).into(), 1e-5),
        param("stepped", FloatDistribution::stepped(0.0, 1.0, 0.25).into(), 0.75),
        param("int", IntDistribution::new(-(1 << 53), 1 << 53).into(), 9_007_199_254_740_992.0),
        param("every third", IntDistribution::stepped(0, 9, 3).into(), 6.0),
        param("log int", IntDistribution::log(1, 1024).into(), 32.0),
        param("category", Distribution::Categorical(CategoricalDistribution { choices }), 5.0),
        // As a user may fix it: outside.
        param("fixed", FloatDistribution::new(0.0, 1.0).into(), 7.0),
        TrialChange::UserAttribute { key: "u".to_owned(), value: RawJson::from_text("[1, null]") },
        TrialChange::SystemAttribute { key: "s".to_owned(), value: RawJson::from_text("{}") },
    ];
    let floats = [1.5, -0.0, f64::INFINITY, f64::NEG_INFINITY, f64::NAN, f64::MIN_POSITIVE, f64::MAX];
    let steps = [0, 1, 2, 3, 10, -1, i64::from(i32::MAX)];
    changes.extend(steps.into_iter().zip(floats).map(|(step, value)| TrialChange::Report { step, value }));
    changes
}

/// What a trial has after [`whole_life`]. The sign of a zero may be lost.
fn assert_lived(trial: &FrozenTrial) {
    let mut due = 0;
    for change in whole_life() {
        due += 1;
        match change {
            TrialChange::Param { name, param } => assert_eq!(trial.params.get(&name), Some(&param), "{name}"),
            TrialChange::Report { step, value } => {
                let read = trial.intermediate.get(&step).copied();
                let same = read.is_some_and(|read| read == value || (read.is_nan() && value.is_nan()));
                assert!(same, "step {step} is {read:?}, not {value}");
            }
            TrialChange::UserAttribute { key, value } => {
                assert_eq!(trial.user_attributes.get(&key), Some(&value));
            }
            TrialChange::SystemAttribute { key, value } => {
                assert_eq!(trial.system_attributes.get(&key), Some(&value));
            }
        }
    }
    let notes = trial.user_attributes.len() + trial.system_attributes.len();
    assert_eq!(trial.params.len() + trial.intermediate.len() + notes, due, "there is more than was written");
}

fn what_is_written_is_read(open: Open<'_>) {
    let storage = open();
    let id = study(&*storage, "everything", &[Direction::Minimize, Direction::Maximize, Direction::Minimize]);
    let values = [f64::NEG_INFINITY, f64::INFINITY, -0.0];
    let (changed, imported) = (running(&*storage, id), {
        let mut trial = NewTrial::in_state(TrialState::Complete);
        for change in whole_life() {
            match change {
                TrialChange::Param { name, param } => drop(trial.params.insert(name, param)),
                TrialChange::Report { step, value } => drop(trial.intermediate.insert(step, value)),
                TrialChange::UserAttribute { key, value } => drop(trial.user_attributes.insert(key, value)),
                TrialChange::SystemAttribute { key, value } => {
                    drop(trial.system_attributes.insert(key, value));
                }
            }
        }
        trial.values = Some(values.to_vec());
        storage.create_trial(id, &trial).expect("a trial that is finished already")
    });
    assert_eq!((changed.number, imported.number), (0, 1));
    let (first, rest) = (whole_life(), whole_life());
    storage.change_trial(changed.id, &first[..4]).expect("changes");
    storage.finish_trial(changed.id, &rest[4..], TrialState::Complete, Some(&values)).expect("the end");

    let trials = all(&*open(), id);
    assert_eq!(trials.len(), 2);
    for (trial, id) in trials.iter().zip([changed.id, imported.id]) {
        assert_eq!((trial.id, trial.state), (id, TrialState::Complete));
        assert_eq!(trial.values.as_deref(), Some(values.as_slice()));
        assert_lived(trial);
        if let (Some(started), Some(completed)) = (trial.started, trial.completed) {
            assert!(started <= completed, "a trial ended before it began");
        }
    }
    assert_lived(&imported);
    assert_eq!(trials[1].completed, imported.completed, "a trial reads otherwise than when it was made");
}

fn the_first_report_of_a_step_stays(open: Open<'_>) {
    let storage = open();
    let trial = running(&*storage, study(&*storage, "reports", &MINIMIZE));
    let report = |value| TrialChange::Report { step: 3, value };
    storage.change_trial(trial.id, &[report(1.0), report(2.0)]).expect("two reports at once");
    storage.change_trial(trial.id, &[report(3.0)]).expect("another report");
    let id = storage.study("contract: reports").expect("the study").id;
    assert_eq!(all(&*open(), id)[0].intermediate, BTreeMap::from([(3, 1.0)]));
}

fn finished_trials_never_change(open: Open<'_>) {
    let storage = open();
    let id = study(&*storage, "finished", &MINIMIZE);
    for state in [TrialState::Complete, TrialState::Pruned, TrialState::Fail] {
        let trial = running(&*storage, id).id;
        let values: Option<&[f64]> = (state == TrialState::Complete).then_some(&[1.0]);
        storage.finish_trial(trial, &[], state, values).expect("the end of a trial");
        let before = all(&*storage, id);
        let other = open();
        let refusals = [
            other.change_trial(trial, &[TrialChange::Report { step: 0, value: 1.0 }]),
            other.finish_trial(trial, &whole_life(), TrialState::Complete, Some(&[2.0])),
            other.finish_trial(trial, &[], TrialState::Fail, None),
            other.beat(trial),
        ];
        for refusal in refusals {
            assert!(matches!(refusal, Err(HpoError::TrialFinished { .. })), "{state:?}: {refusal:?}");
        }
        assert_eq!(all(&*other, id), before, "a finished trial changed");
    }
}

fn values_fit_their_state(open: Open<'_>) {
    let storage = open();
    let id = study(&*storage, "values", &MINIMIZE);
    let trial = running(&*storage, id).id;
    let wrong: [(TrialState, Option<&[f64]>); 6] = [
        (TrialState::Complete, None),
        (TrialState::Complete, Some(&[])),
        (TrialState::Complete, Some(&[1.0, 2.0])),
        (TrialState::Complete, Some(&[f64::NAN])),
        (TrialState::Fail, Some(&[1.0])),
        (TrialState::Pruned, Some(&[1.0, 2.0])),
    ];
    for (state, values) in wrong {
        let note = TrialChange::UserAttribute { key: "k".to_owned(), value: RawJson::from_text("1") };
        let refused = storage.finish_trial(trial, &[note], state, values);
        assert!(matches!(refused, Err(HpoError::Values { .. })), "{state:?} with {values:?}: {refused:?}");
        let new = NewTrial { values: values.map(<[f64]>::to_vec), ..NewTrial::in_state(state) };
        let refused = storage.create_trial(id, &new);
        assert!(matches!(refused, Err(HpoError::Values { .. })), "{state:?} with {values:?}: {refused:?}");
    }
    let trials = all(&*open(), id);
    assert_eq!(trials.len(), 1, "a trial that was refused is there");
    assert_eq!((trials[0].state, trials[0].values.as_deref()), (TrialState::Running, None));
    assert!(trials[0].user_attributes.is_empty(), "a call that was refused changed something");
    storage
        .finish_trial(trial, &[], TrialState::Pruned, Some(&[f64::INFINITY]))
        .expect("a pruned trial's value");
    assert_eq!(all(&*open(), id)[0].values, Some(vec![f64::INFINITY]));
}

fn the_queue_is_taken_in_order(open: Open<'_>) {
    let storage = open();
    let id = study(&*storage, "queue", &MINIMIZE);
    assert_eq!(storage.claim_waiting(id).expect("an empty queue"), None);
    let mut queued = NewTrial::in_state(TrialState::Waiting);
    queued.system_attributes.insert("fixed_params".to_owned(), RawJson::from_text(r#"{"x": 0.5}"#));
    let first = storage.create_trial(id, &queued).expect("a queued trial");
    assert_eq!((first.state, first.started), (TrialState::Waiting, None));
    running(&*storage, id);
    let second = storage.create_trial(id, &queued).expect("a queued trial");
    let third = storage.create_trial(id, &queued).expect("a queued trial");

    let other = open();
    let taken = other.claim_waiting(id).expect("the queue").expect("a queued trial");
    assert_eq!((taken.id, taken.state), (first.id, TrialState::Running));
    assert_eq!(taken.system_attributes, queued.system_attributes);
    assert_eq!(*taken, *all(&*storage, id)[0], "a taken trial reads otherwise");
    other.finish_trial(second.id, &[], TrialState::Fail, None).expect("a queued trial may be given up");
    let taken = storage.claim_waiting(id).expect("the queue").expect("a queued trial");
    assert_eq!(taken.id, third.id);
    assert_eq!(storage.claim_waiting(id).expect("an empty queue"), None);
    let late = other.create_trial(id, &queued).expect("a queued trial");
    let taken = storage.claim_waiting(id).expect("the queue").expect("a trial that was queued later");
    assert_eq!(taken.id, late.id);
}

/// So many work at once in the checks below.
const WORKERS: usize = 4;

fn at_once<T: Send>(open: Open<'_>, work: impl Fn(&dyn Storage) -> T + Sync) -> Vec<T> {
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS).map(|_| scope.spawn(|| work(&*open()))).collect();
        workers.into_iter().map(|worker| worker.join().expect("a worker that does not panic")).collect()
    })
}

fn a_queued_trial_is_taken_once(open: Open<'_>) {
    let storage = open();
    let id = study(&*storage, "taken once", &MINIMIZE);
    let queued: BTreeSet<TrialId> = (0..60)
        .map(|_| {
            storage.create_trial(id, &NewTrial::in_state(TrialState::Waiting)).expect("a queued trial").id
        })
        .collect();
    let taken = at_once(open, |storage| {
        let mut taken = Vec::new();
        while let Some(trial) = storage.claim_waiting(id).expect("the queue") {
            taken.push(trial.id);
        }
        taken
    });
    let taken: Vec<TrialId> = taken.into_iter().flatten().collect();
    assert_eq!(taken.len(), queued.len(), "as many were taken as were queued, no more");
    assert_eq!(taken.into_iter().collect::<BTreeSet<_>>(), queued);
}

fn numbers_have_no_gaps(open: Open<'_>) {
    let storage = open();
    let (id, beside) =
        (study(&*storage, "numbers", &MINIMIZE), study(&*storage, "numbers beside", &MINIMIZE));
    at_once(open, |storage| {
        for _ in 0..15 {
            running(storage, id);
            running(storage, beside);
        }
    });
    for study in [id, beside] {
        let trials = all(&*storage, study);
        let numbers: Vec<u64> = trials.iter().map(|trial| trial.number).collect();
        assert_eq!(numbers, Vec::from_iter(0..15 * WORKERS as u64), "numbers are unique and without gaps");
        assert!(trials.is_sorted_by_key(|trial| trial.id), "ids grow with numbers");
    }
}

fn reading_on_is_as_good_as_reading_all(open: Open<'_>) {
    let storage = open();
    let id = study(&*storage, "reading on", &MINIMIZE);
    let (done, reader) = (AtomicBool::new(false), open());
    let mut history = History::default();
    let read_on = |history: &mut History| {
        let (after, again) = history.open_ends();
        let read = reader.trials(id, after, &again).expect("the trials since");
        assert!(read.is_sorted_by_key(|trial| trial.number), "trials come in the order of their numbers");
        for trial in &read {
            let asked = again.contains(&trial.id) || after.is_none_or(|after| trial.id > after);
            assert!(asked, "trial {} was not asked for", trial.number);
            // What is finished is never read again, so it must be whole the first time it is seen.
            let whole = trial.state != TrialState::Complete
                || (trial.values.is_some() && trial.intermediate.len() == 2);
            assert!(whole, "trial {} is complete before all of it can be seen", trial.number);
        }
        history.take_in(read);
    };
    std::thread::scope(|scope| {
        let work = scope.spawn(|| {
            at_once(open, |storage| {
                for step in 0..25 {
                    let trial = running(storage, id).id;
                    let report = |step| TrialChange::Report { step, value: 0.5 };
                    storage.change_trial(trial, &[report(0)]).expect("a report");
                    let end = storage.finish_trial(
                        trial,
                        &[report(1)],
                        TrialState::Complete,
                        Some(&[f64::from(step)]),
                    );
                    end.expect("the end of a trial");
                }
            });
            done.store(true, Ordering::Release);
        });
        while !done.load(Ordering::Acquire) && !work.is_finished() {
            read_on(&mut history);
        }
        work.join().expect("workers that do not panic");
    });
    read_on(&mut history);
    assert_eq!(history.trials(), all(&*storage, id), "what was read bit by bit is not what is there");
    assert_eq!(history.trials().len(), 25 * WORKERS);

    let elsewhere = running(&*storage, study(&*storage, "reading elsewhere", &MINIMIZE)).id;
    let (after, _) = history.open_ends();
    let read = storage.trials(id, after, &[elsewhere]).expect("nothing new");
    assert!(read.is_empty(), "another study's trial came along");
}

fn silent_workers_are_noticed(open: Open<'_>) {
    let storage = open();
    let id = study(&*storage, "beats", &MINIMIZE);
    let (silent, beating, finished) =
        (running(&*storage, id), running(&*storage, id), running(&*storage, id));
    storage.beat(beating.id).expect("a beat");
    storage.beat(finished.id).expect("a beat");
    complete(&*storage, finished.id, 1.0);
    let hour = Duration::from_secs(3600);
    let other = open();
    assert_eq!(other.stale_trials(id, hour).expect("stale trials"), [], "a beat of just now is an hour old");
    // Longer than the clock of any storage needs to move on.
    std::thread::sleep(Duration::from_millis(50));
    let stale = other.stale_trials(id, Duration::from_millis(1)).expect("stale trials");
    assert_eq!(
        stale,
        [beating.id],
        "only what once beat and runs can be stale; trial {} never beat",
        silent.number
    );
    storage.beat(beating.id).expect("another beat");
    assert_eq!(other.stale_trials(id, hour).expect("stale trials"), []);
    other
        .finish_trial(beating.id, &[], TrialState::Fail, None)
        .expect("a stale trial is failed by another worker");
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!(other.stale_trials(id, Duration::from_millis(1)).expect("stale trials"), []);
}

fn what_is_not_there_is_said_to_be_not_there(open: Open<'_>) {
    let storage = open();
    let unknown = storage.study("contract: never made");
    assert!(matches!(unknown, Err(HpoError::UnknownStudy { .. })), "{unknown:?}");
    let (id, trial) = (StudyId(i64::from(i32::MAX)), TrialId(i64::from(i32::MAX)));
    let note = RawJson::from_text("1");
    let studies = [
        storage.delete_study(id),
        storage.set_study_user_attribute(id, "k", &note),
        storage.set_study_system_attribute(id, "k", &note),
        storage.create_trial(id, &NewTrial::in_state(TrialState::Running)).map(drop),
        storage.claim_waiting(id).map(drop),
        storage.trials(id, None, &[]).map(drop),
        storage.stale_trials(id, Duration::ZERO).map(drop),
    ];
    for (place, refusal) in studies.into_iter().enumerate() {
        assert!(matches!(refusal, Err(HpoError::UnknownStudyId { .. })), "call {place}: {refusal:?}");
    }
    let trials = [
        storage.change_trial(trial, &[]),
        storage.finish_trial(trial, &[], TrialState::Fail, None),
        storage.beat(trial),
    ];
    for (place, refusal) in trials.into_iter().enumerate() {
        assert!(matches!(refusal, Err(HpoError::UnknownTrial { .. })), "call {place}: {refusal:?}");
    }
}
