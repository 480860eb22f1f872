//! `tapeline hpo status`: where a study stands.

use clap::Args;

use super::Which;
use crate::failure::{DONE, Failure};
use crate::tuning::summary;

/// What `hpo status` takes.
#[derive(Debug, Args)]
pub(in crate::command) struct Arguments {
    #[command(flatten)]
    which: Which,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<i32, Failure> {
    let (plan, study) = arguments.which.open()?;
    if arguments.json {
        println!("{:#}", summary::status_json(&plan, &study)?);
    } else {
        print!("{}", summary::status_text(&plan, &study)?);
    }
    Ok(DONE)
}
