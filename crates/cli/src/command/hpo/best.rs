//! `tapeline hpo best` and `tapeline hpo pareto`: the trials worth looking at.

use std::path::PathBuf;

use anyhow::anyhow;
use clap::Args;
use tapeline_artefact::replace_file;

use super::Which;
use crate::config::resolved_yaml;
use crate::failure::{DONE, Failure};
use crate::tuning::{Standing, summary};

/// What `hpo best` takes.
#[derive(Debug, Args)]
pub(in crate::command) struct Arguments {
    #[command(flatten)]
    which: Which,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
    /// Write the best configuration to this file, for `tapeline train --config FILE`.
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
}

/// What `hpo pareto` takes.
#[derive(Debug, Args)]
pub(in crate::command) struct ParetoArguments {
    #[command(flatten)]
    which: Which,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<i32, Failure> {
    let (plan, study) = arguments.which.open()?;
    if plan.objectives.len() > 1 {
        return Err(Failure::bad_input(anyhow!(
            "study {} has {} objectives, so no trial is the best; `tapeline hpo pareto` lists those that no other beats",
            plan.name,
            plan.objectives.len()
        )));
    }
    let standing = Standing::of(study.record(), &*study.history()?);
    let best = standing.best.ok_or_else(|| {
        Failure::failed(anyhow!(
            "study {} has no complete trial yet; `tapeline hpo status` says more",
            plan.name
        ))
    })?;
    if let Some(path) = &arguments.write {
        let config = plan.config_with(&summary::values(&best)).map_err(Failure::bad_input)?;
        replace_file(path, resolved_yaml(&config).as_bytes()).map_err(Failure::failed)?;
    }
    if arguments.json {
        println!("{:#}", summary::best_json(&plan, &study, &best)?);
    } else {
        print!("{}", summary::best_text(&plan, &study, &best)?);
    }
    Ok(DONE)
}

pub(super) fn pareto(arguments: &ParetoArguments) -> Result<i32, Failure> {
    let (plan, study) = arguments.which.open()?;
    let front = study.front()?;
    if arguments.json {
        let trials: Vec<_> = front.iter().map(|trial| summary::trial_json(&plan, trial)).collect();
        println!("{:#}", serde_json::Value::from(trials));
    } else if front.is_empty() {
        println!("no complete trial yet");
    } else {
        print!("{}", summary::trial_table(&plan, &front));
    }
    Ok(DONE)
}
