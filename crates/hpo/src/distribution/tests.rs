use super::{CategoricalDistribution, Distribution, FloatDistribution, IntDistribution};
use crate::sampler::uniform;
use crate::{Choice, TrialRandom};

#[test]
fn the_upper_end_is_lowered_to_the_grid() {
    for (distribution, high) in [
        (Distribution::from(FloatDistribution::stepped(0.0, 1.0, 0.3)), 0.9),
        (FloatDistribution::stepped(0.0, 0.3, 0.1).into(), 0.3),
        (IntDistribution::stepped(1, 10, 4).into(), 9.0),
        (IntDistribution::new(-3, 10).into(), 10.0),
    ] {
        let checked = distribution.clone().check("x").unwrap();
        let found = match checked {
            Distribution::Float(float) => float.high,
            Distribution::Int(int) => int.high as f64,
            Distribution::Categorical(_) => f64::NAN,
        };
        assert!((found - high).abs() < 1e-12, "{distribution:?} ends at {found}");
    }
}

#[test]
fn what_makes_no_sense_is_refused_with_its_name() {
    for (distribution, fault) in [
        (Distribution::from(FloatDistribution::new(f64::NEG_INFINITY, 1.0)), "must be finite"),
        (FloatDistribution::new(0.0, f64::NAN).into(), "must be finite"),
        (FloatDistribution::new(1.0, 0.0).into(), "low 1 is above high 0"),
        (FloatDistribution::log(0.0, 1.0).into(), "above 0"),
        (
            FloatDistribution { log: true, ..FloatDistribution::stepped(0.1, 1.0, 0.1) }.into(),
            "cannot have a step",
        ),
        (FloatDistribution::stepped(0.0, 1.0, 0.0).into(), "step must be above 0"),
        (IntDistribution::new(2, 1).into(), "low 2 is above high 1"),
        (IntDistribution::log(0, 1).into(), "at least 1"),
        (IntDistribution::stepped(0, 1, 0).into(), "step must be at least 1"),
        (IntDistribution::new(0, i64::MAX).into(), "2^53"),
        (CategoricalDistribution { choices: vec![] }.into(), "no choices"),
        (CategoricalDistribution { choices: vec![Choice::Int(1), Choice::Bool(true)] }.into(), "twice"),
    ] {
        let error = distribution.check("rate").unwrap_err().to_string();
        assert!(error.contains("\"rate\"") && error.contains(fault), "{fault}: {error}");
    }
}

#[test]
fn values_go_out_and_come_back() {
    let choices =
        vec![Choice::from("a"), Choice::Null, Choice::Bool(true), Choice::Int(3), Choice::Float(2.5)];
    let categories = Distribution::from(CategoricalDistribution { choices });
    for index in 0..5 {
        let choice = categories.external(f64::from(index)).unwrap();
        assert_eq!(categories.internal(&choice), Some(f64::from(index)));
    }
    assert_eq!(categories.internal(&Choice::Int(1)), Some(2.0), "true is 1 in Python");
    assert_eq!(categories.internal(&Choice::Float(3.0)), Some(3.0));
    assert_eq!((categories.external(5.0), categories.external(0.5)), (None, None));
    assert!(!categories.contains(-1.0) && !categories.contains(f64::NAN));

    let grid = Distribution::from(FloatDistribution::stepped(0.0, 0.3, 0.1));
    assert!(grid.contains(0.1 * 2.0) && grid.contains(0.3) && !grid.contains(0.25));
    let even = Distribution::from(IntDistribution::stepped(2, 8, 2));
    assert!(even.contains(4.0) && !even.contains(5.0) && !even.contains(10.0) && !even.contains(4.5));
    assert_eq!(even.internal(&Choice::Float(4.0)), Some(4.0));
    assert_eq!(even.internal(&Choice::Float(4.5)), None);
    assert_eq!(grid.internal(&Choice::Text("x".to_owned())), None);
}

/// `low`, `high`, `step`, and the `high` of `optuna.distributions.FloatDistribution(low, high, step=step)`, 5.0.0 and 4.9.0.
#[rustfmt::skip]
const ENDS: [(f64, f64, f64, f64); 28] = [
    (0.0, 1.0, 0.3, 0.9),
    (0.0, 0.3, 0.1, 0.3),
    (0.0, 0.35, 0.1, 0.3),
    (0.0, 1.0, 0.1, 1.0),
    (0.0, 0.8999999999999999, 0.3, 0.6),
    (0.0, 0.30000000000000004, 0.1, 0.3),
    (0.1, 1.0, 0.2, 0.9),
    (-1.0, 1.0, 0.3, 0.8),
    (-0.35, 0.4, 0.05, 0.4),
    (1000000.0, 1000001.0, 0.001, 1000001.0),
    (1000000.0, 1000001.0005, 0.001, 1000001.0),
    (0.0, 1.0, 0.3333333333333333, 0.9999999999999999),
    (0.0, 1.0, 0.6666666666666666, 0.6666666666666666),
    (0.0, 1.0, 0.7, 0.7),
    (0.0, 2.0, 3.0, 0.0),
    (1e-05, 0.001, 3e-05, 0.001),
    (0.0, 1e+16, 0.3, 1e+16),
    (0.1, 0.7, 0.2, 0.7),
    (1.0, 10.0, 0.35, 9.75),
    (0.0, 100.0, 1.1, 99.0),
    (0.5, 2.5, 0.15, 2.45),
    (-1e-07, 1e-07, 3e-08, 8e-08),
    (1000000000000000.0, 1000000000000007.0, 2.5, 1000000000000005.0),
    (2.5, 2.5, 0.1, 2.5),
    (0.001, 0.999, 0.007, 0.995),
    (0.0, 3.3, 1.1, 3.3),
    (1.0, 2.0, 0.0001, 2.0),
    (0.1, 0.30000000000000004, 0.1, 0.3),
];

fn checked(low: f64, high: f64, step: f64) -> FloatDistribution {
    match Distribution::from(FloatDistribution::stepped(low, high, step)).check("x") {
        Ok(Distribution::Float(float)) => float,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_grid_of_floats_ends_where_optuna_ends_it() {
    for (low, high, step, end) in ENDS {
        assert_eq!(checked(low, high, step).high, end, "{low} to {high} by {step}");
    }
}

#[test]
fn an_end_that_was_lowered_is_not_lowered_again() {
    let fine = [(0.0, 1.0, 0.1234567890123456), (-7.3, 9.1, 0.3141592653589793), (1e-300, 1e300, 1e299)];
    for (low, high, step) in ENDS.map(|(low, high, step, _)| (low, high, step)).into_iter().chain(fine) {
        let once = checked(low, high, step);
        assert_eq!(checked(low, once.high, step), once);
        let stored = Distribution::from(once).to_json();
        assert_eq!(Distribution::from_json(&stored), Ok(once.into()), "{stored}");
    }
}

#[test]
fn every_draw_is_a_value_of_its_grid() {
    for (low, high, step, _) in ENDS {
        let distribution = Distribution::from(checked(low, high, step));
        let mut random = TrialRandom::of(5, 0);
        for _ in 0..500 {
            let value = uniform(&distribution, &mut random);
            assert!(distribution.contains(value), "{value} of {distribution:?}");
        }
        assert!(distribution.contains(low) && !distribution.contains(f64::NAN), "{distribution:?}");
        // At 1e16 a step of 0.3 is too small to be taken.
        let beyond = [low - step, high + step].into_iter().filter(|value| !(low..=high).contains(value));
        for value in beyond {
            assert!(!distribution.contains(value), "{value} of {distribution:?}");
        }
    }
    let fine = Distribution::from(FloatDistribution::stepped(1e6, 1e6 + 1.0, 1e-3));
    assert!(!fine.contains(1e6 + 0.0005));
}
