//! A run as the file of an offline run.

use jiff::Timestamp;
use prost::Message as _;
use tapeline_events::{Event, Outcome};

use super::blocks::{FILE_HEADER, frame};
use super::message::{Config, Exit, Git, Header, Kind, Record, Run, Version};
use super::{WandbSpec, rows};
use crate::growing_file::GrowingFile;
use crate::{Cursor, RunFacts, RunFile, Sink, SinkFault, Told};

/// The exit code of a run that was interrupted, and of one whose journal breaks off.
const INTERRUPTED: i32 = 130;
const BROKEN_OFF: i32 = 1;

/// The offline run of one run. A file that has its exit record is never added to: a run that is resumed gets another one
/// with the same id, which W&B joins.
#[derive(Debug)]
pub(crate) struct Wandb {
    spec: WandbSpec,
    facts: RunFacts,
    started: Timestamp,
    file: Option<GrowingFile>,
}

impl Wandb {
    pub(crate) fn new(spec: &WandbSpec, facts: &RunFacts) -> Self {
        let started = facts.created.parse().unwrap_or(Timestamp::UNIX_EPOCH);
        Self { spec: spec.clone(), facts: facts.clone(), started, file: None }
    }

    /// Unique in the project, and the same at every resume and replay.
    fn run_id(&self) -> String {
        format!("{}-{:08x}", self.facts.run_id, crc32fast::hash(self.facts.key().as_bytes()))
    }

    /// A new file, with all that must stand before the first row.
    fn begin(&mut self, at: Timestamp, cursor: &mut Cursor) -> Result<(), SinkFault> {
        let resumed = cursor.recall("file").is_some();
        let id = self.run_id();
        let folder = self.facts.folder.join("wandb");
        // Two files of one run in one second would lie in one folder.
        let name = (0..).map(|later| {
            let at = at.saturating_add(jiff::SignedDuration::from_secs(later)).unwrap_or(at);
            format!("offline-run-{}-{id}", at.strftime("%Y%m%d_%H%M%S"))
        });
        let name = name.take(60).find(|name| !folder.join(name).exists());
        let name = name.ok_or_else(|| SinkFault::lasting(format!("{} is full of runs", folder.display())))?;
        let name = format!("{name}/run-{id}.wandb");
        let path = folder.join(&name);
        let cannot = |error| SinkFault::passing(format!("cannot write {}", path.display())).because(error);
        let mut file = GrowingFile::create(&path).map_err(cannot)?;
        let version = Version { producer: "0.31.0".into(), min_consumer: "0.31.0".into() };
        let first =
            [Kind::Header(Header { version: Some(version) }), Kind::Run(Box::new(self.run(&id, resumed)))];
        let kinds = first.into_iter().chain(rows::drawn_over_steps());
        let (bytes, num) = framed(FILE_HEADER.to_vec(), 0, 0, kinds);
        file.append(&bytes).map_err(cannot)?;
        cursor.remember_all([
            ("file", name.into()),
            ("bytes", file.len().into()),
            ("num", num.into()),
            ("exited", false.into()),
        ]);
        self.file = Some(file);
        Ok(())
    }

    fn run(&self, id: &str, resumed: bool) -> Run {
        let config = self.facts.config.as_object().into_iter().flatten();
        let config = config.map(|(section, value)| rows::item(section, value.to_string()));
        let tags = self
            .facts
            .tags
            .iter()
            .map(|(name, value)| rows::item(name, serde_json::Value::from(value.as_str()).to_string()));
        Run {
            run_id: id.into(),
            entity: self.spec.entity.clone().unwrap_or_default(),
            project: self.spec.project.clone(),
            config: Some(Config { update: config.chain(tags).collect() }),
            group: self
                .facts
                .parent
                .as_ref()
                .map_or_else(|| self.facts.experiment.clone(), |parent| parent.id.clone()),
            job_type: self.facts.parent.as_ref().map_or_else(|| "train".into(), |parent| parent.kind.clone()),
            display_name: format!("{}/{}", self.facts.experiment, self.facts.run_id),
            tags: self.spec.tags.clone(),
            host: self.facts.host.clone(),
            start_time: Some(rows::time(self.started)),
            resumed,
            git: self
                .facts
                .tags
                .get("tapeline.commit")
                .map(|commit| Git { remote_url: String::new(), commit: commit.clone() }),
        }
    }

    /// Adds records, and remembers with the same write how far the journal was taken.
    fn append(
        &mut self,
        kinds: Vec<Kind>,
        more: impl IntoIterator<Item = (&'static str, serde_json::Value)>,
        cursor: &mut Cursor,
    ) -> Result<(), SinkFault> {
        let file = self
            .file
            .as_mut()
            .ok_or_else(|| SinkFault::passing("the file of the offline run is not open"))?;
        let num = cursor.recall("num").and_then(serde_json::Value::as_i64).unwrap_or_default();
        let (bytes, num) = framed(Vec::new(), file.len(), num, kinds);
        let path = file.path().display().to_string();
        file.append(&bytes)
            .map_err(|error| SinkFault::passing(format!("cannot write {path}")).because(error))?;
        let own = [("bytes", file.len().into()), ("num", num.into())];
        cursor.remember_all(own.into_iter().chain(more));
        Ok(())
    }
}

/// `kinds` as numbered records behind `bytes`, which begin at byte `at` of the file; and the last number.
fn framed(
    mut bytes: Vec<u8>,
    at: u64,
    mut num: i64,
    kinds: impl IntoIterator<Item = Kind>,
) -> (Vec<u8>, i64) {
    for kind in kinds {
        num += 1;
        let record = Record { num, kind: Some(kind) }.encode_to_vec();
        let framed = frame(at + bytes.len() as u64, &record);
        bytes.extend(framed);
    }
    (bytes, num)
}

impl Sink for Wandb {
    fn name(&self) -> &'static str {
        "wandb"
    }

    fn open(&mut self, cursor: &mut Cursor) -> Result<(), SinkFault> {
        let exited = cursor.recall("exited").and_then(serde_json::Value::as_bool).unwrap_or(true);
        let known = cursor.recall_text("file").map(|name| self.facts.folder.join("wandb").join(name));
        let bytes = cursor.recall("bytes").and_then(serde_json::Value::as_u64);
        if let (None, false, Some(path), Some(bytes)) = (&self.file, exited, known, bytes) {
            self.file = GrowingFile::reopen(&path, bytes).map_err(|error| {
                SinkFault::passing(format!("cannot open {}", path.display())).because(error)
            })?;
            if self.file.is_none() {
                cursor.tell(format!("{} is gone or damaged; everything is written again", path.display()));
                cursor.start_over();
            }
        }
        Ok(())
    }

    fn take(&mut self, told: &[Told], cursor: &mut Cursor) -> Result<u64, SinkFault> {
        let last = told[told.len() - 1].record.seq;
        if self.file.is_none() {
            self.begin(told[0].at()?, cursor)?;
        }
        let through = cursor.recall("through").and_then(serde_json::Value::as_u64);
        let mut kinds = Vec::new();
        let mut ended = None;
        for told in told.iter().filter(|told| through.is_none_or(|through| told.record.seq > through)) {
            let (at, event) = (told.at()?, &told.record.event);
            kinds.extend(rows::row(told, at, self.started));
            kinds.extend(rows::stats(event, at));
            kinds.extend(rows::summary(event));
            kinds.extend(rows::line(event, at));
            if let Event::RunEnded { outcome, .. } = event {
                ended = Some(if *outcome == Outcome::Interrupted { INTERRUPTED } else { 0 });
            }
            if matches!(event, Event::ResumedFrom { .. }) {
                ended = Some(BROKEN_OFF);
            }
        }
        let seconds = (told[told.len() - 1].at()?.as_second() - self.started.as_second()).max(0);
        let more = [("through", last.into()), ("runtime", seconds.into())];
        self.append(kinds, more.into_iter().chain(ended.map(|code| ("code", code.into()))), cursor)?;
        Ok(last)
    }

    fn finish(&mut self, _: &[RunFile], cursor: &mut Cursor) -> Result<(), SinkFault> {
        if self.file.is_none() {
            return Ok(());
        }
        let number = |key: &str| cursor.recall(key).and_then(serde_json::Value::as_i64);
        let code = number("code").unwrap_or(i64::from(BROKEN_OFF)) as i32;
        let runtime = number("runtime").and_then(|seconds| i32::try_from(seconds).ok()).unwrap_or(i32::MAX);
        self.append(vec![Kind::Exit(Exit { code, runtime })], [("exited", true.into())], cursor)?;
        self.file = None;
        Ok(())
    }
}
