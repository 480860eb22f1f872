//! What commands that make several runs begin with, and how they stop.

use tapeline_artefact::replace_file;
use tapeline_data_pipeline::{AuditReport, Bars, Fingerprint};

use crate::command::walk_forward;
use crate::config::{RunConfig, resolved_yaml};
use crate::failure::{Failure, INTERRUPTED};
use crate::family::{self, Family};
use crate::preparation::{self, Checked};
use crate::progress::ProgressArguments;
use crate::run_folder::RunFolder;
use crate::signal::Interrupt;

use super::{null, seeds};

/// Bars and configuration of several runs, and the folder that they lie in.
pub(crate) struct Several {
    pub(crate) config: RunConfig,
    pub(crate) checked: Checked,
    pub(crate) bars: Vec<Bars>,
    pub(crate) audit: AuditReport,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) parent: RunFolder,
    pub(crate) interrupt: Interrupt,
    /// How the progress of each run is shown.
    pub(crate) progress: ProgressArguments,
}

/// Makes the runs of `family` in a new folder, or goes on with those in `parent`.
pub(crate) fn run(
    family: Family,
    mut config: RunConfig,
    parent: Option<RunFolder>,
    progress: &ProgressArguments,
) -> Result<i32, Failure> {
    let checked = preparation::check(&config)?;
    checked.spell_out(&mut config)?;
    let (bars, audit, fingerprint) = checked.read()?;
    eprintln!("{audit}");
    let interrupt = Interrupt::listen().map_err(Failure::failed)?;
    let parent = match parent {
        Some(parent) => parent,
        None => {
            let parent = RunFolder::create(&config.output, &config.experiment, &jiff::Zoned::now())?;
            replace_file(&parent.config(), resolved_yaml(&config).as_bytes()).map_err(Failure::failed)?;
            family::write(&parent, family)?;
            parent
        }
    };
    let several = Several {
        config,
        checked,
        bars,
        audit,
        fingerprint,
        parent,
        interrupt,
        progress: progress.of_several(),
    };
    match family {
        Family::WalkForward => walk_forward::train_folds(several),
        Family::Seeds { seeds } => seeds::train_seeds(&several, seeds),
        Family::Null { null, runs } => null::train_beside_nulls(&several, null, runs),
        Family::WalkForwardNull { null, runs } => null::walk_beside_nulls(several, null, runs),
    }
}

impl Several {
    /// Says how to go on after a signal; the exit code of that.
    pub(crate) fn interrupted(&self) -> i32 {
        let program = std::env::current_exe().unwrap_or_else(|_| "tapeline".into());
        eprintln!("go on with: {} train --resume {}", program.display(), self.parent.path().display());
        INTERRUPTED
    }
}
