//! What a dead trial tried, queued again.

use crate::seen::SEEN;
use crate::trial::FIXED;
use crate::{FrozenTrial, NewTrial, RawJson, TrialState};

/// The system attribute with the number of the first trial that tried it.
const FIRST: &str = "failed_trial";
/// The system attribute with the numbers of all that tried it.
const ALL: &str = "retry_history";

/// A queued copy of `trial`, unless it was tried again `retries` times already. It fixes the parameters that are known, and
/// keeps the joint sample, so that it asks for what the dead one asked for.
pub(super) fn of(trial: &FrozenTrial, retries: usize) -> Option<NewTrial> {
    let mut tried: Vec<u64> = trial
        .system_attributes
        .get(ALL)
        .and_then(|raw| serde_json::from_str(raw.as_str()).ok())
        .unwrap_or_default();
    if tried.len() >= retries {
        return None;
    }
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
    Some(again)
}
