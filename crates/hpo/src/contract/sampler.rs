//! What every sampler must pass.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use crate::{
    Attributes, CategoricalDistribution, Choice, Direction, Distribution, FloatDistribution, HpoError,
    IntDistribution, MemoryStorage, NewTrial, Outcome, Param, RawJson, Sampler, SearchSpace, Storage, Study,
    StudyOptions, Timestamp, Trial, TrialState,
};

/// Trials of a study that is checked; enough for several generations of small populations.
const TRIALS: usize = 90;

/// A sampler to be checked, and what it can do.
pub struct Member<'a> {
    /// Makes it anew, as each worker does.
    pub make: &'a dyn Fn() -> Box<dyn Sampler>,
    /// Whether it searches for several objectives too.
    pub several_objectives: bool,
    /// Whether parameters may be missing in some trials and be something else in others.
    pub any_parameters: bool,
    /// Whether what it draws depends on the study's seed.
    pub seeded: bool,
}

/// The parameters that every checked study has.
#[must_use]
pub fn space() -> SearchSpace {
    let kinds = CategoricalDistribution { choices: vec!["a".into(), Choice::Null, 2.5.into(), true.into()] };
    let members: [(&str, Distribution); 7] = [
        ("batch", IntDistribution::log(1, 64).into()),
        ("kind", kinds.into()),
        ("layers", IntDistribution::stepped(2, 11, 3).into()),
        ("one", IntDistribution::new(7, 7).into()),
        ("rate", FloatDistribution::log(1e-5, 1e-1).into()),
        ("share", FloatDistribution::stepped(-0.5, 0.5, 0.25).into()),
        ("x", FloatDistribution::new(-3.0, 5.0).into()),
    ];
    members.map(|(name, distribution)| (name.to_owned(), distribution)).into()
}

/// Checks all that follows.
///
/// # Panics
/// If the sampler does not do what every sampler must.
pub fn check(member: &Member<'_>) {
    draws_are_values_of_their_parameters(member);
    equal_seeds_draw_the_same(member);
    a_late_worker_draws_what_an_early_one_would(member);
    what_was_drawn_is_drawn_again(member);
    odd_histories_break_nothing(member);
    trials_of_others_break_nothing(member);
    if !member.several_objectives {
        several_objectives_are_an_error_and_no_panic(member);
    }
}

fn options(member: &Member<'_>, storage: &Arc<dyn Storage>, seed: u64) -> StudyOptions {
    let directions: &[Direction] = if member.several_objectives {
        &[Direction::Minimize, Direction::Maximize]
    } else {
        &[Direction::Maximize]
    };
    Study::of("contract", directions).storage(Arc::clone(storage)).boxed_sampler((member.make)()).seed(seed)
}

/// A memory whose clock ticks at every look, as a real one does.
fn memory() -> Arc<dyn Storage> {
    let ticks = AtomicI64::new(0);
    Arc::new(MemoryStorage::with_clock(move || Timestamp(ticks.fetch_add(1, Ordering::Relaxed))))
}

fn ask(member: &Member<'_>, trial: &mut Trial) -> Result<Vec<f64>, HpoError> {
    let mut sum = 0.0;
    for (name, distribution) in space() {
        sum += trial.suggest(&name, distribution)?;
    }
    if member.any_parameters {
        if trial.number().is_multiple_of(3) {
            sum += trial.suggest_float("sometimes", 0.0..=1.0)?;
        }
        let upper = if trial.number() > 40 { 2.0 } else { 1.0 };
        sum += trial.suggest_float("growing", 0.0..=upper)?;
    }
    Ok(if member.several_objectives { vec![sum, -sum] } else { vec![sum] })
}

/// How trial `number` ends: with values, or in one of the ways that trials go wrong.
fn outcome(number: u64, values: Vec<f64>) -> Outcome {
    let all = |value: f64| Outcome::Values(values.iter().map(|_| value).collect());
    match number % 11 {
        2 => Outcome::Pruned,
        3 => Outcome::Failed("odd".to_owned()),
        4 => all(f64::NAN),
        5 => all(f64::INFINITY),
        6 => all(f64::NEG_INFINITY),
        7 => all(1.0),
        _ => Outcome::Values(values),
    }
}

/// Runs a study, three trials at a time, told in another order than asked; at `reopened` by a new worker.
fn run(member: &Member<'_>, seed: u64, reopened: Option<usize>, odd: bool) -> Study {
    let storage = memory();
    let mut study = options(member, &storage, seed).create().expect("a study is made");
    let mut running: Vec<(Trial, Vec<f64>)> = Vec::new();
    for count in 0..TRIALS {
        if reopened == Some(count) {
            study = options(member, &storage, seed).open().expect("a study is opened");
        }
        let mut trial = study.ask().expect("a trial is asked for");
        let values =
            ask(member, &mut trial).unwrap_or_else(|error| panic_with("drawing", trial.number(), &error));
        running.push((trial, values));
        if running.len() == 3 {
            let (mut trial, values) = running.remove(count % 3);
            let number = trial.number();
            let mut ended = Outcome::Values(values.clone());
            if odd {
                trial.report(-5, f64::NAN).expect("a report is taken");
                trial.report(i64::MAX, f64::INFINITY).expect("a report is taken");
                if number.is_multiple_of(2) {
                    let violation = if number.is_multiple_of(4) { f64::NAN } else { number as f64 - 40.0 };
                    trial.set_constraint("c", violation);
                }
                ended = outcome(number, values);
            }
            study.tell(trial, ended).expect("a trial is told");
        }
    }
    study
}

#[expect(clippy::panic, reason = "a contract is broken by a panic that says what is wrong")]
fn panic_with(what: &str, number: u64, error: &HpoError) -> ! {
    panic!("{what} of trial {number} failed: {error}")
}

fn params(study: &Study) -> Vec<BTreeMap<String, f64>> {
    let history = study.history().expect("there is a history");
    let of = |params: &BTreeMap<String, Param>| {
        params.iter().map(|(name, param)| (name.clone(), param.value)).collect()
    };
    history.trials().iter().map(|trial| of(&trial.params)).collect()
}

fn assert_inside(study: &Study) {
    for trial in study.history().expect("there is a history").trials() {
        for (name, param) in &trial.params {
            assert!(
                param.distribution.contains(param.value)
                    || trial.system_attributes.contains_key("fixed_params"),
                "trial {} drew {} for {name}, which is no value of {:?}",
                trial.number,
                param.value,
                param.distribution
            );
        }
    }
}

fn draws_are_values_of_their_parameters(member: &Member<'_>) {
    assert_inside(&run(member, 1, None, false));
}

fn equal_seeds_draw_the_same(member: &Member<'_>) {
    let first = params(&run(member, 2, None, true));
    assert!(first == params(&run(member, 2, None, true)), "two studies with one seed differ");
    if member.seeded {
        assert!(first != params(&run(member, 3, None, true)), "two seeds draw the same");
    }
}

fn a_late_worker_draws_what_an_early_one_would(member: &Member<'_>) {
    let whole = params(&run(member, 4, None, true));
    for reopened in [1, 45, TRIALS - 1] {
        let late = params(&run(member, 4, Some(reopened), true));
        let differing = whole.iter().zip(&late).position(|(early, late)| early != late);
        assert_eq!(differing, None, "a worker that came at trial {reopened} draws that trial in another way");
    }
}

fn what_was_drawn_is_drawn_again(member: &Member<'_>) {
    let study = run(member, 5, None, true);
    for (number, drawn) in params(&study).into_iter().enumerate() {
        let again = study
            .redraw(number as u64)
            .unwrap_or_else(|error| panic_with("redrawing", number as u64, &error));
        assert!(again.is_none_or(|again| again == drawn), "trial {number} is drawn in another way again");
    }
}

fn odd_histories_break_nothing(member: &Member<'_>) {
    let study = run(member, 6, None, true);
    assert_inside(&study);
    let fixed = [
        BTreeMap::from([("x".to_owned(), Choice::Float(1e9)), ("batch".to_owned(), Choice::Int(0))]),
        BTreeMap::from([("kind".to_owned(), Choice::Null), ("nobody".to_owned(), Choice::Bool(true))]),
        BTreeMap::new(),
    ];
    for fixed in &fixed {
        study.enqueue(fixed, Attributes::new()).expect("a trial is queued");
    }
    for number in 0..20 {
        let mut trial = study.ask().expect("a trial is asked for");
        let values =
            ask(member, &mut trial).unwrap_or_else(|error| panic_with("drawing", trial.number(), &error));
        study.tell(trial, outcome(number, values)).expect("a trial is told");
    }
    assert_inside(&study);
}

/// Trials that ran elsewhere, with attributes that mean something to others, and none of our parameters or not all.
fn trials_of_others_break_nothing(member: &Member<'_>) {
    let study = options(member, &memory(), 7).create().expect("a study is made");
    let objectives = study.record().directions.len();
    let attributes = [
        ("cma:generation", "0"),
        ("tapeline:cma:generation", "4294967295"),
        ("tapeline:nsga2:generation", "\"three\""),
        ("NSGAIISampler:generation", "1"),
        ("grid_id", "-1"),
        ("search_space", "{\"x\": [NaN]}"),
        ("completed_rung_0", "NaN"),
        ("constraints", "[1.0, NaN]"),
        ("constraints:c", "\"text\""),
        ("tpe:relative_params:0", "\"{\""),
    ];
    for (place, (key, value)) in attributes.into_iter().enumerate() {
        for state in [TrialState::Complete, TrialState::Pruned, TrialState::Fail, TrialState::Running] {
            let mut trial = NewTrial::in_state(state);
            trial.values = (state == TrialState::Complete).then(|| vec![place as f64; objectives]);
            trial.system_attributes.insert(key.to_owned(), RawJson::from_text(value));
            if place.is_multiple_of(2) {
                for (name, distribution) in space().into_iter().take(place) {
                    trial.params.insert(name, Param { value: 2.0, distribution });
                }
            }
            study.add(&trial).expect("a trial is added");
        }
    }
    for _ in 0..20 {
        let mut trial = study.ask().expect("a trial is asked for");
        let values =
            ask(member, &mut trial).unwrap_or_else(|error| panic_with("drawing", trial.number(), &error));
        study.tell(trial, Outcome::Values(values)).expect("a trial is told");
    }
}

fn several_objectives_are_an_error_and_no_panic(member: &Member<'_>) {
    let study = Study::of("several", [Direction::Minimize, Direction::Minimize])
        .boxed_sampler((member.make)())
        .create()
        .expect("a study is made");
    for _ in 0..15 {
        let mut trial = study.ask().expect("a trial is asked for");
        match ask(member, &mut trial) {
            Ok(values) => {
                study.tell(trial, Outcome::Values(vec![values[0], 0.0])).expect("a trial is told");
            }
            Err(error) => {
                return assert!(matches!(error, HpoError::Sampler { .. }), "another error: {error}");
            }
        }
    }
}
