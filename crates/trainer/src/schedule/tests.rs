//! Rates against PyTorch's schedulers (`tests/golden/schedule.json`, made by `scripts/golden_trainer.py`), and what holds for
//! any schedule.

use std::convert::Infallible;

use serde::Deserialize;
use tapeline_testkit::assert_close;

use super::{Schedule, StepPlace};
use crate::metric;
use crate::small_network;
use crate::spec::{
    ConstantSpec, CosineSpec, OptimizerSpec, PlateauSpec, SchedulerSpec, StepSpec, TrainingSpec,
};
use crate::state::EpochRecord;

fn schedule(peak: f64, num_epochs: usize, scheduler: SchedulerSpec) -> Schedule {
    let optimizer = OptimizerSpec::default().with_learning_rate(peak);
    let training = TrainingSpec { num_epochs, optimizer, scheduler, ..TrainingSpec::default() };
    let tasks = small_network::tasks();
    Schedule::new(&training, |name| metric::find(name, &tasks)).unwrap()
}

/// The rate of every step when the metric of each epoch is that of `history`, as far as it goes.
fn rates(schedule: &Schedule, epochs: usize, steps: usize, history: &[EpochRecord]) -> Vec<f64> {
    let places = (0..epochs).flat_map(|epoch| (0..steps).map(move |step| StepPlace { epoch, step, steps }));
    places.map(|place| schedule.rate(place, &history[..place.epoch.min(history.len())])).collect()
}

fn history(metric: &str, values: &[Option<f64>]) -> Vec<EpochRecord> {
    let record = |(epoch, value): (usize, &Option<f64>)| EpochRecord {
        epoch,
        step: 0,
        metrics: [(metric.to_owned(), *value)].into(),
    };
    values.iter().enumerate().map(record).collect()
}

#[derive(Deserialize)]
struct Case {
    peak: f64,
    epochs: usize,
    steps_per_epoch: usize,
    scheduler: SchedulerSpec,
    history: Vec<f64>,
    rates: Vec<f64>,
}

#[test]
fn rates_are_those_of_pytorch() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("../../tests/golden/schedule.json")).unwrap();
    assert_eq!(cases.len(), 11);
    for case in cases {
        let values: Vec<Option<f64>> = case.history.iter().copied().map(Some).collect();
        let history = match &case.scheduler {
            SchedulerSpec::Plateau(spec) => history(&spec.metric, &values),
            _ => Vec::new(),
        };
        let schedule = schedule(case.peak, case.epochs, case.scheduler);
        // PyTorch multiplies from step to step.
        assert_close(&rates(&schedule, case.epochs, case.steps_per_epoch, &history), &case.rates, 1e-12);
    }
}

fn every_kind(warmup_epochs: f64) -> [SchedulerSpec; 4] {
    [
        SchedulerSpec::Cosine(CosineSpec { warmup_epochs, ..CosineSpec::default() }),
        SchedulerSpec::Step(StepSpec { warmup_epochs, every_epochs: 4, factor: 0.5 }),
        SchedulerSpec::Plateau(PlateauSpec { warmup_epochs, ..PlateauSpec::default() }),
        SchedulerSpec::Constant(ConstantSpec { warmup_epochs }),
    ]
}

#[test]
fn every_step_has_a_rate_and_the_warm_up_ends_at_the_peak() {
    for warmup_epochs in [0.0, 0.05, 0.5, 1.0, 1.3, 3.0] {
        for kind in every_kind(warmup_epochs) {
            let schedule = schedule(0.1, 3, kind);
            let rates = rates(&schedule, 3, 10, &[]);
            assert!(rates.iter().all(|rate| *rate > 0.0 && *rate <= 0.1), "{schedule:?}: {rates:?}");
            let end_of_warmup = (warmup_epochs * 10.0).ceil() as usize;
            assert!((rates[end_of_warmup.saturating_sub(1)] - 0.1).abs() < 1e-15, "{schedule:?}: {rates:?}");
            let (up, down) = rates.split_at(end_of_warmup);
            assert!(up.is_sorted() && down.is_sorted_by(|a, b| a >= b), "{schedule:?}: {rates:?}");
        }
    }
}

#[test]
fn a_cosine_would_reach_its_end_after_the_last_step() {
    for (warmup_epochs, min_rate) in [(0.0, 0.0), (0.05, 0.0), (1.3, 0.03)] {
        let schedule = schedule(0.1, 3, SchedulerSpec::Cosine(CosineSpec { warmup_epochs, min_rate }));
        let after = StepPlace { epoch: 3, step: 0, steps: 10 };
        assert!((schedule.rate(after, &[]) - min_rate).abs() < 1e-15);
    }
}

#[test]
fn epochs_of_other_lengths_move_no_fall() {
    let schedule = schedule(0.1, 6, SchedulerSpec::Step(StepSpec { every_epochs: 2, ..StepSpec::default() }));
    for steps in [1, 3, 50] {
        let first = |epoch| schedule.rate(StepPlace { epoch, step: 0, steps }, &[]);
        assert_eq!((first(3), first(4)), (0.1 * 0.3, 0.1 * 0.3_f64.powf(2.0)));
    }
}

#[test]
fn what_is_undefined_is_no_improvement_for_a_plateau() {
    let spec = PlateauSpec { warmup_epochs: 0.0, factor: 0.1, patience: 1, ..PlateauSpec::default() };
    let values = [None, Some(f64::NAN), Some(f64::NEG_INFINITY), Some(1.0), None, Some(0.5), Some(f64::NAN)];
    let history = history(&spec.metric, &values);
    let schedule = schedule(1.0, 8, SchedulerSpec::Plateau(spec));
    let rates = rates(&schedule, 8, 1, &history);
    assert_close(&rates, &[1.0, 1.0, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1], 1e-15);
}

#[test]
fn a_plateau_warms_up_too() {
    let spec = PlateauSpec { warmup_epochs: 2.0, factor: 0.5, patience: 0, ..PlateauSpec::default() };
    let history = history(&spec.metric, &[Some(1.0), Some(2.0)]);
    let schedule = schedule(1.0, 3, SchedulerSpec::Plateau(spec));
    assert_close(&rates(&schedule, 3, 2, &history), &[0.25, 0.5, 0.75, 1.0, 0.5, 0.5], 1e-15);
}

#[test]
fn only_a_plateau_looks_for_a_metric() {
    for kind in every_kind(0.0) {
        let is_plateau = matches!(kind, SchedulerSpec::Plateau(_));
        let training = TrainingSpec { scheduler: kind, ..TrainingSpec::default() };
        assert_eq!(Schedule::new(&training, |_| Err(())).is_err(), is_plateau);
        if !is_plateau {
            assert!(Schedule::new(&training, |_| -> Result<_, Infallible> { unreachable!() }).is_ok());
        }
    }
}

#[test]
fn a_place_goes_back_over_the_epochs_before_it() {
    let steps_of = |epoch: usize| [4, 2, 3][epoch];
    let place = |epoch: usize, step: usize| StepPlace { epoch, step, steps: steps_of(epoch) };
    for (from, back, to) in [
        (place(2, 1), 0, place(2, 1)),
        (place(2, 1), 1, place(2, 0)),
        (place(2, 1), 2, place(1, 1)),
        (place(2, 1), 4, place(0, 3)),
        (place(2, 0), 99, place(0, 0)),
    ] {
        assert_eq!(from.before(back, steps_of), to, "{from:?} back by {back}");
    }
}
