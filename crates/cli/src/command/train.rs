//! `tapeline train`: bars to a trained, scored, resumable run.

mod null;
pub(crate) mod one_run;
mod seeds;
mod session;
pub(crate) mod several;
mod verify_resume;

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use tapeline_trainer::Scorecard;

use super::ConfigArguments;
use crate::config::RunConfig;
use crate::failure::{DONE, Failure, INTERRUPTED};
use crate::family::{self, Family, NullKind};
use crate::preparation::{self, Checked};
use crate::progress::ProgressArguments;
use crate::run_folder::RunFolder;
use crate::signal::Interrupt;
use crate::{score_table, targets};
use session::Session;
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
    let network = checked.build_network(&lineage).map_err(Failure::bad_input)?;
    // Until here there was nothing to lose: a signal ended the process at once.
    let interrupt = Interrupt::listen().context("cannot listen for signals")?;
    let folder = match folder {
        Some(folder) => folder,
        None => RunFolder::create(&config.output, &config.experiment, &jiff::Zoned::now())?,
    };
    let session = Session {
        config: &config,
        checked: &checked,
        data: &data,
        lineage: &lineage,
        folder: &folder,
        audit: &audit,
        progress: Some(&arguments.progress),
    };
    let Some(card) = session.to_the_end(network.as_ref(), &interrupt)? else {
        say_how_to_go_on(&folder);
        return Ok(INTERRUPTED);
    };
    print(&folder, &card)?;
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
    let network = checked.build_network(&lineage).map_err(Failure::bad_input)?;
    let session =
        Session { config, checked, data: &data, lineage: &lineage, folder, audit: &audit, progress: None };
    session.to_the_end(network.as_ref(), interrupt)
}

fn say_how_to_go_on(folder: &RunFolder) {
    let program = std::env::current_exe().unwrap_or_else(|_| "tapeline".into());
    eprintln!("go on with: {} train --resume {}", program.display(), folder.path().display());
}

fn print(folder: &RunFolder, card: &Scorecard) -> Result<(), Failure> {
    print!("{}", score_table::render(card));
    print!("{}", targets::render(&targets::read(folder)?));
    println!("run       {}", folder.path().display());
    println!("artefact  {}", folder.artefact().display());
    println!("report    {}", folder.report().display());
    Ok(())
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
