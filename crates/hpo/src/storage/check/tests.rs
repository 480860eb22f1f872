use super::{check_attribute, check_param, check_study};
use crate::{
    CategoricalDistribution, Choice, Direction, Distribution, FloatDistribution, HpoError, IntDistribution,
    Param, RawJson,
};

fn refused<T: std::fmt::Debug>(result: Result<T, HpoError>, expected: &str) {
    let message = result.unwrap_err().to_string();
    assert!(message.contains(expected), "{message}");
}

#[test]
fn what_the_schema_cannot_hold_is_refused() {
    let float = |value| Param { distribution: FloatDistribution::new(0.0, 1.0).into(), value };
    refused(check_param("x", &float(f64::NAN)), "a finite number is due");
    refused(check_param(&"x".repeat(513), &float(0.5)), "513 characters");
    refused(check_param("a\0b", &float(0.5)), "NUL");
    let upside_down = Param { distribution: FloatDistribution::new(2.0, 1.0).into(), value: 1.0 };
    refused(check_param("x", &upside_down), "above");
    let int = Param { distribution: IntDistribution::new(0, 5).into(), value: 0.5 };
    refused(check_param("n", &int), "an integer is due");
    let choices = vec![Choice::Bool(true), Choice::Int(1)];
    let category = |value| {
        let choices = choices.clone();
        Param { distribution: Distribution::Categorical(CategoricalDistribution { choices }), value }
    };
    refused(check_param("c", &category(2.0)), "none of its 2 choices");
    refused(check_param("c", &category(0.5)), "none of its 2 choices");
    refused(check_attribute("k", &RawJson::from_text("not json")), "not JSON");
    refused(check_study("", &[]), "no objective");
    check_attribute("k", &RawJson::from_text("[NaN, 1e400]")).unwrap();
    check_study("é", &[Direction::Minimize]).unwrap();
    // Equal to Python, and in its studies all the same.
    check_param("c", &category(1.0)).unwrap();
    // What users fixed may lie outside.
    check_param("x", &float(7.0)).unwrap();
}

#[test]
fn upper_ends_are_lowered_to_the_grid() {
    let param = Param { distribution: IntDistribution::stepped(0, 10, 3).into(), value: 9.0 };
    assert_eq!(check_param("n", &param).unwrap(), IntDistribution::stepped(0, 9, 3).into());
}
