//! What a search with it does, whoever runs it and whatever becomes of its trials.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::seen::SEEN;
use crate::{
    AutoSampler, Choice, Direction, FloatDistribution, HpoError, IntDistribution, Kernels, MemoryStorage,
    Outcome, Param, RandomSampler, Sampler, Storage, Study, TpeSampler, Trial, TrialRandom, TrialState,
};

/// Numbers on all kinds of axes, and a branch.
fn branched(trial: &mut Trial) -> Result<f64, HpoError> {
    let x = trial.suggest_float("x", -5.0..=5.0)?;
    let rate = trial.suggest_float("rate", FloatDistribution::log(1e-4, 1.0))?;
    let value = x * x + (rate.log10() + 2.0).powi(2);
    Ok(if trial.suggest_categorical("branch", &[true, false])? {
        value + (trial.suggest_int("depth", IntDistribution::log(1, 64))? as f64).log2()
    } else {
        value + 2.0 + trial.suggest_float("tilt", FloatDistribution::stepped(0.0, 1.0, 0.25))?
    })
}

fn params(study: &Study) -> Vec<BTreeMap<String, Param>> {
    study.history().unwrap().trials().iter().map(|trial| trial.params.clone()).collect()
}

fn study(kernels: Kernels, storage: &Arc<MemoryStorage>) -> Study {
    let options = Study::minimize("s").storage(Arc::clone(storage) as Arc<dyn Storage>).seed(5);
    options.sampler(TpeSampler::with_kernels(kernels)).create_or_open().unwrap()
}

const KERNELS: [Kernels; 3] = [Kernels::Joint, Kernels::Groups, Kernels::Single];

#[test]
fn a_sequential_study_is_reproducible_and_a_worker_that_comes_late_goes_on_as_the_first_would() {
    for kernels in KERNELS {
        let (alone, shared) = (Arc::default(), Arc::default());
        let one = study(kernels, &alone);
        one.optimize(60, branched).unwrap();
        study(kernels, &shared).optimize(25, branched).unwrap();
        study(kernels, &shared).optimize(1, branched).unwrap();
        let late = study(kernels, &shared);
        late.optimize(34, branched).unwrap();
        assert_eq!(params(&one), params(&late), "{kernels:?}");
    }
}

/// Runs a study with `workers` side by side; who goes on next is drawn, in the middle of a trial as well.
fn side_by_side(kernels: Kernels, storage: &Arc<MemoryStorage>, workers: usize, trials: usize) {
    enum Work {
        Idle,
        Begun(Box<Trial>),
        Suggested(Box<Trial>, f64),
    }
    let mut random = TrialRandom::of(11, 0);
    let studies: Vec<Study> = (0..workers).map(|_| study(kernels, storage)).collect();
    let mut work: Vec<Work> = studies.iter().map(|_| Work::Idle).collect();
    let mut begun = 0;
    while begun < trials || work.iter().any(|work| !matches!(work, Work::Idle)) {
        let worker = random.below(workers);
        let now = std::mem::replace(&mut work[worker], Work::Idle);
        work[worker] = match now {
            Work::Idle if begun == trials => Work::Idle,
            Work::Idle => {
                begun += 1;
                Work::Begun(Box::new(studies[worker].ask().unwrap()))
            }
            Work::Begun(mut trial) => {
                // The joint sample is drawn here; what the branch needs is drawn later, when others have gone on.
                trial.suggest_float("x", -5.0..=5.0).unwrap();
                let reports = random.below(2) == 0;
                if reports {
                    trial.report(0, 1.0).unwrap();
                }
                Work::Suggested(trial, random.unit())
            }
            Work::Suggested(mut trial, luck) => {
                let value = branched(&mut trial).unwrap();
                let end = match luck {
                    luck if luck < 0.1 => Outcome::Failed("unlucky".to_owned()),
                    luck if luck < 0.2 => Outcome::Pruned,
                    luck if luck < 0.25 => f64::NAN.into(),
                    _ => value.into(),
                };
                studies[worker].tell(*trial, end).unwrap();
                Work::Idle
            }
        };
    }
}

#[test]
fn a_parallel_study_can_be_drawn_again_from_what_its_trials_saw() {
    for kernels in KERNELS {
        let storage = Arc::default();
        side_by_side(kernels, &storage, 5, 80);
        let again = study(kernels, &storage);
        let history = again.history().unwrap();
        let with_others =
            |trial: &&Arc<crate::FrozenTrial>| trial.system_attributes[SEEN].as_str().contains(';');
        assert!(history.trials()[30..].iter().filter(with_others).count() > 20, "they ran side by side");
        for trial in history.trials() {
            let redrawn = again.redraw(trial.number).unwrap().unwrap();
            let was: BTreeMap<String, f64> =
                trial.params.iter().map(|(name, param)| (name.clone(), param.value)).collect();
            assert_eq!(redrawn, was, "{kernels:?}, trial {}", trial.number);
        }
    }
}

#[test]
fn threads_can_be_drawn_again_too() {
    let storage = Arc::default();
    let shared = study(Kernels::Groups, &storage);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| shared.optimize(20, branched).unwrap());
        }
    });
    for trial in shared.history().unwrap().trials() {
        let redrawn = shared.redraw(trial.number).unwrap().unwrap();
        assert!(
            redrawn.iter().all(|(name, value)| trial.params[name].value == *value),
            "trial {}",
            trial.number
        );
    }
}

#[test]
fn running_trials_keep_others_away() {
    let spread = |constant_liar: bool| {
        let sampler = TpeSampler { constant_liar, ..TpeSampler::default() };
        let study = Study::minimize("s").sampler(sampler).create().unwrap();
        let valley = |trial: &mut Trial| Ok::<_, HpoError>(trial.suggest_float("x", 0.0..=1.0)?.powi(2));
        study.optimize(40, valley).unwrap();
        let mut open = Vec::new();
        let mut values: Vec<f64> = Vec::new();
        for _ in 0..12 {
            let mut trial = study.ask().unwrap();
            values.push(trial.suggest_float("x", 0.0..=1.0).unwrap());
            open.push(trial);
        }
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        values.iter().map(|value| (value - mean).abs()).sum::<f64>() / values.len() as f64
    };
    let (with, without) = (spread(true), spread(false));
    assert!(with > 1.5 * without, "a mean distance of {with} with the liar, {without} without");
}

#[test]
fn a_running_trial_shows_its_joint_sample_as_optuna_writes_it() {
    let study = Study::minimize("s").sampler(TpeSampler::default()).create().unwrap();
    let all = |trial: &mut Trial| {
        trial.suggest_float("x", 0.0..=1.0)?;
        trial.suggest_int("n", 1..=3)?;
        trial.suggest_categorical("wörter", &["ä", "b"])?;
        Ok::<_, HpoError>(0.0)
    };
    study.optimize(12, all).unwrap();
    let mut trial = study.ask().unwrap();
    all(&mut trial).unwrap();
    let shown = study.history().unwrap().trial(12).unwrap().clone();
    assert!(shown.params.is_empty() && shown.state == TrialState::Running);
    let text = shown.system_attributes["tpe:relative_params:0"].as_str();
    assert!(text.is_ascii());
    let inside: serde_json::Value =
        serde_json::from_str(&serde_json::from_str::<String>(text).unwrap()).unwrap();
    for (name, param) in &trial.record().params {
        assert_eq!(
            param.distribution.internal(&Choice::from_json(&inside[name])),
            Some(param.value),
            "{name}"
        );
    }
    assert_eq!(crate::joint::read(&shown).unwrap().len(), 3);
}

#[test]
fn whatever_becomes_of_trials_the_search_goes_on_inside_of_its_space() {
    for kernels in KERNELS {
        for directions in [vec![Direction::Minimize], vec![Direction::Maximize, Direction::Minimize]] {
            let objectives = directions.len();
            let study =
                Study::of("s", directions).sampler(TpeSampler::with_kernels(kernels)).create().unwrap();
            let mut random = TrialRandom::of(1, 2);
            for _ in 0..120 {
                let mut trial = study.ask().unwrap();
                let value = branched(&mut trial).unwrap();
                if random.unit() < 0.3 {
                    trial.set_constraint(
                        "c",
                        if random.unit() < 0.1 { f64::NAN } else { random.unit() - 0.5 },
                    );
                }
                if random.unit() < 0.3 {
                    trial
                        .report(random.below(5) as i64, [f64::NAN, f64::INFINITY, 1.0][random.below(3)])
                        .unwrap();
                }
                let end: Outcome = match random.below(8) {
                    0 => f64::NAN.into(),
                    1 => Outcome::Failed(String::new()),
                    2 => Outcome::Pruned,
                    3 => vec![f64::INFINITY; objectives].into(),
                    4 => vec![f64::NEG_INFINITY; objectives].into(),
                    // Left running, as by a worker that died.
                    5 => continue,
                    _ => vec![value; objectives].into(),
                };
                study.tell(trial, end).unwrap();
            }
            for params in params(&study) {
                assert!(params.values().all(|param| param.distribution.contains(param.value)), "{params:?}");
            }
        }
    }
}

#[test]
fn ends_that_move_and_values_outside_of_them_break_nothing() {
    let study = Study::minimize("s").sampler(TpeSampler::default()).create().unwrap();
    for number in 0..60_i64 {
        if number % 7 == 0 {
            let far =
                BTreeMap::from([("x".to_owned(), Choice::Float(1e9)), ("n".to_owned(), Choice::Int(-5))]);
            study.enqueue(&far, Default::default()).unwrap();
        }
        let mut trial = study.ask().unwrap();
        let x = trial.suggest_float("x", 0.0..=(1.0 + number as f64)).unwrap();
        let n = trial.suggest_int("n", IntDistribution::new(0, 1 + number)).unwrap();
        let still = trial.suggest_float("still", 2.0..=2.0).unwrap();
        assert_eq!(still, 2.0);
        study.tell(trial, x + n as f64).unwrap();
    }
}

#[test]
fn a_range_that_is_widened_is_searched_as_a_whole() {
    let samplers: [fn() -> Box<dyn Sampler>; 5] = [
        || Box::new(AutoSampler::default()),
        || Box::new(TpeSampler::with_kernels(Kernels::Groups)),
        || Box::new(TpeSampler::with_kernels(Kernels::Joint)),
        || Box::new(TpeSampler::with_kernels(Kernels::Single)),
        || Box::new(TpeSampler::default()),
    ];
    for make in samplers {
        let storage: Arc<MemoryStorage> = Arc::default();
        let run = |high: f64, trials: usize| {
            let options = Study::minimize("s").storage(Arc::clone(&storage) as Arc<dyn Storage>);
            let study = options.boxed_sampler(make()).create_or_open().unwrap();
            let objective = |trial: &mut Trial| {
                let x = trial.suggest_float("x", 0.0..=high)?;
                let layers = trial.suggest_int("layers", IntDistribution::new(1, high as i64))?;
                Ok::<_, HpoError>((x - 8.0).powi(2) + (layers - 9).abs() as f64)
            };
            study.optimize(trials, objective).unwrap();
            let value = |name: &str, from: usize| -> Vec<f64> {
                study.history().unwrap().trials()[from..].iter().map(|t| t.params[name].value).collect()
            };
            (make().name(), value("x", 30), value("layers", 30))
        };
        run(2.0, 30);
        let (name, x, layers) = run(10.0, 40);
        for values in [&x, &layers] {
            let beyond = values.iter().filter(|value| **value > 2.0).count();
            assert!(beyond >= 20, "{name}: {beyond} of 40 are beyond the range of before: {values:?}");
        }
        // Narrowed again, nothing else is drawn than what may be.
        let (_, x, _) = run(5.0, 10);
        assert!(x[40..].iter().all(|value| *value <= 5.0), "{name}: {x:?}");
    }
}

#[test]
fn it_finds_what_random_search_does_not() {
    let best = |sampler: Box<dyn Sampler>, seed: u64| {
        let study = Study::minimize("s").seed(seed).boxed_sampler(sampler).create().unwrap();
        study.optimize(80, branched).unwrap();
        study.best_trial().unwrap().unwrap().values.as_ref().unwrap()[0]
    };
    for kernels in KERNELS {
        let wins = (0..10).filter(|seed| {
            best(Box::new(TpeSampler::with_kernels(kernels)), *seed) < best(Box::new(RandomSampler), *seed)
        });
        let wins = wins.count();
        assert!(wins >= 8, "{kernels:?} wins {wins} of 10");
    }
}

#[test]
fn several_objectives_reach_more_volume_than_random_search() {
    let volume = |sampler: Box<dyn Sampler>, seed: u64| {
        let options = Study::of("s", [Direction::Minimize, Direction::Minimize]).seed(seed);
        let study = options.boxed_sampler(sampler).create().unwrap();
        // ZDT1 of five parameters (Zitzler, Deb and Thiele, 2000).
        let objective = |trial: &mut Trial| {
            let x: Vec<f64> = (0..5)
                .map(|axis| trial.suggest_float(&format!("x{axis}"), 0.0..=1.0))
                .collect::<Result<_, HpoError>>()?;
            let g = 1.0 + 9.0 * x[1..].iter().sum::<f64>() / 4.0;
            Ok::<_, HpoError>([x[0], g * (1.0 - (x[0] / g).sqrt())])
        };
        study.optimize(150, objective).unwrap();
        let front: Vec<Vec<f64>> =
            study.front().unwrap().iter().map(|trial| trial.values.clone().unwrap()).collect();
        crate::pareto::hypervolume(&front, &[1.1, 8.0])
    };
    let wins = (0..6)
        .filter(|seed| volume(Box::<TpeSampler>::default(), *seed) > volume(Box::new(RandomSampler), *seed))
        .count();
    assert!(wins >= 5, "it wins {wins} of 6");
}
