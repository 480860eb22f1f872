//! A run's folder and journal, written by hand: what a tracker sees of a run.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;
use tapeline_events::{Event, Histogram, Journal, Observer, StepTimes};
use tapeline_tracking::{
    DatasetFacts, MlflowSpec, Pace, Parent, Pump, RunFacts, RunFile, Secrets, Standing, TrackingSpec,
};
use tempfile::TempDir;

/// Long enough for a server on a machine that does much else.
pub(crate) const LONG: Duration = Duration::from_secs(300);

/// When the clock of a written run begins, in milliseconds since 1970: 2026-01-31T12:00:00Z.
pub(crate) const BEGINNING: i64 = 1_769_860_800_000;

/// A journal whose clock moves by a millisecond with each record.
pub(crate) struct WrittenRun {
    folder: TempDir,
    clock: Arc<AtomicI64>,
    pub(crate) facts: RunFacts,
}

impl WrittenRun {
    pub(crate) fn new(experiment: &str, run_id: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("config.yaml"), "seed: 7\n").unwrap();
        fs::create_dir(folder.path().join("artefact")).unwrap();
        fs::write(folder.path().join("artefact/weights of a network.bin"), [1, 2, 3]).unwrap();
        let facts = RunFacts {
            folder: folder.path().into(),
            run_id: run_id.into(),
            experiment: experiment.into(),
            created: "2026-01-31T12:00:00Z".into(),
            user: "someone".into(),
            host: "somewhere".into(),
            config: json!({ "seed": 7, "data": { "features": ["log_return"] }, "note": "x".repeat(7000) }),
            tags: BTreeMap::from([("tapeline.version".into(), "0.1.0".into())]),
            dataset: Some(DatasetFacts {
                name: "bars".into(),
                digest: "0123456789abcdef".repeat(4),
                source: json!({ "path": "bars" }),
                profile: json!({ "rows": 10 }),
            }),
            parent: None,
        };
        Self { folder, clock: Arc::new(AtomicI64::new(BEGINNING)), facts }
    }

    pub(crate) fn part_of(mut self, kind: &str, id: &str) -> Self {
        self.facts.parent = Some(Parent { id: id.into(), kind: kind.into() });
        self
    }

    fn journal_path(&self) -> PathBuf {
        self.folder.path().join("journal.jsonl")
    }

    /// The journal, to be written on.
    pub(crate) fn journal(&self) -> Journal {
        let clock = Arc::clone(&self.clock);
        let now = move || {
            let now = clock.fetch_add(1, Ordering::Relaxed);
            Timestamp::from_millisecond(now).unwrap().to_string()
        };
        Journal::open(&self.journal_path(), now).unwrap().journal
    }

    /// A process that sends to MLflow what the journal says.
    pub(crate) fn pump(&self, spec: &MlflowSpec) -> Pump {
        self.pump_to(&serde_json::from_value(json!({ "mlflow": spec })).unwrap())
    }

    /// A process that sends to whom `spec` names.
    pub(crate) fn pump_to(&self, spec: &TrackingSpec) -> Pump {
        let sinks = spec.sinks(&self.facts, &Secrets::default(), None).unwrap();
        let pace = Pace {
            poll: Duration::from_millis(20),
            first_wait: Duration::from_millis(100),
            longest_wait: Duration::from_secs(1),
            last_tries: 1000,
            ..Pace::default()
        };
        let tell = |sink: &str, news: &_| println!("{sink}: {news:?}");
        Pump::start(&self.journal_path(), self.folder.path(), sinks, pace, tell)
    }

    /// The same, for what the journal holds by now and the files, to its end.
    #[track_caller]
    pub(crate) fn send(&self, spec: &MlflowSpec) {
        complete(&self.pump(spec).finish(self.files(), LONG));
    }

    /// Sends what the journal holds by now, and the files, to whom `spec` names.
    #[track_caller]
    pub(crate) fn send_to(&self, spec: &TrackingSpec) {
        self.send_files_to(spec, self.files());
    }

    /// The same with other files.
    #[track_caller]
    pub(crate) fn send_files_to(&self, spec: &TrackingSpec, files: Vec<RunFile>) {
        complete(&self.pump_to(spec).finish(files, LONG));
    }

    pub(crate) fn files(&self) -> Vec<RunFile> {
        ["config.yaml", "artefact/weights of a network.bin"]
            .map(|name| RunFile { name: name.into(), path: self.folder.path().join(name) })
            .to_vec()
    }

    /// Loses what was noted about the server.
    pub(crate) fn forget(&self) {
        fs::remove_dir_all(self.folder.path().join("tracking")).unwrap();
    }
}

#[track_caller]
pub(crate) fn complete(standings: &[Standing]) {
    assert!(standings.iter().all(Standing::is_complete), "{standings:?}");
}

/// The loss of a step: every seventh is none.
pub(crate) fn loss(step: u64) -> f64 {
    if step.is_multiple_of(7) { f64::NAN } else { 1.0 / step as f64 }
}

pub(crate) fn started(journal: &mut Journal) {
    journal.observe(&Event::RunStarted {
        run_id: "20260131-120000".into(),
        seed: 7,
        parameters: 10,
        samples: BTreeMap::from([("train".into(), 100)]),
        steps_per_epoch: 50,
        num_epochs: 2,
    });
    journal.observe(&Event::EpochStarted { epoch: 1, step: 0 });
}

/// Where the time of an epoch's steps went, and how one tensor lies.
pub(crate) fn inside(journal: &mut Journal, step: u64) {
    let times = StepTimes { steps: 10, data: 1.0, forward: 3.0, backward: 4.0, update: 1.0, wait: 1.0 };
    journal.observe(&Event::StepTimes { step, epoch: 1, times });
    let of = |values: &[f32]| BTreeMap::from([("cnn.weight".to_owned(), Histogram::of(values))]);
    let (weights, gradients) = (of(&[-1.0, 0.25, 0.5, 2.0]), of(&[0.125; 4]));
    journal.observe(&Event::Histograms { step, epoch: 1, weights, gradients });
}

pub(crate) fn steps(journal: &mut Journal, steps: std::ops::RangeInclusive<u64>) {
    for step in steps {
        journal.observe(&Event::Step {
            step,
            epoch: 1,
            learning_rate: 1e-3,
            gradient_norm: f64::INFINITY,
            loss: loss(step),
            losses: BTreeMap::from([("price_prediction".into(), 0.25)]),
            loss_scale: None,
            skipped: false,
        });
    }
}
