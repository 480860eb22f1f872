//! The run that the parts of a study, a walk or a sweep hang under: one for all of them, whoever comes first, and running
//! as long as one of them is.
//!
//! The server gives no name twice to an experiment, but as many runs of one name as are asked for, so workers that start
//! together agree among themselves. Each that finds none makes one and looks again. One that sees its own alone settles
//! it by a tag, and a settled one is everybody's. Of several that nobody settled, those behind the first withdraw, and the
//! first waits for that: another may have seen itself alone before the first was there, and be about to settle.

use std::collections::BTreeMap;
use std::thread::sleep;
use std::time::Duration;

use serde_json::json;

use super::client::Client;
use super::{PARENT_KEY, PART_OF, milliseconds, place, written};
use crate::{Parent, RunFacts, SinkFault};

/// The tag of the one that is everybody's.
const SETTLED: &str = "tapeline.settled";
/// Between two looks at what the others do.
const PAUSE: Duration = Duration::from_millis(100);
/// How many looks, some ten seconds, one that made a run and did not settle it may take. More, and it died.
const PATIENCE: u32 = 100;

/// The id of the run that parts of `parent` hang under.
pub(super) fn find_or_create(
    client: &Client,
    experiment_id: &str,
    parent: &Parent,
    facts: &RunFacts,
) -> Result<String, SinkFault> {
    let key = written::findable(&format!("{}/{}/{}", facts.experiment, parent.kind, parent.id));
    let mut own: Option<String> = None;
    let mut looks = 0;
    loop {
        let mut found = place::search(client, experiment_id, PARENT_KEY, &key)?;
        found.sort_by(|one, other| one.place.run_id.cmp(&other.place.run_id));
        if let Some(settled) = found.iter().find(|found| found.tags.contains_key(SETTLED)) {
            let settled = settled.place.run_id.clone();
            match own {
                Some(own) if own != settled => delete(client, &own)?,
                _ => {}
            }
            return Ok(settled);
        }
        looks += 1;
        let lost_patience = looks > PATIENCE;
        let first = found.first().map(|found| &found.place.run_id);
        match (&own, first) {
            (None, None) => {
                let mut tags: BTreeMap<String, String> = place::run_tags(facts);
                tags.remove("tapeline.folder");
                tags.insert(PARENT_KEY.into(), key.clone());
                tags.insert("tapeline.kind".into(), parent.kind.clone());
                own = Some(place::create(client, experiment_id, &parent.id, facts, &tags)?.run_id);
                continue;
            }
            (Some(own), Some(first)) if own == first && found.len() == 1 => settle(client, first)?,
            (_, Some(first)) if lost_patience => settle(client, first)?,
            (Some(mine), Some(first)) if mine != first => {
                delete(client, mine)?;
                own = None;
            }
            _ => {}
        }
        sleep(PAUSE);
    }
}

fn settle(client: &Client, run_id: &str) -> Result<(), SinkFault> {
    let tag = json!({ "run_id": run_id, "key": SETTLED, "value": "true" });
    client.post("runs/set-tag", &tag).map(drop).map_err(Into::into)
}

fn delete(client: &Client, run_id: &str) -> Result<(), SinkFault> {
    client.post("runs/delete", &json!({ "run_id": run_id })).map(drop).map_err(Into::into)
}

/// Says that a part of the run `run_id` runs.
pub(super) fn begin(client: &Client, run_id: &str) -> Result<(), SinkFault> {
    update(client, &json!({ "run_id": run_id, "status": "RUNNING" }))
}

/// Says that it ended, at the time `at`, unless another part of it runs.
pub(super) fn end_unless_running(
    client: &Client,
    experiment_id: &str,
    run_id: &str,
    at: Option<&str>,
) -> Result<(), SinkFault> {
    let parts = place::search(client, experiment_id, PART_OF, run_id)?;
    if parts.iter().any(|part| part.status == "RUNNING") {
        return Ok(());
    }
    let mut body = json!({ "run_id": run_id, "status": "FINISHED" });
    if let Some(at) = at {
        body["end_time"] = milliseconds(at)?.into();
    }
    update(client, &body)
}

/// A parent that somebody deleted by hand is no fault of its parts.
fn update(client: &Client, body: &serde_json::Value) -> Result<(), SinkFault> {
    match client.post("runs/update", body) {
        Ok(_) => Ok(()),
        Err(answer) => answer.unless(&["RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"]),
    }
}
