//! `tapeline hpo create`: a study that workers find, and no trial yet.

use clap::Args;
use tapeline_hpo::without_password;

use super::Which;
use crate::failure::{DONE, Failure};

/// What `hpo create` takes.
#[derive(Debug, Args)]
pub(in crate::command) struct Arguments {
    #[command(flatten)]
    which: Which,
    /// How many trials the study is to have; `hpo.trials` of the configuration.
    #[arg(long, value_name = "COUNT")]
    trials: Option<usize>,
}

pub(super) fn run(arguments: &Arguments) -> Result<i32, Failure> {
    let plan = arguments.which.plan_of(arguments.trials)?;
    plan.create_or_open()?;
    let storage = without_password(&plan.url);
    println!("study     {} of {} trials", plan.name, plan.hpo.trials);
    println!("worker    tapeline hpo worker --storage '{storage}' --study '{}'", plan.name);
    Ok(DONE)
}
