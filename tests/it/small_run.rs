//! A folder with the configuration of a run that takes a second, and the runs that are started in it.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tapeline_data_pipeline::{Bars, SourceSpec, Stamp, read_bars, write_parquet};
use tapeline_events::{Event, Record};
use tempfile::TempDir;

use crate::program::{DONE, Said, send, tapeline};

const CONFIG: &str = include_str!("small.yaml");

/// Makes the bars of a small run come from the Parquet files in `bars`.
pub(crate) const FROM_FILES: [&str; 2] = ["--set", "data.source={path: bars, stamp: open}"];

/// Steps of some fifty that a run may do before it is held.
const A_LITTLE: u64 = 20;

/// How often a watched journal is looked at.
const BETWEEN_LOOKS: Duration = Duration::from_millis(1);

/// A folder where small runs are made.
pub(crate) struct SmallRun(TempDir);

impl SmallRun {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("small.yaml"), CONFIG).unwrap();
        Self(folder)
    }

    /// One that stands still at `step` or a little later. Where the machine had so much else to do that the run was nearly over
    /// before it was held, another is begun.
    pub(crate) fn held_at(step: u64) -> (Self, Training) {
        for _ in 0..10 {
            let run = Self::new();
            let mut training = run.start(&[]);
            training.wait_for_step(step);
            training.signal("STOP");
            if last_step(run.folder()) <= Some(step + A_LITTLE)
                && training.child.try_wait().unwrap().is_none()
            {
                return (run, training);
            }
            training.kill();
        }
        panic!("no run was held at step {step}");
    }

    /// One that was sent `signal` at `step` or a little later, and what it said.
    pub(crate) fn interrupted_by(signal: &str, step: u64) -> (Self, Said) {
        let (run, mut training) = Self::held_at(step);
        training.signal(signal);
        training.signal("CONT");
        (run, training.wait())
    }

    /// With the bars of the configuration's market as Parquet in `bars`, after `change`.
    pub(crate) fn with_bars(change: impl FnOnce(&mut Vec<Bars>)) -> Self {
        let run = Self::new();
        run.say(["data", "synth", "--out", "bars", "--seed", "3", "--symbols", "2", "--days", "3"])
            .ended_with(DONE);
        run.rewrite_bars(change);
        run
    }

    /// Reads the bars in `bars`, changes them and writes them back.
    pub(crate) fn rewrite_bars(&self, change: impl FnOnce(&mut Vec<Bars>)) {
        let folder = self.folder().join("bars");
        let source =
            SourceSpec { path: Some(folder.clone()), stamp: Some(Stamp::Open), ..SourceSpec::default() };
        let mut bars = read_bars(&source, "1m".parse().unwrap()).unwrap();
        change(&mut bars);
        write_parquet(&bars, &folder).unwrap();
    }

    pub(crate) fn folder(&self) -> &Path {
        self.0.path()
    }

    /// What the program says to `arguments` here.
    pub(crate) fn say<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Said {
        Said::by(tapeline(self.folder(), arguments))
    }

    /// What `verb`, such as `data plan`, says of the configuration, changed by `more`.
    pub(crate) fn say_of_config(&self, verb: &str, more: &[&str]) -> Said {
        Said::by(self.of_config(verb, more))
    }

    pub(crate) fn train(&self, more: &[&str]) -> Said {
        self.say_of_config("train", more)
    }

    pub(crate) fn resume(&self) -> Said {
        self.say(["train", "--resume", self.run().to_str().unwrap()])
    }

    /// Begins training and does not wait.
    pub(crate) fn start(&self, more: &[&str]) -> Training {
        Training::start(self.of_config("train", more), self.folder().to_owned())
    }

    /// Begins `verb` and does not wait.
    pub(crate) fn start_verb(&self, verb: &str, more: &[&str]) -> Training {
        Training::start(self.of_config(verb, more), self.folder().to_owned())
    }

    /// Goes on with the run and does not wait.
    pub(crate) fn start_to_resume(&self) -> Training {
        let run = self.run();
        let arguments = ["train", "--resume", run.to_str().unwrap()];
        Training::start(tapeline(self.folder(), arguments), self.folder().to_owned())
    }

    pub(crate) fn of_config(&self, verb: &str, more: &[&str]) -> Command {
        let arguments = verb.split(' ').chain(["--config", "small.yaml"]);
        tapeline(self.folder(), arguments.chain(more.iter().copied()))
    }

    /// The folder of the one run that was made here.
    pub(crate) fn run(&self) -> PathBuf {
        run_in(self.folder()).expect("there is one run")
    }

    pub(crate) fn journal(&self) -> Vec<Record> {
        tapeline_events::read(&self.run().join("journal.jsonl")).unwrap()
    }

    /// The folders of the run's checkpoints, oldest first.
    pub(crate) fn checkpoints(&self) -> Vec<PathBuf> {
        let entries = match fs::read_dir(self.run().join("checkpoints")) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Vec::new(),
            entries => entries.unwrap(),
        };
        let mut folders: Vec<PathBuf> = entries
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with("step-"))
            .collect();
        folders.sort();
        folders
    }
}

fn run_in(folder: &Path) -> Option<PathBuf> {
    let runs: Vec<PathBuf> =
        fs::read_dir(folder.join("runs/small")).ok()?.map(|entry| entry.unwrap().path()).collect();
    assert!(runs.len() < 2, "{runs:?}");
    runs.into_iter().next()
}

/// A training process.
pub(crate) struct Training {
    child: Child,
    folder: PathBuf,
}

impl Training {
    fn start(mut command: Command, folder: PathBuf) -> Self {
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        Self { child: child.unwrap(), folder }
    }

    /// Waits until the journal tells of `step`, or until the process ends.
    pub(crate) fn wait_for_step(&mut self, step: u64) {
        while self.child.try_wait().unwrap().is_none() && last_step(&self.folder) < Some(step) {
            std::thread::sleep(BETWEEN_LOOKS);
        }
    }

    /// As [`wait_for_step`](Self::wait_for_step), of the part of the run in the folder `part`.
    pub(crate) fn wait_for_step_in(&mut self, part: &str, step: u64) {
        let told = |folder: &Path| last_step_of(&run_in(folder)?.join(part));
        while self.child.try_wait().unwrap().is_none() && told(&self.folder) < Some(step) {
            std::thread::sleep(BETWEEN_LOOKS);
        }
    }

    /// Sends a signal by its name, such as `INT`, to a run that goes on; one that has ended takes none.
    pub(crate) fn signal(&mut self, name: &str) {
        if self.child.try_wait().unwrap().is_none() {
            send(name, self.child.id());
        }
    }

    /// SIGKILL, and its end.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(crate) fn wait(self) -> Said {
        Said::of(self.child.wait_with_output().unwrap())
    }
}

/// The step that the run's journal told last, whatever came before it. A line that is still being written says nothing.
fn last_step(folder: &Path) -> Option<u64> {
    last_step_of(&run_in(folder)?)
}

fn last_step_of(run: &Path) -> Option<u64> {
    let journal = fs::read_to_string(run.join("journal.jsonl")).ok()?;
    let finished = journal.rsplit_once('\n')?.0;
    let records = finished.lines().rev().filter_map(|line| serde_json::from_str::<Record>(line).ok());
    records.filter_map(|record| told_step(&record.event)).next()
}

/// The step of an update or of a beginning: with it, a resumed run is behind the steps it had told before.
fn told_step(event: &Event) -> Option<u64> {
    match event {
        Event::Step { step, .. } | Event::ResumedFrom { step, .. } => Some(*step),
        _ => None,
    }
}
