//! The trackers of a run: started beside it, waited for a moment at its end, and never a reason to fail.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context;
use serde_json::Value;
use tapeline_tracking::{DatasetFacts, News, Pace, Parent, Pump, RunFacts, Secrets, Standing};

use crate::config::RunConfig;
use crate::failure::Failure;
use crate::run_folder::RunFolder;

/// How long the end of a run waits for trackers that are behind.
const LAST_WAIT: Duration = Duration::from_secs(30);

/// The same for a run that somebody interrupted.
const LAST_WAIT_INTERRUPTED: Duration = Duration::from_secs(5);

/// Waiting is told of once it takes so long.
const UNREMARKABLE: Duration = Duration::from_secs(2);

/// Tries after the end for somebody who came to send what was missed.
pub(crate) const PATIENT: u32 = 6;

/// The trackers of one run; none of them if it names none.
pub(crate) struct Trackers(Option<Pump>);

impl Trackers {
    /// Starts the trackers that `config` names. They hear what the run's journal says, from where they were.
    pub(crate) fn start(config: &RunConfig, folder: &RunFolder) -> Result<Self, Failure> {
        Self::of(config, folder, None, Pace::default().last_tries)
    }

    /// The same for the one tracker named by `only`.
    pub(crate) fn of(
        config: &RunConfig,
        folder: &RunFolder,
        only: Option<&str>,
        last_tries: u32,
    ) -> Result<Self, Failure> {
        if config.tracking == Default::default() && only.is_none() {
            return Ok(Self(None));
        }
        let facts = facts(config, folder)?;
        let secrets = Secrets::read(|name| std::env::var(name).ok());
        let sinks = config.tracking.sinks(&facts, &secrets, only).map_err(Failure::bad_input)?;
        // Processes that were started together do not try again together.
        let pace = Pace { seed: u64::from(std::process::id()), last_tries, ..Pace::default() };
        Ok(Self(Some(Pump::start(&folder.journal(), folder.path(), sinks, pace, tell))))
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Waits a moment for those that are behind, and says what was missed and how to send it.
    pub(crate) fn finish(self, folder: &RunFolder, interrupted: bool) {
        self.wait(folder, if interrupted { LAST_WAIT_INTERRUPTED } else { LAST_WAIT });
    }

    /// Waits at most `longest`; the same otherwise.
    pub(crate) fn wait(self, folder: &RunFolder, longest: Duration) -> Vec<Standing> {
        let Some(pump) = self.0 else { return Vec::new() };
        pump.end(folder.files().unwrap_or_else(|error| {
            eprintln!("warning: trackers get no files: {error:#}");
            Vec::new()
        }));
        let mut standings = pump.wait(UNREMARKABLE.min(longest));
        let behind: Vec<&str> =
            standings.iter().filter(|standing| !standing.is_over()).map(|standing| standing.sink).collect();
        if !behind.is_empty() && longest > UNREMARKABLE {
            eprintln!("note: the last records and files are on their way to {}", behind.join(", "));
            standings = pump.wait(longest.saturating_sub(UNREMARKABLE));
        }
        for standing in standings.iter().filter(|standing| !standing.is_complete()) {
            let (sink, run) = (standing.sink, folder.path().display());
            let because = standing.fault.as_ref().map_or_else(String::new, |fault| format!(" ({fault})"));
            eprintln!(
                "warning: {sink} has not got everything{because}; nothing is lost, send it with: \
                 tapeline replay {run} --sink {sink}"
            );
        }
        standings
    }
}

fn tell(sink: &str, news: &News) {
    match news {
        News::Failed(reason) => {
            eprintln!("warning: {sink}: {reason}; training goes on, and what it misses is sent later");
        }
        News::GivenUp(reason) => eprintln!("warning: {sink} is given up: {reason}"),
        News::Recovered => eprintln!("note: {sink} is back"),
        News::Note(words) => eprintln!("note: {sink}: {words}"),
        _ => {}
    }
}

/// What the run's folder says of the run: the same now and at a replay.
fn facts(config: &RunConfig, folder: &RunFolder) -> Result<RunFacts, Failure> {
    let path = folder.lineage();
    let bytes = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()));
    let written: Value = bytes
        .and_then(|bytes| {
            serde_json::from_slice(&bytes).with_context(|| format!("{} cannot be understood", path.display()))
        })
        .map_err(Failure::bad_input)?;
    let text = |pointer: &str| match written.pointer(pointer) {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => "unknown".into(),
    };
    let tags = [
        ("tapeline.version", "/lineage/tapeline"),
        ("tapeline.libtorch", "/lineage/libtorch"),
        ("tapeline.device", "/lineage/device"),
        ("tapeline.threads", "/lineage/threads"),
        ("tapeline.seed", "/lineage/seed"),
        ("tapeline.commit", "/host/commit"),
        ("tapeline.system", "/host/system"),
        ("tapeline.cores", "/host/cores"),
        ("tapeline.parameters", "/parameters/learned"),
    ];
    let bars = config.data.source.path.as_deref().and_then(std::path::Path::file_name);
    let dataset = DatasetFacts {
        name: bars.map_or_else(|| "built-in market".into(), |name| name.to_string_lossy().into_owned()),
        digest: text("/lineage/data"),
        source: serde_json::to_value(&config.data.source).unwrap_or(Value::Null),
        profile: written.pointer("/lineage/split").cloned().unwrap_or(Value::Null),
    };
    let part_of =
        |key: &str| written.pointer(&format!("/parent/{key}")).and_then(Value::as_str).map(Into::into);
    Ok(RunFacts {
        folder: folder.path().into(),
        run_id: folder.id(),
        experiment: config.experiment.clone(),
        created: text("/created"),
        user: crate::host::user(),
        host: text("/host/name"),
        config: serde_json::to_value(config).map_err(Failure::failed)?,
        tags: BTreeMap::from(tags.map(|(name, pointer)| (name.to_owned(), text(pointer)))),
        dataset: Some(dataset),
        parent: part_of("id").zip(part_of("kind")).map(|(id, kind)| Parent { id, kind }),
    })
}
