//! An MLflow tracking server (REST 2.0, servers 2.x and 3.x), spoken to so that sending anything twice changes nothing:
//! a point's time is that of its record, and the server keeps one of equal points; a parameter is what it was; a file
//! replaces itself. A step that a resumed run repeats has its point already and is passed over.

mod client;
mod files;
mod model;
mod parent;
mod place;
mod spec;
mod written;

use jiff::Timestamp;
use serde_json::{Value, json};
use tapeline_events::{Event, Outcome, Record};

use crate::point::points;
use crate::{Cursor, RunFacts, RunFile, Secrets, Sink, SinkFault, Told, TrackingError};
use client::Client;
use place::Place;

pub use spec::MlflowSpec;

/// The tag that a run is found by when nothing noted its id.
const RUN_KEY: &str = "tapeline.run";
/// The same for what it is a part of.
const PARENT_KEY: &str = "tapeline.part_of";
/// MLflow's own tag for the run that a run is shown under.
const PART_OF: &str = "mlflow.parentRunId";

/// The most points of one message.
const MOST_METRICS: usize = 1000;
/// The most parameters of one message.
const MOST_PARAMS: usize = 100;
/// The longest digest of a data set.
const LONGEST_DIGEST: usize = 36;

/// A run on an MLflow server.
pub(crate) struct Mlflow {
    spec: MlflowSpec,
    facts: RunFacts,
    client: Client,
    place: Option<Place>,
}

impl Mlflow {
    pub(crate) fn new(spec: &MlflowSpec, facts: &RunFacts, secrets: &Secrets) -> Result<Self, TrackingError> {
        let created = facts.created.parse::<Timestamp>();
        created
            .map_err(|_| TrackingError::Facts { what: "time of creation", found: facts.created.clone() })?;
        let client = Client::new(&spec.uri, secrets);
        Ok(Self { spec: spec.clone(), facts: facts.clone(), client, place: None })
    }

    fn place(&self) -> Result<&Place, SinkFault> {
        self.place.as_ref().ok_or_else(|| SinkFault::passing("the run was not found yet"))
    }

    /// The run that was noted, else the one that is found or made.
    fn find(&self, cursor: &mut Cursor) -> Result<Place, SinkFault> {
        if let Some(run_id) = cursor.recall_text("run_id").map(ToOwned::to_owned) {
            if let Some(place) = place::known(&self.client, &run_id)? {
                return Ok(place);
            }
            cursor.tell(format!(
                "the server does not know the run {run_id} any more; everything is sent again to a new one"
            ));
            cursor.start_over();
        }
        let experiment = self.spec.experiment.as_ref().unwrap_or(&self.facts.experiment);
        let place = place::find_or_create(&self.client, experiment, &self.facts)?;
        cursor.remember("run_id", place.run_id.clone().into());
        cursor.remember("experiment_id", place.experiment_id.clone().into());
        Ok(place)
    }

    /// Configuration and data set, once.
    fn describe(&self, place: &Place, cursor: &mut Cursor) -> Result<(), SinkFault> {
        if cursor.recall("described").is_some() {
            return Ok(());
        }
        let mut cut = Vec::new();
        let mut params = Vec::new();
        for (name, value) in written::flattened(&self.facts.config) {
            // Where a run is written to and who hears of it is no part of what it is.
            if ["tracking", "output", "registry"].iter().any(|other| name.split('.').next() == Some(other)) {
                continue;
            }
            let (value, was_cut) = written::param(&value);
            if was_cut {
                cut.push(name.clone());
            }
            params.push(written::entry(&name, &value));
        }
        if !cut.is_empty() {
            cursor.tell(format!("cut to fit: {}; config.yaml has them whole", cut.join(", ")));
        }
        for params in params.chunks(MOST_PARAMS) {
            self.post("runs/log-batch", &json!({ "run_id": place.run_id, "params": params }))?;
        }
        self.log_dataset(place)?;
        cursor.remember("described", true.into());
        Ok(())
    }

    fn log_dataset(&self, place: &Place) -> Result<(), SinkFault> {
        let Some(dataset) = &self.facts.dataset else { return Ok(()) };
        let digest: String = dataset.digest.chars().take(LONGEST_DIGEST).collect();
        let body = json!({
            "run_id": place.run_id,
            "datasets": [{
                "tags": [{ "key": "mlflow.data.context", "value": "training" }],
                "dataset": {
                    "name": dataset.name,
                    "digest": digest,
                    "source_type": "local",
                    "source": dataset.source.to_string(),
                    "profile": dataset.profile.to_string(),
                },
            }],
        });
        self.post("runs/log-inputs", &body)
    }

    fn post(&self, call: &str, body: &Value) -> Result<(), SinkFault> {
        self.client.post(call, body).map(drop).map_err(Into::into)
    }

    fn set_status(&self, status: &str, at: Option<&Record>, cursor: &mut Cursor) -> Result<(), SinkFault> {
        let mut body = json!({ "run_id": self.place()?.run_id, "status": status });
        if let Some(record) = at {
            body["end_time"] = milliseconds(&record.at)?.into();
        }
        self.post("runs/update", &body)?;
        cursor.remember("status", status.into());
        match &self.place()?.parent_run_id {
            Some(parent) if status == "RUNNING" => parent::begin(&self.client, parent),
            Some(parent) => {
                let experiment_id = &self.place()?.experiment_id;
                let at = at.map(|record| record.at.as_str());
                parent::end_unless_running(&self.client, experiment_id, parent, at)
            }
            None => Ok(()),
        }
    }

    fn set_tags(&self, tags: &[(&str, String)]) -> Result<(), SinkFault> {
        let tags: Vec<Value> =
            tags.iter().map(|(key, value)| written::entry(key, &written::tag(value))).collect();
        self.post("runs/log-batch", &json!({ "run_id": self.place()?.run_id, "tags": tags }))
    }

    /// What is no number.
    fn note(&self, told: &Told, cursor: &mut Cursor) -> Result<(), SinkFault> {
        match &told.record.event {
            Event::RunStarted { samples, steps_per_epoch, .. } => {
                self.set_status("RUNNING", None, cursor)?;
                let samples = samples.iter().map(|(split, count)| format!("{split} {count}"));
                let samples = samples.collect::<Vec<_>>().join(", ");
                self.set_tags(&[
                    ("tapeline.samples", samples),
                    ("tapeline.steps_per_epoch", steps_per_epoch.to_string()),
                ])
            }
            Event::ResumedFrom { step, .. } => {
                self.set_status("RUNNING", None, cursor)?;
                self.set_tags(&[("tapeline.resumed_from_step", step.to_string())])
            }
            Event::EarlyStopped { metric, best, best_epoch, .. } => {
                let words = format!("{metric} was best in epoch {best_epoch}, with {best}");
                self.set_tags(&[("tapeline.early_stopped", words)])
            }
            Event::TestSpanOpened { times, .. } => {
                self.set_tags(&[("tapeline.test_span_opened", times.to_string())])
            }
            Event::TargetsChecked { targets } => {
                let verdicts: Vec<(String, String)> = targets
                    .iter()
                    .map(|target| {
                        (format!("tapeline.target.{}", target.metric), target.verdict.name().into())
                    })
                    .collect();
                let tags: Vec<(&str, String)> =
                    verdicts.iter().map(|(key, verdict)| (key.as_str(), verdict.clone())).collect();
                tags.chunks(MOST_PARAMS).try_for_each(|tags| self.set_tags(tags))
            }
            Event::Warning { message } => self.set_tags(&[("tapeline.warning", message.clone())]),
            Event::RunEnded { outcome, .. } => {
                let status = match outcome {
                    Outcome::Completed | Outcome::EarlyStopped | Outcome::Stopped => "FINISHED",
                    Outcome::Interrupted => "KILLED",
                };
                self.set_status(status, Some(&told.record), cursor)
            }
            _ => Ok(()),
        }
    }

    /// The points of the records at the front of `told` that are numbers, as many as go into one message; and the last of
    /// these records.
    fn batch(told: &[Told]) -> Result<(Vec<Value>, u64), SinkFault> {
        let mut metrics = Vec::new();
        let mut last = told[0].record.seq;
        for told in told.iter().take_while(|told| is_number(&told.record.event)) {
            let own = if told.repeated { Vec::new() } else { points(&told.record.event) };
            if !metrics.is_empty() && metrics.len() + own.len() > MOST_METRICS {
                break;
            }
            let timestamp = milliseconds(&told.record.at)?;
            metrics.extend(own.into_iter().map(|point| {
                json!({
                    "key": written::key(&point.name),
                    "value": written::number(point.value),
                    "timestamp": timestamp,
                    "step": told.step,
                })
            }));
            last = told.record.seq;
        }
        Ok((metrics, last))
    }
}

impl Sink for Mlflow {
    fn name(&self) -> &'static str {
        "mlflow"
    }

    fn open(&mut self, cursor: &mut Cursor) -> Result<(), SinkFault> {
        let place = self.find(cursor)?;
        self.describe(&place, cursor)?;
        self.place = Some(place);
        Ok(())
    }

    fn take(&mut self, told: &[Told], cursor: &mut Cursor) -> Result<u64, SinkFault> {
        if !is_number(&told[0].record.event) {
            self.note(&told[0], cursor)?;
            return Ok(told[0].record.seq);
        }
        let (metrics, last) = Self::batch(told)?;
        // A record with more points than a message may hold comes alone.
        for metrics in metrics.chunks(MOST_METRICS) {
            self.post("runs/log-batch", &json!({ "run_id": self.place()?.run_id, "metrics": metrics }))?;
        }
        Ok(last)
    }

    fn finish(&mut self, files: &[RunFile], cursor: &mut Cursor) -> Result<(), SinkFault> {
        // No record says so when a run dies of an error.
        if cursor.recall_text("status") == Some("RUNNING") {
            self.set_status("FAILED", None, cursor)?;
        }
        if self.spec.artifacts && files::upload(&self.client, self.place()?, files, cursor)? {
            model::register(&self.client, self.place()?, &self.spec, cursor)?;
        }
        Ok(())
    }
}

const fn is_number(event: &Event) -> bool {
    matches!(
        event,
        Event::Step { .. }
            | Event::StepTimes { .. }
            | Event::EpochEnded { .. }
            | Event::Scored { .. }
            | Event::System { .. }
    )
}

/// Milliseconds since 1970 of an RFC 3339 time.
fn milliseconds(at: &str) -> Result<i64, SinkFault> {
    let instant = at.parse::<Timestamp>();
    let instant = instant.map_err(|error| SinkFault::lasting(format!("{at:?} is no time")).because(error))?;
    Ok(instant.as_millisecond())
}
