//! What a person types.

mod config;
mod data;
mod doctor;
mod evaluate;
mod extract;
mod hpo;
mod lr_find;
mod registry;
mod replay;
mod runs;
pub(crate) mod train;
pub(crate) mod walk_forward;

use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

use crate::config::{Resolved, RunConfig, Sources};
use crate::failure::Failure;
use crate::run_folder::RunFolder;

/// Trains deep feature extractors on market bars, without leaks and without surprises.
#[derive(Debug, Parser)]
#[command(name = "tapeline", version, about, max_term_width = 110)]
pub(crate) struct Command {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Train a network, score it on the validation span, write artefact and report.
    Train(train::Arguments),
    /// Try learning rates for a few steps each, without leaving a run behind.
    LrFind(lr_find::Arguments),
    /// Train and test fold after fold, and score what was out of fold as a whole.
    WalkForward(walk_forward::Arguments),
    /// Score a trained run again from its artefact and the same bars; with `--split test` it opens the test span.
    Evaluate(evaluate::Arguments),
    /// Search for better values of a configuration.
    #[command(subcommand)]
    Hpo(hpo::Verb),
    /// Write the features and forecasts of any bars as Parquet, from a run or a registered model.
    Extract(extract::Arguments),
    /// Register trained extractors as numbered versions, and say which is in use.
    #[command(subcommand)]
    Registry(registry::Verb),
    /// Look at bars, make some, or prove that nothing leaks.
    #[command(subcommand)]
    Data(data::Verb),
    /// List runs, show one, or follow what its journal says.
    #[command(subcommand)]
    Runs(runs::Verb),
    /// Send what the trackers of a run missed, from its journal.
    Replay(replay::Arguments),
    /// Show or check a configuration, or print its schema.
    #[command(subcommand)]
    Config(config::Verb),
    /// Say what this binary was built with and what it finds.
    Doctor,
}

/// Where a configuration comes from: defaults < file < environment (`TAPELINE_…`) < flags.
#[derive(Debug, Clone, Args)]
pub(crate) struct ConfigArguments {
    /// A YAML file; without one, the built-in quickstart (`configs/quickstart.yaml`).
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Change one value, such as `--set training.num_epochs=50`; the value is YAML. May be given many times.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
}

impl ConfigArguments {
    pub(crate) fn resolve(&self) -> Result<Resolved, Failure> {
        let sources = Sources::of_process(self.config.clone(), self.set.clone());
        crate::config::load(&sources).map_err(Failure::bad_input)
    }
}

/// The configuration a run was started with; today's environment has no say in it.
fn config_of(run: &RunFolder) -> Result<RunConfig, Failure> {
    let sources = Sources { file: Some(run.config()), ..Sources::default() };
    Ok(crate::config::load(&sources).map_err(Failure::bad_input)?.config)
}

/// Does what was typed; the number is the exit code.
pub(crate) fn run(command: &Command) -> Result<i32, Failure> {
    match &command.verb {
        Verb::Train(arguments) => train::run(arguments),
        Verb::LrFind(arguments) => lr_find::run(arguments),
        Verb::WalkForward(arguments) => walk_forward::run(arguments),
        Verb::Evaluate(arguments) => evaluate::run(arguments),
        Verb::Hpo(verb) => hpo::run(verb),
        Verb::Extract(arguments) => extract::run(arguments),
        Verb::Registry(verb) => registry::run(verb),
        Verb::Data(verb) => data::run(verb),
        Verb::Runs(verb) => runs::run(verb),
        Verb::Replay(arguments) => replay::run(arguments),
        Verb::Config(verb) => config::run(verb),
        Verb::Doctor => doctor::run(),
    }
}
