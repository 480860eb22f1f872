//! What is about to be written, checked: one bad row makes a whole study unreadable to Optuna.

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use crate::json::JsonValue;
use crate::storage::encoding::LONGEST_NAME;
use crate::{Direction, Distribution, HpoError, NewTrial, Param, RawJson, StudyId, TrialChange};

fn refuse<T>(what: String, fault: impl Into<String>) -> Result<T, HpoError> {
    Err(HpoError::Unstorable { what, fault: fault.into() })
}

fn check_name(what: &str, name: &str) -> Result<(), HpoError> {
    let length = name.chars().count();
    if length > LONGEST_NAME {
        let start: String = name.chars().take(40).collect();
        return refuse(
            format!("{what} {start:?}…"),
            format!("it has {length} characters, {LONGEST_NAME} are the most"),
        );
    }
    if name.contains('\0') {
        return refuse(format!("{what} {name:?}"), "a database holds no NUL character: leave it out");
    }
    Ok(())
}

/// A study that is to be.
pub(crate) fn check_study(name: &str, directions: &[Direction]) -> Result<(), HpoError> {
    check_name("study", name)?;
    if directions.is_empty() {
        return refuse(format!("study {name:?}"), "it has no objective: give it a direction for each");
    }
    Ok(())
}

pub(crate) fn check_attribute(key: &str, value: &RawJson) -> Result<(), HpoError> {
    check_name("attribute", key)?;
    match JsonValue::check(value.as_str()) {
        // A raw NUL would have been a fault of JSON already.
        Ok(()) => Ok(()),
        Err(fault) => refuse(format!("attribute {key:?}"), fault.to_string()),
    }
}

pub(crate) fn check_param(name: &str, param: &Param) -> Result<Distribution, HpoError> {
    check_name("parameter", name)?;
    let value = param.value;
    let distribution = match &param.distribution {
        // Choices that Python calls equal are read from Optuna's studies, so a copy of their trials is written as well.
        Distribution::Categorical(categories) if !categories.choices.is_empty() => param.distribution.clone(),
        other => other.clone().check(name)?,
    };
    match &distribution {
        Distribution::Categorical(categories) if !distribution.contains(value) => refuse(
            format!("{value} for parameter {name:?}"),
            format!("it is the index of none of its {} choices", categories.choices.len()),
        ),
        Distribution::Int(_) if value.fract() != 0.0 => {
            refuse(format!("{value} for parameter {name:?}"), "an integer is due")
        }
        // Ends are no fault: what a user fixed may lie outside of them.
        _ if !value.is_finite() => {
            refuse(format!("{value} for parameter {name:?}"), "a finite number is due")
        }
        _ => Ok(distribution),
    }
}

/// The parameters of a trial that is to be changed are checked one by one, since a storage compares them with the study's.
pub(crate) fn check_changes(changes: &[TrialChange]) -> Result<(), HpoError> {
    changes.iter().try_for_each(|change| match change {
        TrialChange::Param { name, param } => check_param(name, param).map(drop),
        TrialChange::Report { .. } => Ok(()),
        TrialChange::UserAttribute { key, value } | TrialChange::SystemAttribute { key, value } => {
            check_attribute(key, value)
        }
    })
}

/// A new trial but for its values and state, as the changes that make it of an empty one.
pub(crate) fn as_changes(trial: &NewTrial) -> Vec<TrialChange> {
    let params = trial
        .params
        .iter()
        .map(|(name, param)| TrialChange::Param { name: name.clone(), param: param.clone() });
    let reports =
        trial.intermediate.iter().map(|(step, value)| TrialChange::Report { step: *step, value: *value });
    let user = trial.user_attributes.iter().map(|(key, value)| (key.clone(), value.clone()));
    let system = trial.system_attributes.iter().map(|(key, value)| (key.clone(), value.clone()));
    params
        .chain(reports)
        .chain(user.map(|(key, value)| TrialChange::UserAttribute { key, value }))
        .chain(system.map(|(key, value)| TrialChange::SystemAttribute { key, value }))
        .collect()
}

/// What the parameters of studies were when they were first seen. Kind, axis and choices never change within a study, so
/// what was once read need not be read again.
#[derive(Default)]
pub(crate) struct KnownParams(HashMap<(StudyId, String), (Distribution, u64)>);

impl KnownParams {
    pub(crate) fn get(&self, study: StudyId, name: &str) -> Option<&(Distribution, u64)> {
        self.0.get(&(study, name.to_owned()))
    }

    /// Remembers that trial `number` of the study has the parameter.
    pub(crate) fn remember(&mut self, study: StudyId, name: &str, distribution: Distribution, number: u64) {
        self.0.insert((study, name.to_owned()), (distribution, number));
    }

    pub(crate) fn forget(&mut self, study: StudyId) {
        self.0.retain(|(of, _), _| *of != study);
    }
}

/// Whether `now` may stand where `earlier` stood in trial `number`.
pub(crate) fn check_agreement(
    name: &str,
    earlier: &Distribution,
    number: u64,
    now: &Distribution,
) -> Result<(), HpoError> {
    if earlier.agrees_with(now) {
        return Ok(());
    }
    Err(HpoError::Disagrees { name: name.to_owned(), number, earlier: earlier.to_json(), now: now.to_json() })
}
