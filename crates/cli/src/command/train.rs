//! `tapeline train`: bars to a trained, scored, resumable run.

mod null;
pub(crate) mod one_run;
mod seeds;
pub(crate) mod several;
mod verify_resume;

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use tapeline_artefact::{ARTEFACT_VERSION, Description, Extractor, Predictions, predict, replace_file};
use tapeline_data_pipeline::{Dataset, Split};
use tapeline_events::{Event, Journal, Observer, Observers, Outcome, TornLine};
use tapeline_models::{Network, Parameters, build, weights_to_bytes};
use tapeline_trainer::{
    Calibration, Curriculum, EVALUATION_BATCH, Ending, Lineage, Metric, Purpose, Run, Scorecard, Start,
    TrainError, child_seed, decaying_parameters, fit, metric, scorecard,
};

use super::ConfigArguments;
use crate::asked::Asked;
use crate::config::{RunConfig, resolved_yaml};
use crate::failure::{DONE, Failure, INTERRUPTED};
use crate::family::{self, Family, NullKind};
use crate::openings::Openings;
use crate::preparation::{self, Checked};
use crate::progress::{Plan, Progress, ProgressArguments};
use crate::run_folder::RunFolder;
use crate::signal::Interrupt;
use crate::trackers::Trackers;
use crate::watch::{Watch, Watched};
use crate::{clock, host, pictures, predictions, report, score_table, targets};
use verify_resume::Trial;

/// What `train` takes.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    config: ConfigArguments,
    /// Go on with an interrupted run, from its newest checkpoint and with its own configuration.
    #[arg(long, value_name = "RUN", conflicts_with_all = ["config", "set"])]
    resume: Option<PathBuf>,
    /// End with exit code 1 if a target is missed or undefined; everything is saved first.
    #[arg(long)]
    require_targets: bool,
    #[command(flatten)]
    progress: ProgressArguments,
    /// Only try whether this run is exact when it is interrupted: trains so many steps at once and again with an interruption,
    /// in a temporary folder, and compares every byte. Ends with exit code 1 if one differs.
    #[arg(long, value_name = "STEPS", num_args = 0..=1, default_missing_value = "20",
          conflicts_with_all = ["resume", "require_targets"])]
    verify_resume: Option<std::num::NonZeroU64>,
    /// Train so many seeds, the configuration's and those after it, and say how far their scores lie apart.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(2..=1000),
          conflicts_with_all = ["resume", "require_targets"])]
    seeds: Option<u64>,
    /// Train the same on data with nothing to find as well, and say where the real scores lie among those.
    #[arg(long, value_name = "KIND", value_enum, conflicts_with_all = ["resume", "require_targets", "seeds"])]
    null: Option<NullKind>,
    /// How many runs on data with nothing to find.
    #[arg(long, value_name = "N", default_value_t = DEFAULT_NULL_RUNS, requires = "null",
          value_parser = clap::value_parser!(u64).range(tapeline_trainer::MIN_NULL_RUNS as u64..=1000))]
    null_runs: u64,
}

/// Null runs unless it is said otherwise: enough that a real score beyond all of them is one in 21 by chance.
pub(super) const DEFAULT_NULL_RUNS: u64 = 20;

impl Arguments {
    /// What is asked for beside one run.
    fn family(&self) -> Option<Family> {
        let null = self.null.map(|null| Family::Null { null, runs: self.null_runs });
        self.seeds.map(|seeds| Family::Seeds { seeds }).or(null)
    }
}

pub(super) fn run(arguments: &Arguments) -> Result<i32, Failure> {
    arguments.progress.check()?;
    let (mut config, folder) = match &arguments.resume {
        Some(path) => {
            let folder = RunFolder::open(path).map_err(Failure::bad_input)?;
            (super::config_of(&folder)?, Some(folder))
        }
        // A run is one configuration; what else could be searched is no part of it.
        None => {
            let config = RunConfig { hpo: None, ..arguments.config.resolve()?.config };
            (with_absolute_paths(config)?, None)
        }
    };
    let family = match &folder {
        Some(folder) => {
            refuse_a_part(folder)?;
            family::read(folder)?
        }
        None => arguments.family(),
    };
    if let Some(family) = family {
        if arguments.require_targets {
            let message = "--require-targets speaks of one run, and this is several";
            return Err(Failure::bad_input(anyhow::anyhow!(message)));
        }
        return several::run(family, config, folder, &arguments.progress);
    }
    targets::check_required(arguments.require_targets, &config.targets)?;
    let checked = preparation::check(&config)?;
    checked.spell_out(&mut config)?;
    let (bars, audit, fingerprint) = checked.read()?;
    eprintln!("{audit}");
    let data = checked.pipeline.prepare(bars, checked.tasks.labels())?;
    config.targets.check_symbols(data.symbols().len())?;
    let lineage = checked.lineage(&config, &data, &fingerprint);
    if let Some(steps) = arguments.verify_resume {
        let trial = Trial { config: &config, checked: &checked, data: &data, lineage: &lineage };
        return trial.run(steps.get());
    }
    let init = child_seed(config.seed, Purpose::Initialisation, 0);
    let network = build(&lineage.network, init, checked.device).map_err(Failure::bad_input)?;
    // Until here there was nothing to lose: a signal ended the process at once.
    let interrupt = Interrupt::listen().context("cannot listen for signals")?;
    let is_resumed = folder.is_some();
    let folder = match folder {
        Some(folder) => folder,
        None => RunFolder::create(&config.output, &config.experiment, &jiff::Zoned::now())?,
    };
    let start = begin(&folder, &config, &lineage, &audit, network.parameters())?;
    if is_resumed && start == Start::Fresh {
        eprintln!(
            "note: the run was stopped before its first checkpoint; it starts again, and is the same run"
        );
    }
    let session = Session {
        config: &config,
        checked: &checked,
        data: &data,
        lineage: &lineage,
        folder: &folder,
        progress: Some(&arguments.progress),
    };
    let Some(card) = session.to_the_end(network.as_ref(), start, &interrupt)? else {
        session.say_how_to_go_on();
        return Ok(INTERRUPTED);
    };
    session.print(&card)?;
    if arguments.require_targets {
        targets::require(&targets::read(&folder)?)?;
    }
    Ok(DONE)
}

/// Trains a whole run in `folder`, from its newest checkpoint where it has one, and scores it; `None` when a signal came before
/// its end. What a run leaves is left, nothing is printed but progress.
pub(super) fn whole_run(
    config: &RunConfig,
    checked: &Checked,
    folder: &RunFolder,
    interrupt: &Interrupt,
) -> Result<Option<Scorecard>, Failure> {
    let (bars, audit, fingerprint) = checked.read()?;
    let data = checked.pipeline.prepare(bars, checked.tasks.labels())?;
    let lineage = checked.lineage(config, &data, &fingerprint);
    let init = child_seed(config.seed, Purpose::Initialisation, 0);
    let network = build(&lineage.network, init, checked.device).map_err(Failure::bad_input)?;
    let start = begin(folder, config, &lineage, &audit, network.parameters())?;
    let session = Session { config, checked, data: &data, lineage: &lineage, folder, progress: None };
    session.to_the_end(network.as_ref(), start, interrupt)
}

/// A part of a run is gone on with by the whole: it knows the part's bars and split.
pub(super) fn refuse_a_part(folder: &RunFolder) -> Result<(), Failure> {
    match folder.parent().map(|_| folder.whole()) {
        None => Ok(()),
        Some(parent) => Err(Failure::bad_input(anyhow::anyhow!(
            "{} is a part of {}; go on with that",
            folder.path().display(),
            parent.display()
        ))),
    }
}

/// A run is gone back to from other folders than it was started in.
pub(super) fn with_absolute_paths(mut config: RunConfig) -> Result<RunConfig, Failure> {
    let absolute = |path: &Path| {
        std::path::absolute(path)
            .with_context(|| format!("cannot find the folder that {} is in", path.display()))
    };
    config.output = absolute(&config.output)?;
    config.registry = absolute(&config.registry)?;
    config.data.source.path = config.data.source.path.as_deref().map(absolute).transpose()?;
    Ok(config)
}

/// Where the run in `folder` begins. What it is, is written there before its first step; a run that was described and has no
/// checkpoint yet must still be the one that it was.
fn begin(
    folder: &RunFolder,
    config: &RunConfig,
    lineage: &Lineage,
    audit: &tapeline_data_pipeline::AuditReport,
    parameters: &Parameters,
) -> Result<Start, Failure> {
    if folder.has_checkpoints() {
        // Which hold the lineage that they are held against.
        return Ok(Start::Resume);
    }
    match folder.described_lineage()? {
        Some(described) => {
            let differences = lineage.differences(&described);
            if !differences.is_empty() {
                return Err(TrainError::Lineage { differences }.into());
            }
        }
        None => describe(folder, config, lineage, audit, parameters)?,
    }
    Ok(Start::Fresh)
}

/// Writes what a run is.
fn describe(
    folder: &RunFolder,
    config: &RunConfig,
    lineage: &Lineage,
    audit: &tapeline_data_pipeline::AuditReport,
    parameters: &Parameters,
) -> Result<(), Failure> {
    let parameters = serde_json::json!({
        "learned": parameters.count(),
        "decaying": decaying_parameters(&config.training.optimizer, parameters),
    });
    let parent = match (folder.parent().map(RunFolder::open), folder.parent_id()) {
        (Some(Ok(parent)), Some(id)) => {
            family::read(&parent)?.map(|family| serde_json::json!({ "id": id, "kind": family.kind() }))
        }
        _ => None,
    };
    let mut lineage = serde_json::json!({
        "run": folder.id(),
        "created": clock::now(),
        "host": host::Host::read().json(),
        "determinism": {
            "deterministic": lineage.is_deterministic(),
            "kernels": tapeline_torch_ext::cpu_kernels(),
        },
        "parameters": parameters,
        "lineage": lineage,
    });
    if let Some(parent) = parent {
        lineage["parent"] = parent;
    }
    let yaml = resolved_yaml(config);
    let audit = serde_json::to_vec_pretty(audit).map_err(Failure::failed)?;
    let lineage = serde_json::to_vec_pretty(&lineage).map_err(Failure::failed)?;
    // The lineage last: where it is, the others are.
    let files: [(PathBuf, &[u8]); 3] =
        [(folder.config(), yaml.as_bytes()), (folder.audit(), &audit), (folder.lineage(), &lineage)];
    for (path, bytes) in files {
        replace_file(&path, bytes).map_err(Failure::failed)?;
    }
    Ok(())
}

/// A run with everything that stands still while it is trained.
struct Session<'a> {
    config: &'a RunConfig,
    checked: &'a Checked,
    data: &'a Dataset,
    lineage: &'a Lineage,
    folder: &'a RunFolder,
    /// None where runs follow each other: each is shown in lines.
    progress: Option<&'a ProgressArguments>,
}

impl Session<'_> {
    /// Trains, takes the best weights and scores them. `None` when a signal came.
    fn to_the_end(
        &self,
        network: &dyn Network,
        start: Start,
        interrupt: &Interrupt,
    ) -> Result<Option<Scorecard>, Failure> {
        let opened = Journal::open(&self.folder.journal(), clock::now).map_err(Failure::failed)?;
        let mut journal = opened.journal;
        let trackers = Trackers::start(self.config, self.folder)?;
        let card = self.train_and_conclude(network, start, interrupt, &mut journal, opened.torn);
        trackers.finish(self.folder, interrupt.came());
        card
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

    fn print(&self, card: &Scorecard) -> Result<(), Failure> {
        print!("{}", score_table::render(card));
        print!("{}", targets::render(&targets::read(self.folder)?));
        println!("run       {}", self.folder.path().display());
        println!("artefact  {}", self.folder.artefact().display());
        println!("report    {}", self.folder.report().display());
        Ok(())
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

    fn fit(
        &self,
        network: &dyn Network,
        start: Start,
        asked: &Asked,
        observer: &mut dyn Observer,
    ) -> Result<Ending, Failure> {
        let checkpoints = self.folder.checkpoints().after(self.folder.journal());
        let run = Run {
            data: self.data,
            network,
            tasks: &self.checked.tasks,
            training: &self.config.training,
            lineage: self.lineage.clone(),
            checkpoints: &checkpoints,
            device: self.checked.device,
            clock: clock::running,
            histograms: self.config.tracking.draws_histograms(),
        };
        Ok(fit(&run, start, &|| asked.wish(), observer)?)
    }

    fn say_how_to_go_on(&self) {
        let program = std::env::current_exe().unwrap_or_else(|_| "tapeline".into());
        eprintln!("go on with: {} train --resume {}", program.display(), self.folder.path().display());
    }

    /// Takes the best weights, saves the artefact, scores the validation span, writes predictions and report. None when a
    /// signal came in between; resuming does all of it again.
    fn conclude(
        &self,
        network: &dyn Network,
        journal: &mut Journal,
        interrupt: &Interrupt,
    ) -> Result<Option<Scorecard>, Failure> {
        let (data, tasks, device) = (self.data, &self.checked.tasks, self.checked.device);
        let best = self.best_by()?;
        let epochs = self.take_best_weights(&best, network, journal)?;
        let samples = data.samples(Split::Validation);
        self.save_artefact(network, samples)?;
        if interrupt.came() {
            return Ok(None);
        }
        let said = predict(network, data, samples, EVALUATION_BATCH, device).map_err(Failure::failed)?;
        let calibration = Calibration::on_validation(data, tasks, &said);
        let seed = child_seed(self.config.seed, Purpose::Bootstrap, 0);
        let card = scorecard(data, tasks, Split::Validation, &said, &calibration, seed)?;
        if interrupt.came() {
            return Ok(None);
        }
        journal.append(&Event::Scored { split: card.split.clone(), metrics: card.metrics.clone() });
        let mut metrics = card.metrics.clone();
        metrics.insert(metric::EPOCHS_TO_BEST.into(), epochs.map(|epochs| epochs as f64));
        targets::check(self.folder, &self.config.targets, &metrics, journal)?;

        predictions::write(&self.folder.predictions(), data, tasks, &[(Split::Validation, &said)])?;
        self.write_for_trackers(&card, &said);
        let json = serde_json::to_vec_pretty(&card).map_err(Failure::failed)?;
        replace_file(&self.folder.scores(&card.split), &json).map_err(Failure::failed)?;
        let openings = Openings::of(self.folder.output()).count(&self.lineage.data)?;
        report::write(self.folder, &self.folder.scorecards()?, openings)?;
        Ok(Some(card))
    }

    /// Pictures and the embedding, where somebody shows them. That they cannot be written is no reason to fail.
    fn write_for_trackers(&self, card: &Scorecard, said: &Predictions) {
        let (run, tracking) = (self.folder.path(), &self.config.tracking);
        let mut written = Ok(());
        if tracking.shows_pictures() {
            written = pictures::write(run, card);
        }
        if tracking.shows_embeddings() {
            written =
                written.and_then(|()| pictures::write_embedding(run, self.data, &self.checked.tasks, said));
        }
        if let Err(error) = written {
            eprintln!("warning: trackers get no pictures: {error:#}");
        }
    }

    /// What the best epoch is the best by.
    fn best_by(&self) -> Result<Metric, Failure> {
        let metric = metric::find(&self.config.training.checkpointing.metric, &self.checked.tasks);
        Ok(metric.map_err(|nearest| anyhow::anyhow!("no such metric; the nearest are {nearest:?}"))?)
    }

    /// Puts the weights of the best checkpoint into `network`, which holds those of the last step. They stay where the disk
    /// refused every checkpoint: hours of training are not thrown away at the end. After how many epochs the weights were those
    /// of a checkpoint.
    fn take_best_weights(
        &self,
        metric: &Metric,
        network: &dyn Network,
        journal: &mut Journal,
    ) -> Result<Option<usize>, Failure> {
        match self.folder.checkpoints().best(metric) {
            Ok(best) => {
                for damaged in &best.damaged {
                    eprintln!("warning: checkpoint {damaged}; {} is used instead", best.name);
                    journal.append(&Event::CheckpointDamaged {
                        folder: damaged.name.clone(),
                        reason: damaged.reason.clone(),
                        used_instead: Some(best.name.clone()),
                    });
                }
                best.restore_weights(network)?;
                Ok(Some(best.state.epoch))
            }
            Err(error @ TrainError::NoCheckpoint { .. }) => {
                let message = format!(
                    "{error}: the artefact holds the weights of the last step, not of the best epoch"
                );
                eprintln!("warning: {message}");
                journal.append(&Event::Warning { message });
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn save_artefact(&self, network: &dyn Network, samples: &[u32]) -> Result<(), Failure> {
        let description = Description {
            version: ARTEFACT_VERSION,
            data: self.config.data.clone(),
            labels: self.checked.tasks.labels().to_vec(),
            fitted: self.data.fitted().clone(),
            network: self.lineage.network.clone(),
            lineage: serde_json::to_value(self.lineage).map_err(Failure::failed)?,
        };
        let folder = self.folder.artefact();
        if self.is_saved(network, &description)? {
            return Ok(());
        }
        let device = self.checked.device;
        if !folder.exists() {
            return Extractor::save(&folder, &description, network, self.data, samples, device)
                .map_err(Failure::failed);
        }
        // The old one stays whole until the new one is.
        let (new, old) = (folder.with_extension("new"), folder.with_extension("old"));
        let context = || format!("cannot replace {}", folder.display());
        for leftover in [&new, &old] {
            if leftover.exists() {
                std::fs::remove_dir_all(leftover).with_context(context)?;
            }
        }
        Extractor::save(&new, &description, network, self.data, samples, device).map_err(Failure::failed)?;
        std::fs::rename(&folder, &old).with_context(context)?;
        std::fs::rename(&new, &folder).with_context(context)?;
        std::fs::remove_dir_all(&old).with_context(context)?;
        Ok(())
    }

    /// True when the artefact of this very network is there already: the run was resumed after its end.
    fn is_saved(&self, network: &dyn Network, description: &Description) -> Result<bool, Failure> {
        let Ok(saved) = Extractor::load(&self.folder.artefact(), self.checked.device) else {
            return Ok(false);
        };
        let weights = |network: &dyn Network| weights_to_bytes(network.parameters()).map_err(Failure::failed);
        Ok(saved.description() == description && weights(saved.network())? == weights(network)?)
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
