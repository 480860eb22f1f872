//! `tapeline hpo`: search for better values of a configuration, alone or with many machines, and see what came of it.

mod best;
mod create;
mod report;
mod retrain;
mod run;
mod status;
mod worker;

use std::path::PathBuf;

use anyhow::anyhow;
use clap::{Args, Subcommand};
use tapeline_hpo::Study;

use super::train::with_absolute_paths;
use crate::config::{RunConfig, Sources, StorageUrl};
use crate::failure::Failure;
use crate::tuning::{Plan, STORAGE_VARIABLE, only_study, open_storage};

/// The configuration of a search that names none.
const BUILT_IN: &str = include_str!("../../../../configs/hpo/quickstart.yaml");
const BUILT_IN_NAME: &str = "built-in hpo/quickstart.yaml";

/// What can be done with studies.
#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Search, or go on with a search; the same command again goes on where it was stopped.
    Run(run::Arguments),
    /// Begin a study without a trial; workers, on this machine or others, do them.
    Create(Wanted),
    /// Help with a search that was begun elsewhere: train trials until it has them all.
    Worker(worker::Arguments),
    /// How many trials of which kind there are, and the best so far.
    Status(status::Arguments),
    /// The best trial, and what to set to train it.
    Best(best::Arguments),
    /// The trials that no other is better than in every objective.
    Pareto(best::ParetoArguments),
    /// Train the best configurations again with other seeds, to tell skill from luck.
    Retrain(retrain::Arguments),
    /// Write the report again.
    Report(report::Arguments),
}

/// Which study is meant: that of a configuration, or one of a storage.
#[derive(Debug, Args)]
pub(super) struct Which {
    /// A YAML file with an `hpo` section; without one, the built-in `configs/hpo/quickstart.yaml`.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Change one value, such as `--set hpo.trials=50`; the value is YAML. May be given many times.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Where the study is remembered, `sqlite:///FILE` or `postgresql://USER@HOST/DATABASE`; `hpo.storage` of the configuration.
    #[arg(long, value_name = "URL", env = STORAGE_VARIABLE, hide_env_values = true)]
    storage: Option<StorageUrl>,
    /// Its name; `hpo.study` of the configuration.
    #[arg(long, value_name = "NAME")]
    study: Option<String>,
}

/// A study that is begun, or gone on with.
#[derive(Debug, Args)]
pub(super) struct Wanted {
    #[command(flatten)]
    which: Which,
    /// How many trials the study is to have; `hpo.trials` of the configuration.
    #[arg(long, value_name = "COUNT")]
    trials: Option<usize>,
}

impl Wanted {
    /// The study as its configuration has it, with so many trials.
    fn plan(&self) -> Result<Plan, Failure> {
        let trials = self.trials.iter().map(|trials| format!("hpo.trials={trials}"));
        self.which.plan(&trials.collect::<Vec<_>>())
    }
}

impl Which {
    /// The study as its configuration has it, begun or not.
    fn plan(&self, more: &[String]) -> Result<Plan, Failure> {
        Plan::of(with_absolute_paths(self.config(more)?)?)
    }

    fn config(&self, more: &[String]) -> Result<RunConfig, Failure> {
        let mut set = self.set.clone();
        // As YAML, in quotes: a URL or a name is text, whatever it looks like.
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        set.extend(self.storage.iter().map(|url| format!("hpo.storage={}", quoted(url.secret()))));
        set.extend(self.study.iter().map(|name| format!("hpo.study={}", quoted(name))));
        set.extend_from_slice(more);
        let mut sources = Sources::of_process(self.config.clone(), set);
        if self.config.is_none() {
            sources.text = Some((BUILT_IN_NAME.into(), BUILT_IN.into()));
        }
        Ok(crate::config::load(&sources).map_err(Failure::bad_input)?.config)
    }

    /// A study that was begun: of a storage if one is named and no configuration is, else that of the configuration.
    fn open(&self) -> Result<(Plan, Study), Failure> {
        let plan = match (&self.storage, &self.config) {
            (Some(url), None) => of_storage(url, self.study.as_deref(), &self.set)?,
            _ => {
                let plan = self.plan(&[])?;
                of_storage(&plan.url, Some(&plan.name), &[])?
            }
        };
        let study = plan.open()?;
        Ok((plan, study))
    }
}

/// The plan of a study that is remembered at `url`.
fn of_storage(url: &StorageUrl, name: Option<&str>, set: &[String]) -> Result<Plan, Failure> {
    if let Some(file) = url.secret().strip_prefix("sqlite:///")
        && !std::path::Path::new(file).is_file()
    {
        return Err(Failure::bad_input(anyhow!(
            "there is no study in {url} yet; `tapeline hpo run` or `tapeline hpo create` begins one"
        )));
    }
    let storage = open_storage(url)?;
    let record = match name {
        Some(name) => storage.study(name)?,
        None => only_study(storage.as_ref(), url)?,
    };
    Plan::of_record(url, &record, set)
}

pub(super) fn run(verb: &Verb) -> Result<i32, Failure> {
    match verb {
        Verb::Run(arguments) => run::run(arguments),
        Verb::Create(arguments) => create::run(arguments),
        Verb::Worker(arguments) => worker::run(arguments),
        Verb::Status(arguments) => status::run(arguments),
        Verb::Best(arguments) => best::run(arguments),
        Verb::Pareto(arguments) => best::pareto(arguments),
        Verb::Retrain(arguments) => retrain::run(arguments),
        Verb::Report(arguments) => report::run(arguments),
    }
}
