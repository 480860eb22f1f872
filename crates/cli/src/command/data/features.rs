//! `tapeline data features`: what can be computed from each bar.

use clap::Args;
use tapeline_data_pipeline::feature::{self, FeatureSpec};

use crate::failure::{DONE, Failure};

/// What `features` takes.
#[derive(Debug, Args)]
pub(in crate::command) struct Arguments {
    /// Only this kind, such as `rsi`.
    #[arg(value_name = "KIND")]
    kind: Option<String>,
}

pub(in crate::command) fn run(arguments: &Arguments) -> Result<i32, Failure> {
    let Some(kind) = &arguments.kind else {
        print!("{}", feature::page());
        return Ok(DONE);
    };
    let registered = FeatureSpec::registered();
    let Some(found) = registered.iter().find(|feature| feature.kind() == kind) else {
        let kinds: Vec<_> = registered.iter().map(FeatureSpec::kind).collect();
        let kinds = kinds.join(", ");
        return Err(Failure::bad_input(anyhow::anyhow!("{kind:?} is not a feature; there are {kinds}")));
    };
    print!("{}", feature::section(*found).trim_start());
    Ok(DONE)
}
