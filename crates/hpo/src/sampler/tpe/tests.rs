//! Against Optuna 5.0.0 and SciPy: `scripts/golden_tpe.py` writes the file.

mod behaviour;

use std::sync::Arc;

use serde_json::Value;

use super::axis::Axis;
use super::mixture::{Mixture, Weighting};
use super::split::Ranking;
use crate::sampler::normal;
use crate::{
    CategoricalDistribution, Choice, Direction, Distribution, FloatDistribution, FrozenTrial,
    IntDistribution, Param, RawJson, TrialId, TrialState,
};

/// Ours against Optuna's: widths, weights, log densities.
const TOLERANCE: f64 = 1e-10;

fn golden() -> Value {
    serde_json::from_str(include_str!("../../../tests/golden/tpe.json")).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

fn close(what: &str, ours: &[f64], theirs: &[f64]) {
    assert_eq!(ours.len(), theirs.len(), "{what}");
    for (place, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
        let allowed = TOLERANCE * theirs.abs().max(1.0);
        assert!((ours - theirs).abs() <= allowed, "{what} {place}: {ours}, {theirs} expected");
    }
}

fn distribution(value: &Value) -> Distribution {
    let (low, high, log) = (&value["low"], &value["high"], value["log"] == true);
    match value["kind"].as_str().unwrap() {
        "float" => FloatDistribution {
            low: low.as_f64().unwrap(),
            high: high.as_f64().unwrap(),
            log,
            step: value["step"].as_f64(),
        }
        .into(),
        "int" => IntDistribution {
            low: low.as_i64().unwrap(),
            high: high.as_i64().unwrap(),
            log,
            step: value["step"].as_i64().unwrap(),
        }
        .into(),
        _ => {
            let choices = value["choices"].as_array().unwrap().iter().map(Choice::from_json).collect();
            CategoricalDistribution { choices }.into()
        }
    }
}

/// Python's way to write a float.
fn python_float(value: &Value) -> f64 {
    value.as_str().unwrap().parse().unwrap()
}

struct Case {
    name: String,
    space: Vec<(String, Distribution)>,
    directions: Vec<Direction>,
    trials: Vec<Arc<FrozenTrial>>,
}

impl Case {
    fn read(case: &Value) -> Self {
        let space: Vec<(String, Distribution)> = case["space"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, may_be)| (name.clone(), distribution(may_be)))
            .collect();
        let directions =
            case["directions"].as_array().unwrap().iter().map(|direction| match direction.as_str() {
                Some("maximize") => Direction::Maximize,
                _ => Direction::Minimize,
            });
        let trial = |(number, row): (usize, &Value)| {
            let params = space
                .iter()
                .zip(numbers(&row["params"]))
                .map(|((name, may_be), value)| (name.clone(), Param { distribution: may_be.clone(), value }));
            let constraints = row["constraints"].as_array().into_iter().flatten().enumerate();
            let reports = row["reports"].as_array().unwrap().iter();
            Arc::new(FrozenTrial {
                id: TrialId(number as i64),
                number: number as u64,
                state: match row["state"].as_str().unwrap() {
                    "complete" => TrialState::Complete,
                    "pruned" => TrialState::Pruned,
                    "running" => TrialState::Running,
                    _ => TrialState::Fail,
                },
                values: row["values"].as_array().map(|values| values.iter().map(python_float).collect()),
                params: params.collect(),
                intermediate: reports
                    .map(|report| (report[0].as_i64().unwrap(), python_float(&report[1])))
                    .collect(),
                user_attributes: Default::default(),
                system_attributes: constraints
                    .map(|(place, value)| {
                        (format!("constraints:c{place}"), RawJson::from_number(value.as_f64().unwrap()))
                    })
                    .collect(),
                started: None,
                completed: None,
            })
        };
        Self {
            name: case["name"].as_str().unwrap().to_owned(),
            directions: directions.collect(),
            trials: case["trials"].as_array().unwrap().iter().enumerate().map(trial).collect(),
            space,
        }
    }

    fn axes(&self) -> Vec<Axis> {
        self.space.iter().map(|(_, may_be)| Axis::of(may_be)).collect()
    }

    fn row(&self, trial: &FrozenTrial) -> (u64, Vec<f64>) {
        let place = |(name, may_be): &(String, Distribution)| {
            Axis::of(may_be).place(trial.params[name].value).unwrap()
        };
        (trial.number, self.space.iter().map(place).collect())
    }
}

#[test]
fn good_trials_are_those_of_optuna() {
    for value in golden()["cases"].as_array().unwrap() {
        let case = Case::read(value);
        let good: Vec<u64> =
            value["good"].as_array().unwrap().iter().map(|number| number.as_u64().unwrap()).collect();
        // Whatever the order in which they became known.
        let backwards: Vec<_> = case.trials.iter().rev().cloned().collect();
        for trials in [&case.trials, &backwards] {
            let mut ranking = Ranking::new(&case.directions);
            trials.iter().for_each(|trial| ranking.take_in(trial));
            assert_eq!(ranking.below(), good, "{}", case.name);
        }
    }
}

#[test]
fn weights_widths_and_log_densities_are_those_of_optuna() {
    for value in golden()["cases"].as_array().unwrap() {
        let case = Case::read(value);
        let good: Vec<u64> =
            value["good"].as_array().unwrap().iter().map(|number| number.as_u64().unwrap()).collect();
        let points: Vec<Vec<f64>> = value["points"].as_array().unwrap().iter().map(numbers).collect();
        let several = case.directions.len() > 1;
        for side in ["below", "above"] {
            let rows = || {
                let members = case.trials.iter().filter(|trial| match side {
                    "below" => good.contains(&trial.number),
                    _ => !good.contains(&trial.number) && trial.state != TrialState::Fail,
                });
                members.map(|trial| case.row(trial))
            };
            let weighting = if several && side == "below" { Weighting::Equal } else { Weighting::LatestMost };
            let mut at_once = Mixture::new(&case.axes(), weighting);
            at_once.insert(rows().collect());
            let mut one_by_one = Mixture::new(&case.axes(), weighting);
            rows().for_each(|row| one_by_one.insert(vec![row]));
            for (how, mixture) in [("at once", at_once), ("one by one", one_by_one)] {
                let what = |part: &str| format!("{} {side} {how}: {part}", case.name);
                close(&what("weights"), &mixture.weights(), &numbers(&value[side]["weights"]));
                for (axis, widths) in value[side]["widths"].as_array().unwrap().iter().enumerate() {
                    close(&what("widths"), &mixture.widths(axis), &numbers(widths));
                }
                close(
                    &what("log densities"),
                    &mixture.log_densities(&points),
                    &numbers(&value[side]["log_densities"]),
                );
            }
        }
    }
}

#[test]
fn the_normal_distribution_holds_far_out() {
    let golden = &golden()["normal"];
    let rows = |name: &str| golden[name].as_array().unwrap().iter().map(numbers).collect::<Vec<_>>();
    for row in rows("ln_cdf") {
        let error = (normal::ln_cdf(row[0]) - row[1]).abs() / row[1].abs();
        assert!(error < 1e-13, "ln Φ({}) is {}, {} expected", row[0], normal::ln_cdf(row[0]), row[1]);
    }
    for row in rows("ln_mass") {
        let ours = normal::ln_mass(row[0], row[1]);
        assert!((ours - row[2]).abs() < 1e-12 * row[2].abs().max(1.0), "{row:?}: {ours}");
    }
    for row in rows("quantile") {
        let ours = normal::cut_quantile(row[0], row[1], row[2]);
        assert!((ours - row[3]).abs() < 1e-8 * row[3].abs().max(0.01), "{row:?}: {ours}");
    }
}
