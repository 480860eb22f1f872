use super::{Assembly, Author, TrialRow};
use crate::{HpoError, RowFault, TrialState};

const FLOAT: &str = r#"{"name": "FloatDistribution", "attributes": {"low": 0.0, "high": 1.0}}"#;
const CHOICES: &str = r#"{"name": "CategoricalDistribution", "attributes": {"choices": ["a", "b"]}}"#;

fn row(id: i64, number: Option<i64>, state: &str) -> TrialRow<'_> {
    TrialRow { id, number, state, started: Ok(None), completed: Ok(None) }
}

#[test]
fn rows_in_any_order_make_trials() {
    let mut assembly = Assembly::new(2);
    assembly.trial(row(3, Some(0), "COMPLETE"));
    assembly.trial(row(8, Some(1), "RUNNING"));
    assembly.param(1, 8, Some("x"), Some(0.5), Some(FLOAT));
    assembly.value(1, 3, 1, None, "INF_NEG");
    assembly.value(2, 3, 0, Some(1.0), "FINITE");
    assembly.param(2, 3, Some("c"), Some(1.0), Some(CHOICES));
    assembly.report(1, 8, 2, None, "NAN");
    assembly.attribute(Author::System, 1, 3, Some("k"), Some("NaN"));
    // Of a trial that is not asked for.
    assembly.param(3, 5, Some("x"), None, None);
    let trials = assembly.finish("here").unwrap();
    assert_eq!(trials[0].values, Some(vec![1.0, f64::NEG_INFINITY]));
    assert_eq!(trials[0].params["c"].value, 1.0);
    assert_eq!(trials[0].system_attributes["k"].as_str(), "NaN");
    assert_eq!(trials[1].state, TrialState::Running);
    assert!(trials[1].intermediate[&2].is_nan());
}

#[test]
fn every_row_that_cannot_be_read_is_named() {
    let mut assembly = Assembly::new(1);
    assembly.trial(row(1, Some(0), "RUNNING"));
    assembly.trial(row(2, None, "RUNNING"));
    assembly.trial(row(3, Some(2), "complete"));
    assembly.trial(TrialRow { started: Err("datetime_start is 7".to_owned()), ..row(4, Some(3), "FAIL") });
    assembly.trial(row(5, Some(4), "COMPLETE"));
    assembly.param(11, 1, Some("x"), Some(0.5), Some("{}"));
    assembly.param(12, 1, Some("c"), Some(2.0), Some(CHOICES));
    assembly.value(13, 1, 0, None, "FINITE");
    assembly.report(14, 1, 0, Some(1.0), "NAN");
    assembly.attribute(Author::User, 15, 1, Some("u"), Some("not json"));
    let Err(HpoError::Rows { storage, faults }) = assembly.finish("here") else {
        panic!("nothing was named")
    };
    let named: Vec<(&str, i64)> = faults.iter().map(|RowFault { table, row, .. }| (*table, *row)).collect();
    let expected = [
        ("trials", 2),
        ("trials", 3),
        ("trials", 4),
        ("trial_params", 11),
        ("trial_params", 12),
        ("trial_values", 13),
        ("trial_intermediate_values", 14),
        ("trial_user_attributes", 15),
        ("trials", 5),
    ];
    assert_eq!(named, expected);
    let message = HpoError::Rows { storage, faults }.to_string();
    assert!(message.contains("row 12 of trial_params"), "{message}");
    assert!(message.contains("index of one of its 2 choices"), "{message}");
}
