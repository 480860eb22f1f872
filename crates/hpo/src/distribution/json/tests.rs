use crate::{CategoricalDistribution, Choice, Distribution, FloatDistribution, IntDistribution};

fn float(low: f64, high: f64, log: bool, step: Option<f64>) -> Distribution {
    Distribution::Float(FloatDistribution { low, high, log, step })
}

fn int(low: i64, high: i64, log: bool, step: i64) -> Distribution {
    Distribution::Int(IntDistribution { low, high, log, step })
}

#[test]
fn every_form_that_optuna_reads_is_read() {
    let long =
        |name: &str, attributes: &str| format!(r#"{{"name": "{name}", "attributes": {{{attributes}}}}}"#);
    let cases = [
        (
            long("FloatDistribution", r#""step": null, "low": 0.0, "high": 1.0, "log": false"#),
            float(0.0, 1.0, false, None),
        ),
        (long("FloatDistribution", r#""low": 0, "high": 1"#), float(0.0, 1.0, false, None)),
        (
            long("FloatDistribution", r#""low": 0, "high": 1.05, "step": 0.25"#),
            float(0.0, 1.0, false, Some(0.25)),
        ),
        (long("IntDistribution", r#""log": true, "step": 1, "low": 1, "high": 10"#), int(1, 10, true, 1)),
        (long("IntDistribution", r#""low": 0, "high": 10, "step": 3"#), int(0, 9, false, 3)),
        (long("UniformDistribution", r#""low": 0, "high": 2.0"#), float(0.0, 2.0, false, None)),
        (long("LogUniformDistribution", r#""low": 0.1, "high": 2.0"#), float(0.1, 2.0, true, None)),
        (
            long("DiscreteUniformDistribution", r#""low": 0.0, "high": 2.0, "q": 0.5"#),
            float(0.0, 2.0, false, Some(0.5)),
        ),
        (long("IntUniformDistribution", r#""low": 0, "high": 4, "step": 2"#), int(0, 4, false, 2)),
        (long("IntLogUniformDistribution", r#""low": 1, "high": 4, "step": 1"#), int(1, 4, true, 1)),
        (r#"{"type":"float","low":0,"high":1,"log":false}"#.to_owned(), float(0.0, 1.0, false, None)),
        (r#"{"type":"int","low":0,"high":1}"#.to_owned(), int(0, 1, false, 1)),
    ];
    for (text, expected) in cases {
        assert_eq!(Distribution::from_json(&text), Ok(expected), "{text}");
    }
    let text = r#"{"type":"categorical","choices":["a", null, true, 1, 2.5, NaN]}"#;
    let Ok(Distribution::Categorical(CategoricalDistribution { choices })) = Distribution::from_json(text)
    else {
        panic!("{text} is readable");
    };
    assert_eq!(choices[..3], [Choice::Text("a".into()), Choice::Null, Choice::Bool(true)]);
    assert_eq!(choices[3..5], [Choice::Int(1), Choice::Float(2.5)]);
    assert!(matches!(choices[5], Choice::Float(value) if value.is_nan()));
}

#[test]
fn what_is_written_is_read_again() {
    let choices = vec![Choice::Text("é".into()), Choice::Float(1.0), Choice::Int(1), Choice::Null];
    let all = [
        float(1e-5, 0.1, true, None),
        float(-1.0, 1.0, false, Some(0.5)),
        int(1, 1024, true, 1),
        int(-9, 9, false, 3),
        Distribution::Categorical(CategoricalDistribution { choices }),
    ];
    for distribution in all {
        let text = distribution.to_json();
        assert_eq!(Distribution::from_json(&text).as_ref(), Ok(&distribution), "{text}");
    }
}

#[test]
fn what_cannot_be_read_is_named() {
    let cases = [
        ("{", "not JSON"),
        ("{}", "neither a name nor a type"),
        (r#"{"name": "FloatDistribution"}"#, "no attributes"),
        (r#"{"name": "Float", "attributes": {}}"#, "no distribution named \"Float\""),
        (r#"{"name": "FloatDistribution", "attributes": {"low": 0}}"#, "has no high"),
        (
            r#"{"name": "FloatDistribution", "attributes": {"low": 0, "high": 1, "x": 1}}"#,
            "no attribute \"x\"",
        ),
        (r#"{"name": "FloatDistribution", "attributes": {"low": 2, "high": 1}}"#, "above"),
        (
            r#"{"name": "IntDistribution", "attributes": {"low": 0.5, "high": 1}}"#,
            "low of IntDistribution is no whole",
        ),
        (r#"{"name": "CategoricalDistribution", "attributes": {"choices": []}}"#, "no choices"),
        (r#"{"name": "CategoricalDistribution", "attributes": {"choices": 1}}"#, "no list of choices"),
    ];
    for (text, expected) in cases {
        let fault = Distribution::from_json(text).unwrap_err();
        assert!(fault.contains(expected), "{text}: {fault}");
    }
}

/// As they were stored when ends were computed in floats, with the values that were drawn.
#[test]
fn an_end_that_misses_its_point_by_rounding_keeps_it() {
    for (high, step, end) in [("0.8999999999999999", "0.3", 0.9), ("0.30000000000000004", "0.1", 0.3)] {
        let text = format!(
            r#"{{"name": "FloatDistribution", "attributes": {{"step": {step}, "low": 0.0, "high": {high}, "log": false}}}}"#
        );
        let read = Distribution::from_json(&text).unwrap();
        assert_eq!(read, float(0.0, end, false, step.parse().ok()));
        assert!(read.contains(high.parse().unwrap()) && read.contains(end), "{text}");
    }
}
