use std::collections::BTreeSet;
use std::sync::Arc;

use super::{QmcSampler, QmcSpec};
use crate::{
    FloatDistribution, HpoError, IntDistribution, MemoryStorage, SearchSpace, Storage, Study, Trial,
};

fn ask(trial: &mut Trial) -> Result<f64, HpoError> {
    let x = trial.suggest_float("x", 0.0..=1.0)?;
    trial.suggest_int("n", IntDistribution::new(1, 8))?;
    trial.suggest_categorical("kind", &["a", "b", "c", "d"])?;
    trial.suggest_float("rate", FloatDistribution::log(1e-4, 1.0))?;
    Ok(x)
}

fn declared() -> SearchSpace {
    let study = Study::minimize("once").create().unwrap();
    study.optimize(1, ask).unwrap();
    let first = study.history().unwrap().trials()[0].clone();
    first.params.iter().map(|(name, param)| (name.clone(), param.distribution.clone())).collect()
}

/// How often each value came up, in the order of the values.
fn counts(study: &Study, name: &str, skip: usize) -> Vec<usize> {
    let history = study.history().unwrap();
    let values: Vec<i64> =
        history.trials()[skip..].iter().map(|trial| trial.params[name].value as i64).collect();
    values
        .iter()
        .collect::<BTreeSet<_>>()
        .into_iter()
        .map(|value| values.iter().filter(|other| *other == value).count())
        .collect()
}

#[test]
fn a_block_of_trials_has_every_value_equally_often() {
    let study =
        Study::minimize("s").sampler(QmcSampler::new(QmcSpec::default(), Some(declared()))).create().unwrap();
    study.optimize(64, ask).unwrap();
    assert_eq!(counts(&study, "n", 0), [8; 8]);
    assert_eq!(counts(&study, "kind", 0), [16; 4]);

    // Without a declaration the first trial tells the parameters, and the sequence begins after it.
    let study = Study::minimize("s").sampler(QmcSampler::default()).create().unwrap();
    study.optimize(65, ask).unwrap();
    assert_eq!(counts(&study, "n", 1), [8; 8]);
    assert_eq!(counts(&study, "kind", 1), [16; 4]);
}

#[test]
fn workers_share_one_sequence() {
    let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::default());
    let options = || {
        let sampler = QmcSampler::new(QmcSpec::default(), Some(declared()));
        Study::minimize("s").storage(Arc::clone(&storage)).sampler(sampler).seed(4)
    };
    let workers = [options().create().unwrap(), options().open().unwrap()];
    let mut running = Vec::new();
    for count in 0..64 {
        let mut trial = workers[count % 2].ask().unwrap();
        ask(&mut trial).unwrap();
        running.push((count % 2, trial));
    }
    while let Some((worker, trial)) = running.pop() {
        workers[worker].tell(trial, 1.0).unwrap();
    }
    assert_eq!(counts(&workers[0], "n", 0), [8; 8]);
    let alone = Study::minimize("alone")
        .sampler(QmcSampler::new(QmcSpec::default(), Some(declared())))
        .seed(4)
        .create()
        .unwrap();
    alone.optimize(64, ask).unwrap();
    let params = |study: &Study| {
        study.history().unwrap().trials().iter().map(|trial| trial.params.clone()).collect::<Vec<_>>()
    };
    assert_eq!(params(&workers[0]), params(&alone));
}
