//! The run on the server: found again or made, once, however often it is looked for.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::client::{Client, NoAnswer};
use super::{PART_OF, RUN_KEY, parent, written};
use crate::{RunFacts, SinkFault};

/// Where a run lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) experiment_id: String,
    pub(super) run_id: String,
    /// Where its files belong, such as `mlflow-artifacts:/1/abc/artifacts`.
    pub(super) artifact_uri: String,
    /// The run that it hangs under.
    pub(super) parent_run_id: Option<String>,
}

/// A run that a search found.
pub(super) struct Found {
    pub(super) place: Place,
    /// MLflow's word, such as `RUNNING`.
    pub(super) status: String,
    pub(super) tags: BTreeMap<String, String>,
}

/// The place of the run `run_id`; `None` when the server knows no such run.
pub(super) fn known(client: &Client, run_id: &str) -> Result<Option<Place>, SinkFault> {
    match client.get("runs/get", &[("run_id", run_id)]) {
        Ok(answer) => {
            if answer["run"]["info"]["lifecycle_stage"] == "deleted" {
                let words = format!("the run {run_id} was deleted on the server; restore it there");
                return Err(SinkFault::lasting(words));
            }
            place(&answer["run"]).map(Some)
        }
        Err(answer) if answer.is("RESOURCE_DOES_NOT_EXIST") => Ok(None),
        Err(answer) => Err(answer.into()),
    }
}

/// The place of the run that `facts` tell of: one that an earlier process made and could not note, else a new one.
pub(super) fn find_or_create(
    client: &Client,
    experiment: &str,
    facts: &RunFacts,
) -> Result<Place, SinkFault> {
    let experiment_id = experiment_id(client, experiment)?;
    let key = written::findable(&facts.key());
    if let Some(found) = search(client, &experiment_id, RUN_KEY, &key)?.into_iter().next() {
        return Ok(found.place);
    }
    let mut tags = run_tags(facts);
    tags.insert(RUN_KEY.into(), key);
    if let Some(parent) = &facts.parent {
        let parent = parent::find_or_create(client, &experiment_id, parent, facts)?;
        tags.insert(PART_OF.into(), parent);
    }
    create(client, &experiment_id, &facts.run_id, facts, &tags)
}

/// The tags that every run has.
pub(super) fn run_tags(facts: &RunFacts) -> BTreeMap<String, String> {
    let mut tags = facts.tags.clone();
    tags.insert("mlflow.user".into(), facts.user.clone());
    tags.insert("mlflow.source.name".into(), "tapeline".into());
    tags.insert("mlflow.source.type".into(), "LOCAL".into());
    tags.insert("tapeline.host".into(), facts.host.clone());
    tags.insert("tapeline.folder".into(), facts.folder.display().to_string());
    if let Some(commit) = facts.tags.get("tapeline.commit").filter(|commit| *commit != "unknown") {
        tags.insert("mlflow.source.git.commit".into(), commit.clone());
    }
    tags
}

/// Makes a run.
pub(super) fn create(
    client: &Client,
    experiment_id: &str,
    name: &str,
    facts: &RunFacts,
    tags: &BTreeMap<String, String>,
) -> Result<Place, SinkFault> {
    let tags: Vec<Value> =
        tags.iter().map(|(key, value)| written::entry(key, &written::tag(value))).collect();
    let body = json!({
        "experiment_id": experiment_id,
        "run_name": name,
        "start_time": super::milliseconds(&facts.created)?,
        "tags": tags,
    });
    let answer = client.post("runs/create", &body).map_err(SinkFault::from)?;
    place(&answer["run"])
}

/// All runs whose tag `key` is `value`, which is [`written::findable`], oldest first.
pub(super) fn search(
    client: &Client,
    experiment_id: &str,
    key: &str,
    value: &str,
) -> Result<Vec<Found>, SinkFault> {
    let mut body = json!({
        "experiment_ids": [experiment_id],
        "filter": format!("tags.`{key}` = '{value}'"),
        "order_by": ["attributes.start_time ASC", "attributes.run_id ASC"],
        "max_results": 1000,
    });
    let mut all = Vec::new();
    loop {
        let answer = client.post("runs/search", &body).map_err(SinkFault::from)?;
        let runs = answer["runs"].as_array().map_or(&[][..], Vec::as_slice);
        for run in runs {
            all.push(found(run)?);
        }
        match answer["next_page_token"].as_str() {
            Some(token) if !token.is_empty() => body["page_token"] = token.into(),
            _ => return Ok(all),
        }
    }
}

fn found(run: &Value) -> Result<Found, SinkFault> {
    Ok(Found { place: place(run)?, status: text(&run["info"], "status")?, tags: tags(run) })
}

fn experiment_id(client: &Client, name: &str) -> Result<String, SinkFault> {
    // Made between two questions, by another run: then it is there now.
    for _ in 0..2 {
        match client.get("experiments/get-by-name", &[("experiment_name", name)]) {
            Ok(answer) => {
                let experiment = &answer["experiment"];
                if experiment["lifecycle_stage"] == "deleted" {
                    let words = format!(
                        "the experiment {name:?} was deleted on the server; restore it there, or name another in \
                         tracking.mlflow.experiment"
                    );
                    return Err(SinkFault::lasting(words));
                }
                return text(experiment, "experiment_id");
            }
            Err(answer) if answer.is("RESOURCE_DOES_NOT_EXIST") => {}
            Err(answer) => return Err(answer.into()),
        }
        match client.post("experiments/create", &json!({ "name": name })) {
            Ok(answer) => return text(&answer, "experiment_id"),
            Err(answer) if answer.is("RESOURCE_ALREADY_EXISTS") => {}
            Err(answer) => return Err(answer.into()),
        }
    }
    Err(SinkFault::passing(format!("the experiment {name:?} is there and is not")))
}

fn place(run: &Value) -> Result<Place, SinkFault> {
    let info = &run["info"];
    Ok(Place {
        experiment_id: text(info, "experiment_id")?,
        run_id: text(info, "run_id")?,
        artifact_uri: text(info, "artifact_uri")?,
        parent_run_id: tags(run).remove(PART_OF),
    })
}

fn tags(run: &Value) -> BTreeMap<String, String> {
    let entries = run["data"]["tags"].as_array().into_iter().flatten();
    let entry =
        |entry: &Value| Some((entry["key"].as_str()?.to_owned(), entry["value"].as_str()?.to_owned()));
    entries.filter_map(entry).collect()
}

fn text(from: &Value, key: &str) -> Result<String, SinkFault> {
    let text = from[key].as_str().map(ToOwned::to_owned);
    text.ok_or_else(|| SinkFault::passing(format!("the server's answer has no {key:?}")))
}

impl NoAnswer {
    /// The fault, unless it is MLflow's answer with one of `codes`.
    pub(super) fn unless(self, codes: &[&str]) -> Result<(), SinkFault> {
        if codes.iter().any(|code| self.is(code)) { Ok(()) } else { Err(self.into()) }
    }
}
