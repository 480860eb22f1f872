use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;

use super::crowding::crowding;
use super::{GENERATION, Nsga2Sampler, Nsga2Spec};
use crate::{
    Choice, Direction, FrozenTrial, HpoError, IntDistribution, MemoryStorage, Outcome, Storage, Study, Trial,
    TrialState, pareto,
};

/// Zitzler, Deb and Thiele, "Comparison of multiobjective evolutionary algorithms" (2000): the first two, in ten dimensions.
fn zdt(trial: &mut Trial, concave: bool) -> Result<[f64; 2], HpoError> {
    let mut x = Vec::new();
    for axis in 0..10 {
        x.push(trial.suggest_float(&format!("x{axis}"), 0.0..=1.0)?);
    }
    let g = 1.0 + x[1..].iter().sum::<f64>();
    let share = x[0] / g;
    Ok([x[0], g * (1.0 - if concave { share * share } else { share.sqrt() })])
}

#[derive(Deserialize)]
struct Golden {
    /// By function, the hypervolume to (1.1, 7) after 500 trials of Optuna's NSGA-II, 20 seeds, sorted.
    hypervolumes: BTreeMap<String, Vec<f64>>,
    crowding: Vec<(Vec<Vec<f64>>, Vec<f64>)>,
}

fn golden() -> Golden {
    serde_json::from_str(include_str!("../../../tests/golden/nsga2.json")).unwrap()
}

#[test]
fn its_fronts_are_as_good_as_those_of_optuna() {
    for (name, theirs) in golden().hypervolumes {
        let mut ours: Vec<f64> = (0..20)
            .map(|seed| {
                let study =
                    Study::of("zdt", [Direction::Minimize; 2]).sampler(Nsga2Sampler::default()).seed(seed);
                let study = study.create().unwrap();
                study.optimize(500, |trial| zdt(trial, name == "zdt2")).unwrap();
                let front = study.front().unwrap();
                let points: Vec<Vec<f64>> = front.iter().map(|trial| trial.values.clone().unwrap()).collect();
                pareto::hypervolume(&points, &[1.1, 7.0])
            })
            .collect();
        ours.sort_by(f64::total_cmp);
        let median = f64::midpoint(ours[9], ours[10]);
        assert!(median >= theirs[5], "{name}: {median}, the lower quartile of Optuna is {}", theirs[5]);
    }
}

#[test]
fn loneliness_is_that_of_optuna() {
    for (points, expected) in golden().crowding {
        let ours = crowding(&points.iter().map(Vec::as_slice).collect::<Vec<_>>());
        for (ours, theirs) in ours.iter().zip(&expected) {
            // JSON has no word for infinity, so the script writes a large number.
            assert!(
                (ours - theirs).abs() < 1e-12 || (ours.is_infinite() && *theirs > 1e300),
                "{ours} {theirs}"
            );
        }
    }
}

#[test]
fn every_generation_is_as_large_as_it_must_be() {
    let sampler = Nsga2Spec { population: 10, ..Nsga2Spec::default() }.check().unwrap();
    let study = Study::of("s", [Direction::Minimize; 2]).sampler(sampler).create().unwrap();
    study.optimize(50, |trial| zdt(trial, false)).unwrap();
    let mut sizes = BTreeMap::<String, usize>::new();
    for trial in study.history().unwrap().trials() {
        let generation = trial.system_attributes.get(GENERATION).map_or("0", |noted| noted.as_str());
        *sizes.entry(generation.to_owned()).or_default() += 1;
    }
    assert_eq!(sizes.into_values().collect::<Vec<_>>(), [10; 5]);
}

#[test]
fn constraints_come_before_objectives() {
    let sampler = Nsga2Spec { population: 20, ..Nsga2Spec::default() }.check().unwrap();
    let study = Study::of("s", [Direction::Minimize; 2]).sampler(sampler).seed(1).create().unwrap();
    study
        .optimize(400, |trial| {
            let values = zdt(trial, false)?;
            // Only the far end of the first axis is allowed.
            trial.set_constraint("end", 0.8 - values[0]);
            Ok::<_, HpoError>(values)
        })
        .unwrap();
    let history = study.history().unwrap();
    let allowed =
        |trials: &[Arc<FrozenTrial>]| trials.iter().filter(|trial| crate::violation(trial) == 0.0).count();
    let (early, late) = (allowed(&history.trials()[..100]), allowed(&history.trials()[300..]));
    assert!(late > 85 && late > early, "{early} {late}");
    assert!(study.front().unwrap().iter().all(|trial| trial.values.as_ref().unwrap()[0] >= 0.8));
}

#[test]
fn odd_trials_break_nothing_and_a_late_worker_agrees() {
    let run = |reopen_at: usize| {
        let ticks = std::sync::atomic::AtomicI64::new(0);
        let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::with_clock(move || {
            crate::Timestamp(ticks.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
        }));
        let options = || {
            let sampler = Nsga2Spec { population: 8, ..Nsga2Spec::default() }.check().unwrap();
            Study::of("s", [Direction::Minimize, Direction::Maximize])
                .storage(Arc::clone(&storage))
                .sampler(sampler)
        };
        let mut study = options().create().unwrap();
        study.enqueue(&BTreeMap::from([("x3".to_owned(), Choice::Float(44.0))]), BTreeMap::new()).unwrap();
        let mut running: Vec<Trial> = Vec::new();
        for count in 0..150 {
            if count == reopen_at {
                study = options().open().unwrap();
            }
            let mut trial = study.ask().unwrap();
            zdt(&mut trial, true).unwrap();
            trial.suggest_categorical("kind", &["a", "b"]).unwrap();
            trial.suggest_int("n", IntDistribution::log(1, 9)).unwrap();
            running.push(trial);
            if running.len() == 3 {
                let mut trial = running.remove(count % 3);
                let values = zdt(&mut trial, true).unwrap();
                trial.set_constraint("c", if count % 11 == 0 { f64::NAN } else { 0.0 });
                let outcome = match count % 9 {
                    1 => Outcome::Pruned,
                    2 => Outcome::Failed("odd".to_owned()),
                    3 => [f64::NAN, 1.0].into(),
                    4 => [f64::INFINITY, f64::NEG_INFINITY].into(),
                    _ => values.into(),
                };
                study.tell(trial, outcome).unwrap();
            }
        }
        let history = study.history().unwrap();
        assert!(history.in_state(TrialState::Complete).count() > 90);
        history.trials().iter().map(|trial| trial.params.clone()).collect::<Vec<_>>()
    };
    let whole = run(usize::MAX);
    assert!(
        whole[1..].iter().all(|params| params.values().all(|param| param.distribution.contains(param.value)))
    );
    assert_eq!(whole, run(75));
}

#[test]
fn every_fault_is_named() {
    let spec = Nsga2Spec { population: 1, crossover: 1.5, swapping: 0.5, mutation: Some(f64::NAN) };
    let Err(report) = spec.check() else { panic!("it was taken") };
    assert_eq!(
        report.to_string(),
        "population: must be at least 2: a child has two parents\ncrossover: must be from 0 to 1\nmutation: must be from 0 to 1\n"
    );
}
