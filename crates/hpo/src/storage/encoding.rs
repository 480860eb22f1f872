//! How the columns of Optuna's schema say what they say.

#[cfg(test)]
mod tests;

use crate::{Direction, TrialState};

/// The version that all rows are written for: the schema of Optuna since 3.2.
pub(crate) const SCHEMA_VERSION: i32 = 12;
/// The same, as Optuna's migrations name it; this is what it compares when it opens a storage.
pub(crate) const REVISION: &str = "v3.2.0.a";
/// Names of parameters, keys of attributes and names of studies are no longer than this, in characters.
pub(crate) const LONGEST_NAME: usize = 512;

pub(crate) const fn state_name(state: TrialState) -> &'static str {
    match state {
        TrialState::Running => "RUNNING",
        TrialState::Complete => "COMPLETE",
        TrialState::Pruned => "PRUNED",
        TrialState::Fail => "FAIL",
        TrialState::Waiting => "WAITING",
    }
}

pub(crate) fn state_of(name: &str) -> Result<TrialState, String> {
    Ok(match name {
        "RUNNING" => TrialState::Running,
        "COMPLETE" => TrialState::Complete,
        "PRUNED" => TrialState::Pruned,
        "FAIL" => TrialState::Fail,
        "WAITING" => TrialState::Waiting,
        _ => {
            return Err(format!(
                "state is {name:?}: make it one of RUNNING, COMPLETE, PRUNED, FAIL and WAITING"
            ));
        }
    })
}

pub(crate) const fn direction_name(direction: Direction) -> &'static str {
    match direction {
        Direction::Minimize => "MINIMIZE",
        Direction::Maximize => "MAXIMIZE",
    }
}

pub(crate) fn direction_of(name: &str) -> Result<Direction, String> {
    match name {
        "MINIMIZE" => Ok(Direction::Minimize),
        "MAXIMIZE" => Ok(Direction::Maximize),
        _ => Err(format!("direction is {name:?}: make it MINIMIZE or MAXIMIZE")),
    }
}

/// A float as its two columns: what databases cannot hold, or do not order, is a kind without a number.
pub(crate) const fn float_columns(value: f64) -> (Option<f64>, &'static str) {
    if value.is_nan() {
        (None, "NAN")
    } else if value == f64::INFINITY {
        (None, "INF_POS")
    } else if value == f64::NEG_INFINITY {
        (None, "INF_NEG")
    } else {
        (Some(value), "FINITE")
    }
}

/// The float that two columns hold. A number beside a kind that has none is a fault, as it is for Optuna; an infinite number
/// of the kind `FINITE` is not, as some write it.
pub(crate) fn float_of(number: Option<f64>, kind: &str) -> Result<f64, String> {
    match (kind, number) {
        ("FINITE", Some(number)) => Ok(number),
        ("INF_POS", None) => Ok(f64::INFINITY),
        ("INF_NEG", None) => Ok(f64::NEG_INFINITY),
        ("NAN", None) => Ok(f64::NAN),
        ("FINITE", None) => {
            Err("its kind is FINITE and its value NULL: write the value, or another kind".to_owned())
        }
        ("INF_POS" | "INF_NEG" | "NAN", Some(number)) => {
            Err(format!("its kind is {kind} and its value {number}: make the value NULL, or the kind FINITE"))
        }
        _ => Err(format!("its kind is {kind:?}: make it one of FINITE, INF_POS, INF_NEG and NAN")),
    }
}
