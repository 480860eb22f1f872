use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use super::{GRID_ID, GridSampler, GridSpec, SEARCH_SPACE, shuffle};
use crate::{
    CategoricalDistribution, Choice, FloatDistribution, Heartbeat, HpoError, IntDistribution, MemoryStorage,
    Outcome, PrunerSpec, SearchSpace, Storage, Study, Timestamp, Trial, TrialState,
};

fn space() -> SearchSpace {
    let kinds = CategoricalDistribution { choices: vec!["a".into(), Choice::Null, true.into()] };
    SearchSpace::from([
        ("kind".to_owned(), kinds.into()),
        ("n".to_owned(), IntDistribution::stepped(1, 10, 4).into()),
        ("x".to_owned(), FloatDistribution::stepped(0.0, 0.3, 0.1).into()),
    ])
}

fn whole() -> GridSampler {
    GridSpec::default().check(&space()).unwrap()
}

fn ask(trial: &mut Trial) -> Result<f64, HpoError> {
    for (name, distribution) in space() {
        trial.suggest(&name, distribution.check(&name)?)?;
    }
    Ok(1.0)
}

fn points(study: &Study) -> Vec<String> {
    let history = study.history().unwrap();
    history
        .trials()
        .iter()
        .map(|trial| format!("{:?}", trial.params.values().map(|p| p.value).collect::<Vec<_>>()))
        .collect()
}

#[test]
fn the_order_is_that_of_numpy() {
    // numpy.random.RandomState(0).shuffle(list(range(1000))).
    let order = shuffle::order(1000, 0);
    assert_eq!(order[..10], [993, 859, 298, 553, 672, 971, 27, 231, 306, 706]);
    assert_eq!(order[995..], [835, 192, 629, 559, 684]);
    // optuna.samplers.GridSampler({"b": [0, 1, 2], "a": ["x", "y"]})._all_grids
    let space = SearchSpace::from([
        ("a".to_owned(), CategoricalDistribution { choices: vec!["x".into(), "y".into()] }.into()),
        ("b".to_owned(), IntDistribution::new(0, 2).into()),
    ]);
    let grid = GridSpec::default().check(&space).unwrap();
    let all: Vec<(f64, f64)> = (0..6).map(|id| (grid.point(id)["a"], grid.point(id)["b"])).collect();
    assert_eq!(all, [(1.0, 2.0), (0.0, 2.0), (0.0, 1.0), (1.0, 0.0), (0.0, 0.0), (1.0, 1.0)]);
}

#[test]
fn every_point_is_tried_once_and_then_it_ends() {
    let study = Study::minimize("s").sampler(whole()).create().unwrap();
    study.optimize(1000, ask).unwrap();
    let points = points(&study);
    assert_eq!(points.len(), 36);
    assert_eq!(points.iter().collect::<BTreeSet<_>>().len(), 36);
    let first = study.history().unwrap().trials()[0].clone();
    assert_eq!(
        first.system_attributes[SEARCH_SPACE].as_str(),
        r#"{"kind": ["a", null, true], "n": [1, 5, 9], "x": [0.0, 0.1, 0.2, 0.3]}"#
    );
    assert_eq!(first.system_attributes[GRID_ID].as_str(), "0");
}

#[test]
fn workers_that_ask_at_the_same_time_share_the_grid() {
    let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::default());
    let options = || Study::minimize("s").storage(Arc::clone(&storage)).sampler(whole());
    let workers = [options().create().unwrap(), options().open().unwrap(), options().open().unwrap()];
    // A queued one in front shifts the numbers against the points.
    workers[0].enqueue(&BTreeMap::from([("n".to_owned(), Choice::Int(7))]), BTreeMap::new()).unwrap();
    std::thread::scope(|scope| {
        for worker in &workers {
            scope.spawn(|| {
                let mut count = 0;
                worker
                    .optimize(1000, |trial| {
                        count += 1;
                        ask(trial)?;
                        Ok::<_, HpoError>(match count % 5 {
                            0 => Outcome::Pruned,
                            1 => Outcome::Failed("odd".to_owned()),
                            _ => 1.0.into(),
                        })
                    })
                    .unwrap();
            });
        }
    });
    let history = workers[0].history().unwrap();
    let ids: BTreeSet<&str> = history
        .trials()
        .iter()
        .filter_map(|trial| Some(trial.system_attributes.get(GRID_ID)?.as_str()))
        .collect();
    assert_eq!(ids.len(), 36);
    // At the end, points of running trials may be taken twice by workers that asked before they saw each other.
    assert!(history.trials().len() <= 37 + workers.len(), "{}", history.trials().len());
}

#[test]
fn a_point_that_runs_is_left_to_its_worker() {
    let study = Study::minimize("s").sampler(whole()).create().unwrap();
    let mut running = study.ask().unwrap();
    ask(&mut running).unwrap();
    study.optimize(1000, ask).unwrap();
    assert_eq!(study.history().unwrap().trials().len(), 36);
    study.tell(running, 1.0).unwrap();
    assert_eq!(points(&study).into_iter().collect::<BTreeSet<_>>().len(), 36);
}

#[test]
fn a_grid_of_other_values_does_not_count() {
    let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::default());
    let few = GridSpec {
        values: Some(BTreeMap::from([
            ("kind".to_owned(), vec![true.into()]),
            ("n".to_owned(), vec![1.into(), 9.into()]),
            ("x".to_owned(), vec![0.2.into()]),
        ])),
    };
    let few = || few.check(&space()).unwrap();
    let study = Study::minimize("s").storage(Arc::clone(&storage)).sampler(few()).create().unwrap();
    study.optimize(10, ask).unwrap();
    assert_eq!(study.history().unwrap().trials().len(), 2);
    let study = Study::minimize("s").storage(storage).sampler(whole()).open().unwrap();
    study.optimize(100, ask).unwrap();
    assert_eq!(study.history().unwrap().trials().len(), 38);
}

#[test]
fn every_fault_is_named() {
    let mut space = space();
    space.insert("rate".to_owned(), FloatDistribution::log(1e-4, 1.0).into());
    let fault =
        |spec: &GridSpec| spec.check(&space).err().map(|report| report.to_string()).unwrap_or_default();
    assert_eq!(
        fault(&GridSpec::default()),
        "values.rate: has no step: give it one, or list its values here\n"
    );
    let values = BTreeMap::from([
        ("n".to_owned(), vec![Choice::Int(1), Choice::Int(2)]),
        ("x".to_owned(), Vec::new()),
        ("rat".to_owned(), vec![Choice::Float(0.1)]),
        ("rate".to_owned(), vec![Choice::Float(0.1)]),
    ]);
    assert_eq!(
        fault(&GridSpec { values: Some(values) }),
        "values.kind: is missing: every parameter needs its values\nvalues.n[1]: 2 is no value of this parameter\n\
         values.x: must have a value\nvalues.rat: is no parameter of the search space\n"
    );
}

#[test]
fn a_parameter_that_is_not_in_the_grid_is_named() {
    let study = Study::minimize("s").sampler(whole()).create().unwrap();
    let error = study.optimize(1, |trial| trial.suggest_float("y", 0.0..=1.0)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the grid sampler cannot search this study: the grid has no parameter \"y\": add its values, or queue trials that fix it"
    );
}

fn small(points: i64) -> GridSampler {
    let space = SearchSpace::from([("n".to_owned(), IntDistribution::new(1, points).into())]);
    GridSpec::default().check(&space).unwrap()
}

#[test]
fn what_is_queued_runs_though_every_point_was_tried() {
    let grid = small(3);
    let now = Arc::new(AtomicI64::new(0));
    let clock = Arc::clone(&now);
    let storage = Arc::new(MemoryStorage::with_clock(move || Timestamp(clock.load(Ordering::SeqCst))));
    let hour = Duration::from_secs(3600);
    let study = Study::minimize("s")
        .storage(storage)
        .sampler(grid)
        .heartbeat(Heartbeat { interval: hour, grace: hour, retries: 1 })
        .create()
        .unwrap();
    let objective = |trial: &mut Trial| Ok::<_, HpoError>(trial.suggest_int("n", 1..=3)? as f64);
    // Its worker dies, and the others try the rest.
    let mut dead = study.ask().unwrap();
    let tried = objective(&mut dead).unwrap();
    dead.write().unwrap();
    study.optimize(100, objective).unwrap();
    assert_eq!(study.history().unwrap().trials().len(), 3);
    study.enqueue(&BTreeMap::from([("n".to_owned(), Choice::Int(2))]), BTreeMap::new()).unwrap();
    now.store(2 * 3_600_000_000, Ordering::SeqCst);
    study.optimize(100, objective).unwrap();
    let history = study.history().unwrap();
    let ended: Vec<_> = history.trials().iter().map(|trial| (trial.state, trial.values.clone())).collect();
    assert_eq!(ended.len(), 5, "the user's and the dead one's, and then it is over");
    assert_eq!(ended[0], (TrialState::Fail, None));
    assert_eq!(ended[3], (TrialState::Complete, Some(vec![2.0])));
    assert_eq!(ended[4], (TrialState::Complete, Some(vec![tried])));
}

#[test]
fn a_race_of_several_brackets_repeats_no_point() {
    let grid = small(40);
    let spec = r#"{"kind":"hyperband","min_resource":1,"max_resource":27,"reduction_factor":3}"#;
    let pruner: PrunerSpec = serde_json::from_str(spec).unwrap();
    let options = Study::minimize("s").sampler(grid).boxed_pruner(pruner.check().unwrap());
    let study = options.create().unwrap();
    // A queued one in front shifts the numbers against the points, so that they do not follow from the number alone.
    study.enqueue(&BTreeMap::from([("n".to_owned(), Choice::Int(7))]), BTreeMap::new()).unwrap();
    study.optimize(1000, |trial| trial.suggest_int("n", 1..=40).map(|n| n as f64)).unwrap();
    let history = study.history().unwrap();
    let tried: BTreeSet<u64> =
        history.trials()[1..].iter().map(|trial| trial.params["n"].value as u64).collect();
    assert_eq!((history.trials().len(), tried.len()), (41, 40));
}
