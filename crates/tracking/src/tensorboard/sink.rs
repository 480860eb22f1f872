//! A run as one event file.

use std::path::PathBuf;

use jiff::Timestamp;
use tapeline_events::{Event as RunEvent, Outcome};

use super::message::{SUCCESS, Value};
use super::{event, files, hparams};
use crate::growing_file::GrowingFile;
use crate::{Cursor, RunFacts, RunFile, Sink, SinkFault, Told};

/// The folder of the run that holds its event file.
const FOLDER: &str = "tensorboard";

/// The event file of one run. It is added to when the run is resumed; a kill costs nothing, since what was written beyond
/// the cursor is cut off and written again.
#[derive(Debug)]
pub(crate) struct TensorBoard {
    facts: RunFacts,
    folder: PathBuf,
    file: Option<GrowingFile>,
}

impl TensorBoard {
    pub(crate) fn new(facts: &RunFacts) -> Self {
        Self { facts: facts.clone(), folder: facts.folder.join(FOLDER), file: None }
    }

    /// What `told` adds to the file.
    fn written(&self, told: &Told) -> Result<Vec<u8>, SinkFault> {
        let at = seconds(told.at()?);
        let (mut bytes, add) =
            (
                Vec::new(),
                |values: Vec<Value>| {
                    if values.is_empty() { Vec::new() } else { event::summary(at, told.step, values) }
                },
            );
        match &told.record.event {
            RunEvent::RunStarted { .. } => {
                bytes.extend(add(hparams::start(&self.facts, at)));
                bytes.extend(add(vec![event::text("config", &self.config())]));
            }
            // TensorBoard believes the first end that it reads: a run that can go on has none.
            RunEvent::RunEnded { outcome, .. } => {
                let ended = (*outcome != Outcome::Interrupted).then(|| hparams::end(SUCCESS, at));
                bytes.extend(add(ended.into_iter().collect()));
            }
            RunEvent::Warning { message } => bytes.extend(add(vec![event::text("warnings", message)])),
            histograms @ RunEvent::Histograms { .. } if !told.repeated => {
                bytes.extend(add(event::histograms(histograms)));
            }
            other if !told.repeated => bytes.extend(add(event::scalars(other))),
            _ => {}
        }
        Ok(bytes)
    }

    fn config(&self) -> String {
        let pretty = serde_json::to_string_pretty(&self.facts.config).unwrap_or_default();
        format!("```json\n{pretty}\n```")
    }

    /// Adds to the file, and remembers with the same write what comes of it: a kill in between would double it.
    fn append(
        &mut self,
        bytes: &[u8],
        more: impl IntoIterator<Item = (&'static str, serde_json::Value)>,
        cursor: &mut Cursor,
    ) -> Result<(), SinkFault> {
        let file = self.file.as_mut().ok_or_else(|| SinkFault::passing("the event file is not open"))?;
        let path = file.path().display().to_string();
        file.append(bytes)
            .map_err(|error| SinkFault::passing(format!("cannot write {path}")).because(error))?;
        cursor.remember_all(std::iter::once(("bytes", file.len().into())).chain(more));
        Ok(())
    }
}

impl Sink for TensorBoard {
    fn name(&self) -> &'static str {
        "tensorboard"
    }

    fn open(&mut self, cursor: &mut Cursor) -> Result<(), SinkFault> {
        if self.file.is_some() {
            return Ok(());
        }
        let cannot =
            |error| SinkFault::passing(format!("cannot write into {}", self.folder.display())).because(error);
        let known = cursor.recall_text("file").map(|name| self.folder.join(name));
        let bytes = cursor.recall("bytes").and_then(serde_json::Value::as_u64);
        if let (Some(path), Some(bytes)) = (known, bytes) {
            self.file = GrowingFile::reopen(&path, bytes).map_err(cannot)?;
            if self.file.is_none() {
                cursor.tell(format!("{} is gone or damaged; everything is written again", path.display()));
                cursor.start_over();
            }
        }
        if self.file.is_none() {
            let created: Timestamp = self.facts.created.parse().unwrap_or(Timestamp::UNIX_EPOCH);
            // TensorBoard takes any file with `tfevents` in its name, and reads them in the order of their names.
            let name = format!("events.out.tfevents.{:010}.{}", created.as_second(), self.facts.host);
            self.file = Some(GrowingFile::create(&self.folder.join(&name)).map_err(cannot)?);
            let version = event::file_version(seconds(created));
            self.append(&version, [("file", name.into())], cursor)?;
        }
        Ok(())
    }

    fn take(&mut self, told: &[Told], cursor: &mut Cursor) -> Result<u64, SinkFault> {
        let last = told[told.len() - 1].record.seq;
        let through = cursor.recall("through").and_then(serde_json::Value::as_u64);
        let mut bytes = Vec::new();
        for told in told.iter().filter(|told| through.is_none_or(|through| told.record.seq > through)) {
            bytes.extend(self.written(told)?);
        }
        let newest = &told[told.len() - 1];
        let more =
            [("through", last.into()), ("step", newest.step.into()), ("at", seconds(newest.at()?).into())];
        self.append(&bytes, more, cursor)?;
        Ok(last)
    }

    fn finish(&mut self, files: &[RunFile], cursor: &mut Cursor) -> Result<(), SinkFault> {
        files::embeddings(files, &self.folder)?;
        let images = files::new_images(files, cursor)?;
        if images.values.is_empty() {
            return Ok(());
        }
        let at = cursor.recall("at").and_then(serde_json::Value::as_f64).unwrap_or_default();
        let step = cursor.recall("step").and_then(serde_json::Value::as_u64).unwrap_or_default();
        self.append(&event::summary(at, step, images.values), [("images", images.digest.into())], cursor)
    }
}

/// In seconds since 1970.
fn seconds(at: Timestamp) -> f64 {
    at.as_microsecond() as f64 / 1e6
}
