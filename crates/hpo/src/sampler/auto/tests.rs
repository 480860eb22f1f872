use std::collections::BTreeMap;
use std::sync::Arc;

use super::AutoSampler;
use crate::{
    FloatDistribution, HpoError, MemoryStorage, Outcome, Sampler, Storage, Study, TpeSampler, Trial,
    TrialState,
};

fn valley(trial: &mut Trial) -> Result<f64, HpoError> {
    let x = trial.suggest_float("x", -5.0..=10.0)?;
    let y = trial.suggest_float("y", FloatDistribution::log(1e-3, 1e3))?.log10();
    let n = trial.suggest_int("n", 1..=8)? as f64;
    let kind = trial.suggest_categorical("kind", &["a", "b", "c"])?;
    Ok((x - 3.0).powi(2)
        + (y - 0.1 * x).powi(2)
        + 0.2 * (n - 5.0).abs()
        + if kind == "b" { 0.0 } else { 0.5 })
}

fn best(sampler: impl Sampler + 'static, seed: u64, trials: usize) -> f64 {
    let study = Study::minimize("s").seed(seed).sampler(sampler).create().unwrap();
    study.optimize(trials, valley).unwrap();
    study.best_trial().unwrap().unwrap().values.as_ref().unwrap()[0]
}

#[test]
fn fifty_trials_of_it_find_what_tpe_does_not_find_in_a_hundred() {
    let wins = (0..5)
        .filter(|seed| best(AutoSampler::default(), *seed, 50) < best(TpeSampler::default(), *seed, 100));
    let wins = wins.count();
    assert!(wins >= 4, "it wins {wins} of 5");
}

#[test]
fn what_it_draws_side_by_side_can_be_drawn_again() {
    let storage: Arc<MemoryStorage> = Arc::default();
    let open = || {
        let options = Study::minimize("s").storage(Arc::clone(&storage) as Arc<dyn Storage>).seed(3);
        options.sampler(AutoSampler::default()).create_or_open().unwrap()
    };
    let workers = [open(), open(), open()];
    workers[0].optimize(12, valley).unwrap();
    let mut running: Vec<(usize, Trial, f64)> = Vec::new();
    for step in 0..24 {
        if running.len() == 3 {
            let (worker, trial, value) = running.remove(step % 3);
            workers[worker].tell(trial, value).unwrap();
        }
        let worker = step % 3;
        let mut trial = workers[worker].ask().unwrap();
        let value = valley(&mut trial).unwrap();
        running.push((worker, trial, value));
    }
    for (worker, trial, value) in running {
        workers[worker].tell(trial, value).unwrap();
    }
    let late = open();
    for trial in late.history().unwrap().trials() {
        let was: BTreeMap<String, f64> =
            trial.params.iter().map(|(name, param)| (name.clone(), param.value)).collect();
        assert_eq!(late.redraw(trial.number).unwrap(), Some(was), "trial {}", trial.number);
    }
}

#[test]
fn it_does_not_stay_where_everything_fails_or_is_given_up() {
    for end in [Outcome::Failed("out of memory".to_owned()), Outcome::Pruned, f64::NAN.into()] {
        let study = Study::minimize("s").sampler(AutoSampler::default()).create().unwrap();
        let objective = |trial: &mut Trial| {
            // The smaller the better, but below 4 nothing works.
            let x = trial.suggest_float("x", 0.0..=10.0)?;
            trial.suggest_float("y", 0.0..=1.0)?;
            Ok::<_, HpoError>(if x < 4.0 { end.clone() } else { x.into() })
        };
        study.optimize(50, objective).unwrap();
        let history = study.history().unwrap();
        let late = history.trials()[25..].iter();
        let complete = late.filter(|trial| trial.state == TrialState::Complete).count();
        assert!(complete >= 8, "{complete} of the last 25 are complete after {end:?}");
        let best = study.best_trial().unwrap().unwrap();
        assert!(best.values.as_ref().unwrap()[0] < 4.2, "{end:?}: {:?}", best.values);
    }
}

#[test]
fn constraints_are_kept() {
    let study = Study::minimize("s").sampler(AutoSampler::default()).create().unwrap();
    study
        .optimize(60, |trial| {
            let (x, y) = (trial.suggest_float("x", 0.0..=1.0)?, trial.suggest_float("y", 0.0..=1.0)?);
            trial.set_constraint("c", 1.2 - x - y);
            Ok::<_, HpoError>(x * x + y * y)
        })
        .unwrap();
    let best = study.best_trial().unwrap().unwrap().values.as_ref().unwrap()[0];
    assert!((0.72 - 1e-9..0.75).contains(&best), "{best}, 0.72 is the least that is allowed");
}
