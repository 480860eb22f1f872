//! Against Optuna 5.0 (`scripts/golden_search.py`).

use std::collections::BTreeMap;

use serde::Deserialize;

use super::fanova::Leaves;
use super::forest::{Node, Tree};
use super::{Evaluator, FanovaSpec, Importance, PedAnovaSpec, importance};
use crate::{
    CategoricalDistribution, Direction, Distribution, FloatDistribution, HpoError, IntDistribution, NewTrial,
    Param, Study, StudyView, TrialState,
};

#[derive(Deserialize)]
struct Golden {
    /// Values of x, rate, n, s, k and, of some trials, m; and both objectives.
    trials: Vec<(Vec<f64>, [f64; 2])>,
    ped_anova: BTreeMap<String, f64>,
    ped_anova_quarter: BTreeMap<String, f64>,
    ped_anova_front: BTreeMap<String, f64>,
    ped_anova_second: BTreeMap<String, f64>,
    fanova: BTreeMap<String, f64>,
    tree: GoldenTree,
}

#[derive(Deserialize)]
struct GoldenTree {
    /// Column, threshold, children and value; a leaf has a negative column.
    nodes: Vec<(i64, f64, i64, i64, f64)>,
    bounds: Vec<(f64, f64)>,
    variance: f64,
    marginals: Vec<f64>,
}

fn golden() -> Golden {
    serde_json::from_str(include_str!("../../tests/golden/importance.json")).unwrap()
}

fn study(golden: &Golden, directions: &[Direction]) -> Study {
    let kinds = CategoricalDistribution { choices: vec!["a".into(), "b".into(), "c".into()] };
    let distributions: [(&str, Distribution); 6] = [
        ("x", FloatDistribution::new(-5.0, 5.0).into()),
        ("rate", FloatDistribution::log(1e-4, 1.0).into()),
        ("n", IntDistribution::new(1, 8).into()),
        ("s", FloatDistribution::stepped(0.0, 3.0, 0.5).into()),
        ("k", kinds.into()),
        ("m", IntDistribution::log(1, 64).into()),
    ];
    let study = Study::of("s", directions).create().unwrap();
    for (params, values) in &golden.trials {
        let mut trial = NewTrial::in_state(TrialState::Complete);
        for ((name, distribution), value) in distributions.iter().zip(params) {
            trial
                .params
                .insert((*name).to_owned(), Param { distribution: distribution.clone(), value: *value });
        }
        trial.values = Some(values[..directions.len()].to_vec());
        study.add(&trial).unwrap();
    }
    study
}

fn measured(
    study: &Study,
    evaluator: Evaluator,
    objective: Option<usize>,
) -> Result<Vec<Importance>, HpoError> {
    let history = study.history()?;
    importance(StudyView { study: study.record(), history: &history }, evaluator, objective)
}

fn assert_near(ours: &[Importance], theirs: &BTreeMap<String, f64>, tolerance: f64) {
    assert_eq!(ours.len(), theirs.len());
    for Importance { name, share } in ours {
        assert!((share - theirs[name]).abs() < tolerance, "{name}: {share} for {}", theirs[name]);
    }
    assert!(ours.is_sorted_by(|left, right| left.share >= right.share));
}

const BOTH: [Direction; 2] = [Direction::Minimize, Direction::Maximize];

#[test]
fn ped_anova_is_that_of_optuna() {
    let golden = golden();
    let one = study(&golden, &BOTH[..1]);
    assert_near(&measured(&one, Evaluator::default(), None).unwrap(), &golden.ped_anova, 1e-9);
    let quarter = Evaluator::PedAnova(PedAnovaSpec { target_quantile: 0.25 });
    assert_near(&measured(&one, quarter, None).unwrap(), &golden.ped_anova_quarter, 1e-9);
    let two = study(&golden, &BOTH);
    assert_near(&measured(&two, Evaluator::default(), None).unwrap(), &golden.ped_anova_front, 1e-9);
    assert_near(&measured(&two, Evaluator::default(), Some(1)).unwrap(), &golden.ped_anova_second, 1e-9);
    assert_near(&measured(&two, Evaluator::default(), Some(0)).unwrap(), &golden.ped_anova, 1e-9);
}

#[test]
fn fanova_is_that_of_optuna_up_to_the_chance_of_its_samples() {
    let golden = golden();
    let one = study(&golden, &BOTH[..1]);
    // Ours is one forest, theirs the mean of eight; two forests of Optuna differ by up to 0.03.
    let ours = measured(&one, Evaluator::Fanova(FanovaSpec::default()), None).unwrap();
    assert_near(&ours, &golden.fanova, 0.03);
    let two = study(&golden, &BOTH);
    let of_first = measured(&two, Evaluator::Fanova(FanovaSpec::default()), Some(0)).unwrap();
    assert_eq!(of_first, ours);
    assert!(matches!(
        measured(&two, Evaluator::Fanova(FanovaSpec::default()), None),
        Err(HpoError::Objectives { found: 2, expected: 1, .. })
    ));
    assert!(matches!(
        measured(&two, Evaluator::default(), Some(2)),
        Err(HpoError::Objectives { expected: 3, .. })
    ));
}

#[test]
fn a_tree_has_the_marginal_variances_of_optuna() {
    let GoldenTree { nodes, bounds, variance, marginals } = golden().tree;
    let node = |(column, threshold, left, right, value)| match usize::try_from(column) {
        Ok(column) => Node::Split { column, threshold, left: left as usize, right: right as usize },
        Err(_) => Node::Leaf { value },
    };
    let nodes: Vec<(i64, f64, i64, i64, f64)> = nodes;
    let leaves = Leaves::of(&Tree { nodes: nodes.into_iter().map(node).collect() }, &bounds);
    let near =
        |ours: f64, theirs: f64| assert!((ours - theirs).abs() < 1e-10 * theirs, "{ours} for {theirs}");
    near(leaves.variance(), variance);
    for (columns, theirs) in [0..1, 1..2, 2..5].into_iter().zip(marginals) {
        near(leaves.marginal_variance(columns), theirs);
    }
}

#[test]
fn nothing_to_tell_apart_is_equal_and_never_an_error() {
    for evaluator in [Evaluator::default(), Evaluator::Fanova(FanovaSpec::default())] {
        let study = Study::minimize("s").create().unwrap();
        assert_eq!(measured(&study, evaluator, None).unwrap(), []);
        for value in [f64::INFINITY, f64::NEG_INFINITY, 1.0, 1.0, 1.0] {
            let mut trial = study.ask().unwrap();
            trial.suggest_float("a", 0.0..=1.0).unwrap();
            trial.suggest_float("b", 2.0..=2.0).unwrap();
            study.tell(trial, value).unwrap();
            let shares = measured(&study, evaluator, None).unwrap();
            assert_eq!(shares.len(), 2);
            assert!((shares.iter().map(|importance| importance.share).sum::<f64>() - 1.0).abs() < 1e-12);
        }
    }
}
