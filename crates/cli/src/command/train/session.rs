//! One run, from where it stands to its scores.

mod conclusion;
mod description;

use tapeline_data_pipeline::{AuditReport, Dataset, Split};
use tapeline_events::{Event, Journal, Observer, Observers, Outcome, TornLine};
use tapeline_models::{Network, Parameters};
use tapeline_trainer::{Curriculum, Ending, Lineage, Scorecard, Start, fit};

use crate::asked::Asked;
use crate::clock;
use crate::config::RunConfig;
use crate::failure::Failure;
use crate::preparation::Checked;
use crate::progress::{Plan, Progress, ProgressArguments};
use crate::run_folder::RunFolder;
use crate::signal::Interrupt;
use crate::trackers::Trackers;
use crate::watch::{Watch, Watched};

/// A run with everything that stands still while it is trained.
pub(super) struct Session<'a> {
    pub(super) config: &'a RunConfig,
    pub(super) checked: &'a Checked,
    pub(super) data: &'a Dataset,
    pub(super) lineage: &'a Lineage,
    pub(super) folder: &'a RunFolder,
    /// Of the bars.
    pub(super) audit: &'a AuditReport,
    /// None where runs follow each other: each is shown in lines.
    pub(super) progress: Option<&'a ProgressArguments>,
}

impl Session<'_> {
    /// Trains from where the run stands, takes the best weights and scores them. `None` when a signal came.
    pub(super) fn to_the_end(
        &self,
        network: &dyn Network,
        interrupt: &Interrupt,
    ) -> Result<Option<Scorecard>, Failure> {
        let start = self.begin(network.parameters())?;
        let opened = Journal::open(&self.folder.journal(), clock::now).map_err(Failure::failed)?;
        let mut journal = opened.journal;
        let trackers = Trackers::start(self.config, self.folder)?;
        let card = self.train_and_conclude(network, start, interrupt, &mut journal, opened.torn);
        trackers.finish(self.folder, interrupt.came());
        card
    }

    /// Where the run begins. What it is, is written in its folder before its first step; a run that was described and has no
    /// checkpoint yet must still be the one that it was.
    fn begin(&self, parameters: &Parameters) -> Result<Start, Failure> {
        if self.folder.has_checkpoints() {
            // Which hold the lineage that they are held against.
            return Ok(Start::Resume);
        }
        let is_begun = self.folder.config().exists();
        match self.folder.described_lineage()? {
            Some(described) => self.lineage.ensure_is(&described)?,
            None => self.describe(parameters)?,
        }
        if is_begun {
            eprintln!(
                "note: the run was stopped before its first checkpoint; it starts again, and is the same run"
            );
        }
        Ok(Start::Fresh)
    }

    fn train_and_conclude(
        &self,
        network: &dyn Network,
        start: Start,
        interrupt: &Interrupt,
        journal: &mut Journal,
        torn: Option<TornLine>,
    ) -> Result<Option<Scorecard>, Failure> {
        let plan = self.plan()?;
        let asked = Asked::new(interrupt.clone());
        let name = format!("{}/{}", self.config.experiment, self.folder.id());
        if let Some(torn) = torn {
            eprintln!("note: the journal's last line was torn ({} bytes) and is cut off", torn.bytes);
        }
        let mut progress = match self.progress {
            Some(arguments) => Progress::start(arguments, name, plan, &asked)?,
            None => Progress::on_stderr(plan),
        };
        let watch = Watch::start(self.folder.path().into());
        let ending = {
            let mut observers = Observers(vec![Box::new(&mut *journal), Box::new(&mut progress)]);
            if start == Start::Fresh {
                observers.observe(&self.run_started(network, plan));
            } else if let Some(message) = self.other_kernels() {
                observers.observe(&Event::Warning { message });
            }
            let mut watched = Watched { watch: &watch, observer: &mut observers };
            self.fit(network, start, &asked, &mut watched)?
        };
        drop(progress);
        if ending.outcome == Outcome::Interrupted {
            return Ok(None);
        }
        let card = self.conclude(network, journal, interrupt)?;
        warn_about(journal);
        Ok(card)
    }

    fn plan(&self) -> Result<Plan, Failure> {
        let training = &self.config.training;
        let curriculum = Curriculum::new(self.data, &self.checked.tasks, training, self.config.seed)?;
        let steps: usize = (0..training.num_epochs).map(|epoch| curriculum.steps(epoch)).sum();
        Ok(Plan {
            steps_per_epoch: curriculum.full_steps() as u64,
            num_epochs: training.num_epochs as u64,
            steps: steps as u64,
            train_samples: self.data.samples(Split::Train).len() as u64,
        })
    }

    fn run_started(&self, network: &dyn Network, plan: Plan) -> Event {
        let samples = |split: Split| (split.to_string(), self.data.samples(split).len() as u64);
        let Plan { steps_per_epoch, num_epochs, .. } = plan;
        Event::RunStarted {
            run_id: self.folder.id(),
            seed: self.config.seed,
            parameters: network.parameters().count() as u64,
            samples: Split::ALL.map(samples).into(),
            steps_per_epoch,
            num_epochs,
        }
    }

    /// A warning where the run goes on upon a machine whose kernels round otherwise. It is no reason to refuse: the run is as
    /// good as before, only not the same in the last bits.
    fn other_kernels(&self) -> Option<String> {
        let lineage = std::fs::read(self.folder.lineage()).ok()?;
        let lineage: serde_json::Value = serde_json::from_slice(&lineage).ok()?;
        let (before, now) = (lineage["determinism"]["kernels"].as_str()?, tapeline_torch_ext::cpu_kernels());
        (before != now).then(|| {
            format!(
                "the run was begun with the kernels {before} and goes on with {now}: what it learns from here may differ in \
                 the last bits from what it would have learned there"
            )
        })
    }

    fn fit(
        &self,
        network: &dyn Network,
        start: Start,
        asked: &Asked,
        observer: &mut dyn Observer,
    ) -> Result<Ending, Failure> {
        let checkpoints = self.folder.checkpoints().after(self.folder.journal());
        let run = self.checked.run(self.config, self.data, network, self.lineage, &checkpoints);
        Ok(fit(&run, start, &|| asked.wish(), observer)?)
    }
}

/// Says what of the journal did not reach the disk.
fn warn_about(journal: &Journal) {
    let health = journal.health();
    if !health.is_sound() {
        eprintln!(
            "warning: the journal is incomplete: {} records are not on the disk ({})",
            health.waiting as u64 + health.dropped,
            health.last_error.as_deref().unwrap_or("no reason given"),
        );
    }
}
