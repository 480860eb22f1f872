//! What a trial tried that came to nothing, queued again.

use serde::de::DeserializeOwned;

use crate::seen::SEEN;
use crate::trial::FIXED;
use crate::{FrozenTrial, NewTrial, RawJson, TrialState};

/// The system attribute with the number of the first trial that tried it.
const FIRST: &str = "failed_trial";
/// The system attribute with the numbers of all that tried it.
const ALL: &str = "retry_history";

/// The system attribute with how many of those ended for no fault of their own.
const INTERRUPTED: &str = "tapeline:interrupted";

/// A queued copy of a trial whose worker died, unless it was tried again `retries` times already.
pub(super) fn of_dead(trial: &FrozenTrial, retries: usize) -> Option<NewTrial> {
    let (tried, interrupted): (Vec<u64>, usize) = (noted(trial, ALL), noted(trial, INTERRUPTED));
    (tried.len().saturating_sub(interrupted) < retries).then(|| copy(trial))
}

/// A queued copy of a trial that was interrupted, however often that happened.
pub(super) fn of_interrupted(trial: &FrozenTrial) -> NewTrial {
    let interrupted = noted::<usize>(trial, INTERRUPTED).saturating_add(1);
    let mut again = copy(trial);
    again.system_attributes.insert(INTERRUPTED.to_owned(), RawJson::from_text(interrupted.to_string()));
    again
}

fn noted<T: DeserializeOwned + Default>(trial: &FrozenTrial, key: &str) -> T {
    let raw = trial.system_attributes.get(key);
    raw.and_then(|raw| serde_json::from_str(raw.as_str()).ok()).unwrap_or_default()
}

/// It fixes the parameters that are known, and keeps the joint sample, so that it asks for what the first one asked for.
fn copy(trial: &FrozenTrial) -> NewTrial {
    let mut tried: Vec<u64> = noted(trial, ALL);
    tried.push(trial.number);
    let mut again = NewTrial::in_state(TrialState::Waiting);
    again.user_attributes = trial.user_attributes.clone();
    again.user_attributes.remove("fail_reason");
    again.params = trial.params.clone();
    again.system_attributes = trial.system_attributes.clone();
    again.system_attributes.remove(SEEN);
    again.system_attributes.retain(|key, _| !key.starts_with("completed_rung_"));
    if !trial.params.is_empty() && !again.system_attributes.contains_key(FIXED) {
        let fixed = trial
            .params
            .iter()
            .filter_map(|(name, param)| Some((name.clone(), param.distribution.external(param.value)?)));
        again.system_attributes.insert(FIXED.to_owned(), super::fixed_json(&fixed.collect()));
    }
    let first = RawJson::from_text(trial.number.to_string());
    again.system_attributes.entry(FIRST.to_owned()).or_insert(first);
    again.system_attributes.insert(ALL.to_owned(), RawJson::from_text(format!("{tried:?}")));
    again
}
