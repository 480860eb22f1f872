//! `tapeline hpo create`: a study that workers find, and no trial yet.

use super::Wanted;
use crate::failure::{DONE, Failure};

pub(super) fn run(wanted: &Wanted) -> Result<i32, Failure> {
    let plan = wanted.plan()?;
    plan.create_or_open()?;
    println!("study     {} of {} trials", plan.name, plan.hpo.trials);
    println!("worker    tapeline hpo worker --storage '{}' --study '{}'", plan.url, plan.name);
    Ok(DONE)
}
