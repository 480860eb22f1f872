use super::{direction_name, direction_of, float_columns, float_of, state_name, state_of};
use crate::{Direction, TrialState};

#[test]
fn floats_survive_their_columns() {
    for value in [0.0, -0.0, 1.5, f64::MAX, f64::MIN_POSITIVE, f64::INFINITY, f64::NEG_INFINITY, f64::NAN] {
        let (number, kind) = float_columns(value);
        assert_eq!(number.is_some(), value.is_finite(), "{value}");
        assert_eq!(float_of(number, kind).map(f64::to_bits), Ok(value.to_bits()), "{value}");
    }
}

#[test]
fn columns_that_contradict_each_other_say_what_to_do() {
    for (number, kind) in
        [(None, "FINITE"), (Some(1.0), "NAN"), (Some(1.0), "INF_POS"), (Some(1.0), "finite")]
    {
        let fault = float_of(number, kind).unwrap_err();
        assert!(fault.contains("make") || fault.contains("write"), "{fault}");
    }
}

#[test]
fn names_are_those_of_optuna() {
    use TrialState::{Complete, Fail, Pruned, Running, Waiting};
    for state in [Running, Complete, Pruned, Fail, Waiting] {
        assert_eq!(state_of(state_name(state)), Ok(state));
    }
    for direction in [Direction::Minimize, Direction::Maximize] {
        assert_eq!(direction_of(direction_name(direction)), Ok(direction));
    }
    assert!(state_of("complete").unwrap_err().contains("COMPLETE"));
    assert!(direction_of("NOT_SET").unwrap_err().contains("MINIMIZE"));
}
