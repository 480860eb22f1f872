use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use super::{Heartbeat, Study};
use crate::{
    Attributes, Choice, Direction, FloatDistribution, HpoError, IntDistribution, MemoryStorage, Outcome,
    Pruner, RandomSampler, RawJson, SqliteStorage, StudyView, Timestamp, Trial, TrialState,
};

fn bowl(trial: &mut Trial) -> Result<f64, HpoError> {
    let x = trial.suggest_float("x", -5.0..=5.0)?;
    let n = trial.suggest_int("n", IntDistribution::log(1, 64))?;
    let kind = trial.suggest_categorical("kind", &["a", "b", "c"])?;
    Ok(x * x + (n as f64).log2() + if kind == "b" { 0.0 } else { 1.0 })
}

#[test]
fn a_study_remembers_what_was_asked_and_told() {
    let study = Study::minimize("bowl").create().unwrap();
    study.optimize(30, bowl).unwrap();
    let history = study.history().unwrap();
    assert_eq!(
        history.trials().iter().map(|trial| trial.number).collect::<Vec<_>>(),
        (0..30).collect::<Vec<_>>()
    );
    let best = study.best_trial().unwrap().unwrap();
    for trial in history.trials() {
        assert_eq!(trial.state, TrialState::Complete);
        assert_eq!(trial.params.keys().collect::<Vec<_>>(), ["kind", "n", "x"]);
        assert!(trial.params.values().all(|param| param.distribution.contains(param.value)));
        assert!(trial.values.as_ref().unwrap()[0] >= best.values.as_ref().unwrap()[0]);
    }
}

#[test]
fn the_draws_of_a_trial_depend_on_seed_and_number_alone() {
    let params = |seed, order: &[usize]| {
        let study = Study::minimize("s").sampler(RandomSampler).seed(seed).create().unwrap();
        let mut trials: Vec<_> = order.iter().map(|_| Some(study.ask().unwrap())).collect();
        for place in order {
            let mut trial = trials[*place].take().unwrap();
            let value = bowl(&mut trial).unwrap();
            study.tell(trial, value).unwrap();
        }
        study.history().unwrap().trials().iter().map(|trial| trial.params.clone()).collect::<Vec<_>>()
    };
    assert_eq!(params(1, &[0, 1, 2, 3]), params(1, &[3, 1, 0, 2]));
    assert_ne!(params(1, &[0, 1, 2, 3]), params(2, &[0, 1, 2, 3]));
    let swapped = Study::minimize("s").sampler(RandomSampler).seed(1).create().unwrap();
    let mut trial = swapped.ask().unwrap();
    trial.suggest_categorical("kind", &["a", "b", "c"]).unwrap();
    trial.suggest_float("x", -5.0..=5.0).unwrap();
    assert_eq!(
        trial.record().params["x"],
        params(1, &[0])[0]["x"],
        "the order of suggestions does not matter"
    );
}

#[test]
fn a_worker_that_opens_a_study_draws_with_its_seed() {
    let storage: Arc<MemoryStorage> = Arc::default();
    let made = Study::minimize("s").storage(storage.clone()).seed(9).create_or_open().unwrap();
    let opened = Study::minimize("s").storage(storage.clone()).create_or_open().unwrap();
    assert_eq!((made.seed(), opened.seed()), (9, 9));
    let again = Study::minimize("s").storage(storage.clone()).create();
    assert!(matches!(again, Err(HpoError::StudyExists { name }) if name == "s"));
    let other_way = Study::maximize("s").storage(storage.clone()).create_or_open();
    assert!(matches!(other_way, Err(HpoError::Directions { .. })));
    let unknown = Study::minimize("t").storage(storage).open();
    assert!(matches!(unknown, Err(HpoError::UnknownStudy { name }) if name == "t"));
}

#[test]
fn what_is_no_number_fails_and_the_study_goes_on() {
    let study = Study::of("two", [Direction::Minimize, Direction::Maximize]).create().unwrap();
    let ends = [
        Outcome::from([1.0, f64::NAN]),
        Outcome::from(1.0),
        Outcome::Failed("out of memory".to_owned()),
        Outcome::from([f64::INFINITY, 1.0]),
        Outcome::Pruned,
    ];
    let mut left = ends.into_iter();
    study
        .optimize(5, |trial| {
            bowl(trial)?;
            Ok::<_, HpoError>(left.next().unwrap())
        })
        .unwrap();
    let history = study.history().unwrap();
    let told: Vec<_> = history
        .trials()
        .iter()
        .map(|trial| {
            let reason = trial.user_attributes.get("fail_reason").map(RawJson::as_str);
            (trial.state, trial.values.clone(), reason)
        })
        .collect();
    assert_eq!(
        told,
        [
            (TrialState::Fail, None, Some("\"the value of objective 1 is not a number\"")),
            (TrialState::Fail, None, Some("\"1 values, the study has 2 objectives\"")),
            (TrialState::Fail, None, Some("\"out of memory\"")),
            (TrialState::Complete, Some(vec![f64::INFINITY, 1.0]), None),
            (TrialState::Pruned, None, None),
        ]
    );
    assert!(matches!(study.best_trial(), Err(HpoError::Objectives { found: 2, .. })));
    assert_eq!(study.front().unwrap().len(), 1);
}

#[test]
fn an_objectives_error_fails_its_trial_and_comes_out() {
    let study = Study::minimize("s").create().unwrap();
    let error = study.optimize(3, |trial| {
        trial.suggest_float("x", FloatDistribution::log(0.0, 1.0))?;
        Ok::<_, HpoError>(0.0)
    });
    assert!(matches!(error, Err(HpoError::Distribution { name, .. }) if name == "x"));
    let history = study.history().unwrap();
    assert_eq!(history.trials().len(), 1);
    assert_eq!(history.trials()[0].state, TrialState::Fail);
    assert!(history.trials()[0].user_attributes["fail_reason"].as_str().contains("low must be above 0"));
}

#[test]
fn a_parameter_keeps_its_kind_within_a_study() {
    let study = Study::minimize("s").create().unwrap();
    study.optimize(1, bowl).unwrap();
    let mut trial = study.ask().unwrap();
    trial.suggest_float("x", -1.0..=9.0).unwrap();
    assert!(trial.suggest_float("x", FloatDistribution::log(0.1, 1.0)).is_err(), "within a trial");
    let other_choices = trial.suggest_categorical("kind", &["a", "b"]);
    assert!(matches!(other_choices, Err(HpoError::Disagrees { name, number: 0, .. }) if name == "kind"));
    assert!(matches!(trial.suggest_float("n", 0.0..=1.0), Err(HpoError::Disagrees { .. })));
}

#[test]
fn a_choice_that_is_no_number_is_the_same_in_every_trial() {
    let choices = || [Choice::Float(f64::NAN), Choice::Json(RawJson::from_text("[NaN]")), Choice::Int(1)];
    let storage = Arc::new(SqliteStorage::in_memory().unwrap());
    let study = Study::minimize("s").storage(storage).create().unwrap();
    let objective = |trial: &mut Trial| {
        let chosen = trial.suggest_categorical("fill", &choices())?;
        assert_eq!(trial.suggest_categorical("fill", &choices())?, chosen);
        Ok::<_, HpoError>(chosen.number().unwrap_or(2.0).max(0.0))
    };
    study.optimize(30, objective).unwrap();
    let history = study.history().unwrap();
    let values: std::collections::BTreeSet<u64> =
        history.trials().iter().map(|trial| trial.params["fill"].value as u64).collect();
    assert_eq!(values.len(), 3);
    let fixed = BTreeMap::from([("fill".to_owned(), Choice::Float(f64::NAN))]);
    study.enqueue(&fixed, Attributes::new()).unwrap();
    let mut queued = study.ask().unwrap();
    assert_eq!(queued.suggest_categorical("fill", &choices()).unwrap(), Choice::Float(f64::NAN));
}

#[test]
fn a_queued_trial_comes_first_with_what_it_fixes() {
    let study = Study::minimize("s").create().unwrap();
    let fixed = BTreeMap::from([
        ("x".to_owned(), Choice::Float(7.5)),
        ("kind".to_owned(), Choice::from("c")),
        ("unused".to_owned(), Choice::Null),
    ]);
    let note = Attributes::from([("why".to_owned(), RawJson::from_text("\"default\""))]);
    assert_eq!(study.enqueue(&fixed, note).unwrap(), 0);
    study.enqueue(&BTreeMap::from([("n".to_owned(), Choice::Int(3))]), Attributes::new()).unwrap();
    study.enqueue(&BTreeMap::from([("n".to_owned(), Choice::from("three"))]), Attributes::new()).unwrap();

    let mut first = study.ask().unwrap();
    assert_eq!(first.number(), 0);
    assert_eq!(first.suggest_float("x", -5.0..=5.0).unwrap(), 7.5, "even outside of its ends");
    assert_eq!(first.suggest_categorical("kind", &["a", "b", "c"]).unwrap(), "c");
    assert_eq!(first.fixed_outside().iter().collect::<Vec<_>>(), ["x"]);
    assert_eq!(first.record().user_attributes["why"].as_str(), "\"default\"");

    let mut second = study.ask().unwrap();
    bowl(&mut second).unwrap();
    assert_eq!((second.number(), second.record().params["n"].value), (1, 3.0));

    let mut third = study.ask().unwrap();
    assert!(matches!(
        third.suggest_int("n", IntDistribution::log(1, 64)),
        Err(HpoError::Fixed { number: 2, .. })
    ));
    assert_eq!(study.ask().unwrap().number(), 3);
}

/// Gives up on whatever reported a value above 1.
struct AboveOne;

impl Pruner for AboveOne {
    fn name(&self) -> &'static str {
        "above-one"
    }

    fn verdict(&self, _: StudyView<'_>, trial: &crate::FrozenTrial) -> (bool, Attributes) {
        let last = trial.intermediate.last_key_value().map(|(_, value)| *value);
        let note = Attributes::from([("looked".to_owned(), RawJson::from_text("true"))]);
        (last.is_some_and(|value| value > 1.0), note)
    }
}

#[test]
fn a_trial_that_is_given_up_has_its_last_report_as_its_value() {
    let study = Study::minimize("s").pruner(AboveOne).create().unwrap();
    study
        .optimize(2, |trial| {
            for step in 0..5 {
                trial.report(step, step as f64 * 0.4 * (trial.number() + 1) as f64)?;
                trial.report(step, 100.0)?;
                if trial.should_prune()? {
                    return Ok::<_, HpoError>(Outcome::Pruned);
                }
            }
            Ok(0.5.into())
        })
        .unwrap();
    let history = study.history().unwrap();
    let told: Vec<_> = history.trials().iter().map(|t| (t.state, t.last_step(), t.values.clone())).collect();
    assert_eq!(
        told,
        [
            (TrialState::Pruned, Some(3), Some(vec![3.0 * 0.4])),
            (TrialState::Pruned, Some(2), Some(vec![1.6])),
        ]
    );
    assert_eq!(history.trials()[0].system_attributes["looked"].as_str(), "true");
}

#[test]
fn the_best_trial_keeps_to_the_constraints() {
    let study = Study::minimize("s").create().unwrap();
    let told = [(0.0, 1.0), (2.0, 0.0), (1.0, -3.0), (1.0, f64::NAN)];
    for (value, constraint) in told {
        let mut trial = study.ask().unwrap();
        trial.set_constraint("drawdown", constraint);
        study.tell(trial, value).unwrap();
    }
    assert_eq!(study.best_trial().unwrap().unwrap().number, 2);
}

/// A study whose trials are dead after ten seconds, and its clock.
fn with_heartbeat() -> (Study, Arc<AtomicI64>) {
    let now = Arc::new(AtomicI64::new(0));
    let clock = Arc::clone(&now);
    let storage = Arc::new(MemoryStorage::with_clock(move || Timestamp(clock.load(Ordering::SeqCst))));
    let heartbeat =
        Heartbeat { interval: Duration::from_secs(3600), grace: Duration::from_secs(10), retries: 1 };
    let study = Study::minimize("s").storage(storage).heartbeat(heartbeat).create().unwrap();
    (study, now)
}

#[test]
fn a_dead_worker_loses_its_trial_only_and_it_is_tried_again() {
    let (study, now) = with_heartbeat();
    let mut dead = study.ask().unwrap();
    bowl(&mut dead).unwrap();
    dead.report(0, 1.0).unwrap();
    let params = dead.record().params.clone();
    now.store(10_000_000, Ordering::SeqCst);
    assert!(study.retire_dead().unwrap().is_empty(), "not yet older than its grace");
    now.store(10_000_001, Ordering::SeqCst);
    assert_eq!(study.retire_dead().unwrap(), [0]);
    assert!(matches!(study.tell(dead, 1.0), Err(HpoError::TrialFinished { .. })));

    let mut again = study.ask().unwrap();
    assert_eq!(again.number(), 1);
    bowl(&mut again).unwrap();
    assert_eq!(again.record().params, params);
    assert_eq!(again.record().system_attributes["failed_trial"].as_str(), "0");
    assert_eq!(again.record().system_attributes["retry_history"].as_str(), "[0]");
    now.store(20_000_002, Ordering::SeqCst);
    assert_eq!(study.retire_dead().unwrap(), [1]);
    assert_eq!(study.ask().unwrap().number(), 2, "tried again once and not twice");
    assert!(study.history().unwrap().trial(2).unwrap().params.is_empty());
}

#[test]
fn an_interruption_is_none_of_the_times_that_a_trial_is_tried_again() {
    let (study, _) = with_heartbeat();
    let mut first = study.ask().unwrap();
    bowl(&mut first).unwrap();
    let params = first.record().params.clone();
    let mut trial = first;
    for number in 1..=3 {
        study.tell(trial, Outcome::Failed("a signal".into())).unwrap();
        assert_eq!(study.queue_again(number - 1).unwrap(), number);
        trial = study.ask().unwrap();
        assert_eq!(trial.number(), number);
        bowl(&mut trial).unwrap();
        assert_eq!(trial.record().params, params);
    }
    assert_eq!(trial.record().system_attributes["retry_history"].as_str(), "[0, 1, 2]");
    assert_eq!(study.retire(3, "killed", 1).unwrap(), Some(4));
    assert_eq!(study.ask().unwrap().number(), 4);
    assert_eq!(study.retire(4, "killed again", 1).unwrap(), None, "tried again once and not twice");
}

#[test]
fn who_is_asked_whether_to_go_on_sees_the_dead_as_failed() {
    let (study, now) = with_heartbeat();
    let mut dead = study.ask().unwrap();
    bowl(&mut dead).unwrap();
    dead.write().unwrap();
    now.store(60_000_000, Ordering::SeqCst);
    // One trial is to be, and the dead one is none.
    let mut asked = Vec::new();
    let go_on = || {
        let history = study.history()?;
        let count = |state| history.in_state(state).count();
        asked.push([TrialState::Running, TrialState::Waiting, TrialState::Fail].map(count));
        Ok(count(TrialState::Running) + count(TrialState::Complete) < 1)
    };
    study.optimize_while(go_on, bowl).unwrap();
    assert_eq!(asked, [[0, 1, 1], [0, 0, 1]]);
    let again = study.history().unwrap().trial(1).unwrap().clone();
    assert_eq!(again.params, dead.record().params);
}

#[test]
fn a_running_objective_gives_signs_of_life() {
    let now = Arc::new(AtomicI64::new(0));
    let clock = Arc::clone(&now);
    let storage = Arc::new(MemoryStorage::with_clock(move || Timestamp(clock.load(Ordering::SeqCst))));
    let heartbeat =
        Heartbeat { interval: Duration::from_millis(1), grace: Duration::from_secs(1), retries: 0 };
    let study = Study::minimize("s").storage(storage).heartbeat(heartbeat).create().unwrap();
    let watcher = study.clone();
    let ended = study.run(|trial| {
        now.store(5_000_000, Ordering::SeqCst);
        // The sign of life comes from another thread; wait until one has come, however long that takes here.
        while !watcher.storage().stale_trials(watcher.record().id, Duration::from_secs(1))?.is_empty() {
            std::thread::yield_now();
        }
        assert!(watcher.retire_dead()?.is_empty());
        bowl(trial)
    });
    assert_eq!(ended.unwrap().state, TrialState::Complete);
}

#[test]
fn threads_share_a_study() {
    let study = Study::minimize("s").create().unwrap();
    for number in 0..20 {
        study
            .enqueue(
                &BTreeMap::from([("x".to_owned(), Choice::Float(f64::from(number) / 10.0))]),
                Attributes::new(),
            )
            .unwrap();
    }
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| study.optimize(25, bowl).unwrap());
        }
    });
    let history = study.history().unwrap();
    assert_eq!(history.trials().len(), 100);
    assert!(history.trials().iter().enumerate().all(|(place, trial)| trial.number == place as u64));
    let fixed: Vec<_> = history.trials()[..20]
        .iter()
        .map(|trial| (trial.params["x"].value * 10.0).round() as usize)
        .collect();
    assert_eq!(fixed, (0..20).collect::<Vec<_>>(), "every queued trial was taken once");
}
