//! `tapeline hpo report`: the study as one HTML file.

use std::path::PathBuf;

use clap::Args;
use tapeline_artefact::replace_file;
use tapeline_hpo::Study;

use super::Which;
use crate::failure::{DONE, Failure};
use crate::report::study::{StudyInput, render};
use crate::tuning::{Plan, Standing, retrained, summary};

/// What `hpo report` takes.
#[derive(Debug, Args)]
pub(in crate::command) struct Arguments {
    #[command(flatten)]
    which: Which,
}

pub(super) fn run(arguments: &Arguments) -> Result<i32, Failure> {
    let (plan, study) = arguments.which.open()?;
    println!("report    {}", write(&plan, &study)?.display());
    Ok(DONE)
}

/// Writes the report; the old one stays whole until the new one is.
pub(super) fn write(plan: &Plan, study: &Study) -> Result<PathBuf, Failure> {
    let history = study.history()?;
    let retrained = retrained::read(plan)?;
    let page = render(&StudyInput {
        plan,
        record: study.record(),
        history: &history,
        standing: &Standing::of(study.record(), &history),
        deflated: summary::deflated(plan, study)?,
        retrained: retrained.as_ref(),
    });
    let path = plan.folder.join("report.html");
    replace_file(&path, page.as_bytes()).map_err(Failure::failed)?;
    Ok(path)
}
