//! `cargo xtask libtorch`: choose, lay out, show.

use std::process::ExitCode;

use anyhow::Result;

use super::{Chosen, Request, preflight};
use crate::workspace::Workspace;

/// Choose the libtorch to build against, lay it out if need be, and print its folder.
///
/// The choice is remembered in `.cargo/libtorch.toml`, so that a plain `cargo build` and the editor use the same one.
/// Changing it compiles torch-sys anew (3 to 4 minutes).
#[derive(clap::Args)]
pub(crate) struct Libtorch {
    #[command(flatten)]
    request: Request,
    /// Lay it out again even if it is whole
    #[arg(long)]
    force: bool,
    /// Only print which one it would be; change nothing
    #[arg(long, conflicts_with = "force")]
    print: bool,
}

impl Libtorch {
    pub(crate) fn run(self, workspace: &Workspace) -> Result<ExitCode> {
        preflight::require_supported()?;
        let chosen = Chosen::new(workspace, &self.request)?;
        if !self.print {
            chosen.make_ready(self.force)?;
        }
        println!("{}", chosen.folder().display());
        eprintln!("libtorch: {}", chosen.origin());
        Ok(ExitCode::SUCCESS)
    }
}
