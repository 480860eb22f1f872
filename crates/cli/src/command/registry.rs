//! `tapeline registry`: trained extractors as numbered versions, and which of them is in use.

mod evidence;
mod table;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use tapeline_artefact::{AliasChange, Aliases, Promotion, Registry, RegistryError};

use crate::config::Sources;
use crate::failure::{DONE, Failure};
use crate::host;
use crate::run_folder::RunFolder;
use table::Row;

/// What can be done with a registry.
#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Register the artefact of a run as the next version of a model, with its scores, targets and leak certificate.
    Add(AddArguments),
    /// One line for each version, with its aliases.
    List(ListArguments),
    /// Everything that is known of a version, and every move of the model's aliases.
    Show(ShowArguments),
    /// Let an alias point to a version. Refused without a leak certificate of that very artefact, or with targets missed.
    Promote(PromoteArguments),
    /// Let an alias point again to where it pointed before its last promotion.
    Rollback(RollbackArguments),
}

/// Where a registry is.
#[derive(Debug, Args)]
pub(super) struct Location {
    /// The registry's folder; without it, `registry` of the configuration.
    #[arg(long, value_name = "FOLDER")]
    registry: Option<PathBuf>,
    /// A YAML file whose `registry` is meant.
    #[arg(long, value_name = "FILE", conflicts_with = "registry")]
    config: Option<PathBuf>,
}

impl Location {
    /// The registry that is meant, which is there.
    pub(super) fn open(&self) -> Result<Registry, Failure> {
        let root = match &self.registry {
            Some(root) => root.clone(),
            None => {
                let sources = Sources::of_process(self.config.clone(), Vec::new());
                crate::config::load(&sources).map_err(Failure::bad_input)?.config.registry
            }
        };
        Ok(Registry::open(root)?)
    }
}

/// What `add` takes.
#[derive(Debug, Args)]
pub(super) struct AddArguments {
    /// The run's folder.
    #[arg(long, value_name = "RUN")]
    run: PathBuf,
    /// The model it is a version of.
    #[arg(long, value_name = "NAME")]
    model: String,
    /// The registry's folder; without it, `registry` of the run's configuration.
    #[arg(long, value_name = "FOLDER")]
    registry: Option<PathBuf>,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

/// What `list` takes.
#[derive(Debug, Args)]
pub(super) struct ListArguments {
    #[command(flatten)]
    location: Location,
    /// Only this model.
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

/// What `show` takes.
#[derive(Debug, Args)]
pub(super) struct ShowArguments {
    #[command(flatten)]
    location: Location,
    /// The model.
    model: String,
    /// A version's number or an alias; without it, the newest version.
    version: Option<String>,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

/// What `promote` takes.
#[derive(Debug, Args)]
pub(super) struct PromoteArguments {
    #[command(flatten)]
    location: Location,
    /// The model.
    model: String,
    /// A version's number, or an alias of it such as `challenger`.
    version: String,
    /// The alias that is to point to it.
    #[arg(long, value_name = "NAME")]
    alias: String,
    /// Promote in spite of what stands in the way; that is recorded. A damaged version is refused all the same.
    #[arg(long, requires = "reason")]
    force: bool,
    /// Why it is forced.
    #[arg(long, value_name = "TEXT", requires = "force")]
    reason: Option<String>,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

/// What `rollback` takes.
#[derive(Debug, Args)]
pub(super) struct RollbackArguments {
    #[command(flatten)]
    location: Location,
    /// The model.
    model: String,
    /// The alias that is to go back.
    #[arg(long, value_name = "NAME")]
    alias: String,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(verb: &Verb) -> Result<i32, Failure> {
    match verb {
        Verb::Add(arguments) => add(arguments),
        Verb::List(arguments) => list(arguments),
        Verb::Show(arguments) => show(arguments),
        Verb::Promote(arguments) => promote(arguments),
        Verb::Rollback(arguments) => rollback(arguments),
    }
}

/// As `tapeline registry add --run RUN --model NAME`.
pub(super) fn add_run(run: &std::path::Path, model: &str) -> Result<i32, Failure> {
    add(&AddArguments { run: run.into(), model: model.into(), registry: None, json: false })
}

fn add(arguments: &AddArguments) -> Result<i32, Failure> {
    let run = RunFolder::open(&arguments.run).map_err(Failure::bad_input)?;
    let root = match &arguments.registry {
        Some(root) => root.clone(),
        None => super::config_of(&run)?.registry,
    };
    let evidence = evidence::of(&run)?;
    let registry = Registry::create(root)?;
    let entry = registry.add(&arguments.model, &run.artefact(), evidence, &host::signature())?;
    let folder = registry.folder_of(&entry.model, entry.version);
    if arguments.json {
        return answer(&json!({ "folder": folder, "entry": entry }));
    }
    println!("{} version {}", entry.model, entry.version);
    println!("folder    {}", folder.display());
    if entry.evidence.leak_certificate.is_none() {
        eprintln!(
            "note: the run has no leak certificate, so this version will not be promoted; `tapeline data leakcheck --run {}` \
             makes one, and then it can be registered again",
            arguments.run.display()
        );
    }
    Ok(DONE)
}

fn list(arguments: &ListArguments) -> Result<i32, Failure> {
    let registry = arguments.location.open()?;
    let models = match &arguments.model {
        Some(model) => vec![model.clone()],
        None => registry.models()?,
    };
    let mut rows = Vec::new();
    for model in models {
        let aliases = registry.aliases(&model)?;
        for version in registry.versions(&model)? {
            rows.push(Row::of(registry.entry(&model, version), &model, version, &aliases)?);
        }
    }
    if arguments.json {
        return answer(&Value::from_iter(rows.iter().map(Row::json)));
    }
    if rows.is_empty() {
        println!("no version in {}", registry.root().display());
    } else {
        print!("{}", table::render(&rows));
    }
    Ok(DONE)
}

fn show(arguments: &ShowArguments) -> Result<i32, Failure> {
    let registry = arguments.location.open()?;
    let model = &arguments.model;
    let version = match &arguments.version {
        Some(reference) => registry.version(model, reference)?,
        None => newest(&registry, model)?,
    };
    let (entry, aliases) = (registry.entry(model, version)?, registry.aliases(model)?);
    if arguments.json {
        let folder = registry.folder_of(model, version);
        let pointing: Vec<&str> = aliases.of(version).collect();
        let history = aliases.history();
        return answer(&json!({ "folder": folder, "aliases": pointing, "entry": entry, "history": history }));
    }
    print!("{}", table::details(&entry, &aliases));
    println!("folder      {}", registry.folder_of(model, version).display());
    Ok(DONE)
}

fn newest(registry: &Registry, model: &str) -> Result<u32, Failure> {
    let missing = || RegistryError::NoVersion { model: model.into(), version: 1, there_are: Vec::new() };
    registry.versions(model)?.last().copied().ok_or_else(|| missing().into())
}

fn promote(arguments: &PromoteArguments) -> Result<i32, Failure> {
    let registry = arguments.location.open()?;
    let PromoteArguments { model, alias, reason, .. } = arguments;
    let version = registry.version(model, &arguments.version)?;
    let promotion = registry.promote(model, version, alias, &host::signature(), reason.as_deref())?;
    match &promotion {
        Promotion::Moved(change) => {
            if let Some(forced) = &change.forced {
                eprintln!("warning: forced, in spite of this: {}", forced.obstacles.join("; "));
            }
            tell_move(model, change, arguments.json)
        }
        Promotion::AlreadyThere if arguments.json => answer(&json!({ "model": model, "moved": null })),
        Promotion::AlreadyThere => {
            println!("{alias} of {model} points to version {version} already");
            Ok(DONE)
        }
    }
}

fn rollback(arguments: &RollbackArguments) -> Result<i32, Failure> {
    let registry = arguments.location.open()?;
    let change = registry.rollback(&arguments.model, &arguments.alias, &host::signature())?;
    tell_move(&arguments.model, &change, arguments.json)
}

fn tell_move(model: &str, change: &AliasChange, as_json: bool) -> Result<i32, Failure> {
    if as_json {
        return answer(&json!({ "model": model, "moved": change }));
    }
    println!("{}", table::one_move(model, change));
    Ok(DONE)
}

fn answer(json: &Value) -> Result<i32, Failure> {
    println!("{json:#}");
    Ok(DONE)
}

/// The aliases that point to `version`, in one word.
fn pointing(aliases: &Aliases, version: u32) -> String {
    aliases.of(version).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
