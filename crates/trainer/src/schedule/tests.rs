//! Rates against PyTorch's `LinearLR` and `CosineAnnealingLR` (`tests/golden/schedule.json`, made by
//! `scripts/golden_trainer.py`), and what holds for any schedule.

use serde::Deserialize;
use tapeline_testkit::assert_close;

use super::Schedule;
use crate::spec::TrainingSpec;

fn schedule(peak: f64, epochs: usize, warmup_epochs: f64, steps_per_epoch: usize) -> Schedule {
    let mut training = TrainingSpec { num_epochs: epochs, ..TrainingSpec::default() };
    training.optimizer.learning_rate = peak;
    training.scheduler.warmup_epochs = warmup_epochs;
    Schedule::new(&training, steps_per_epoch)
}

#[derive(Deserialize)]
struct Case {
    peak: f64,
    epochs: usize,
    warmup_epochs: f64,
    steps_per_epoch: usize,
    rates: Vec<f64>,
}

#[test]
fn rates_are_those_of_pytorch() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("../../tests/golden/schedule.json")).unwrap();
    for case in cases {
        let schedule = schedule(case.peak, case.epochs, case.warmup_epochs, case.steps_per_epoch);
        let rates: Vec<f64> = (0..case.rates.len()).map(|step| schedule.rate(step)).collect();
        // PyTorch multiplies from step to step.
        assert_close(&rates, &case.rates, 1e-12);
    }
}

#[test]
fn every_step_has_a_rate_and_the_warm_up_ends_at_the_peak() {
    for warmup_epochs in [0.0, 0.05, 0.5, 1.0, 1.3, 3.0] {
        let schedule = schedule(0.1, 3, warmup_epochs, 10);
        let rates: Vec<f64> = (0..30).map(|step| schedule.rate(step)).collect();
        assert!(rates.iter().all(|rate| *rate > 0.0 && *rate <= 0.1), "{warmup_epochs}: {rates:?}");
        let end_of_warmup = (warmup_epochs * 10.0).ceil() as usize;
        assert!((rates[end_of_warmup.saturating_sub(1)] - 0.1).abs() < 1e-15, "{warmup_epochs}: {rates:?}");
        let (up, down) = rates.split_at(end_of_warmup);
        assert!(up.is_sorted() && down.is_sorted_by(|a, b| a >= b), "{warmup_epochs}: {rates:?}");
        if warmup_epochs < 3.0 {
            assert!(schedule.rate(30).abs() < 1e-15);
        }
    }
}
