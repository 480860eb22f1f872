//! `tapeline config`: what a run would use, whether it could be used, and what may be written.

use std::io::{self, Write as _};

use clap::Subcommand;

use super::ConfigArguments;
use crate::config::json_schema;
use crate::failure::{DONE, Failure};

/// What `config` does.
#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Print the configuration with every default spelled out and the source of each value beside it.
    Show(ConfigArguments),
    /// Say `ok`, or everything that is wrong.
    Check(ConfigArguments),
    /// Print the JSON Schema of a configuration, for editors.
    Schema,
}

pub(super) fn run(verb: &Verb) -> Result<i32, Failure> {
    let text = match verb {
        Verb::Show(arguments) => arguments.resolve()?.annotated_yaml(),
        Verb::Check(arguments) => {
            arguments.resolve()?;
            "ok\n".into()
        }
        Verb::Schema => format!("{:#}\n", json_schema()),
    };
    match io::stdout().write_all(text.as_bytes()) {
        // Whoever reads has read enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(DONE),
        written => written.map(|()| DONE).map_err(Failure::failed),
    }
}
