use super::{CategoricalDistribution, Distribution, FloatDistribution, IntDistribution};
use crate::Choice;

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
