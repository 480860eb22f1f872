//! `tapeline hpo worker`: one more process on a study, on this machine or another.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::{Context, anyhow};
use clap::Args;

use crate::config::StorageUrl;
use crate::failure::{DONE, Failure, INTERRUPTED};
use crate::preparation;
use crate::signal::Interrupt;
use crate::tuning::{Board, OnSignal, Orders, STORAGE_VARIABLE, Worker, retire_lost};

/// What a worker may set: where things are, not what they are.
const MOVABLE: [&str; 6] = ["output", "registry", "device", "threads", "data.source.path", "experiment"];

/// What `hpo worker` takes.
#[derive(Debug, Args)]
pub(in crate::command) struct Arguments {
    /// Where the study is remembered, `sqlite:///FILE` or `postgresql://USER@HOST/DATABASE`.
    #[arg(long, value_name = "URL", env = STORAGE_VARIABLE, hide_env_values = true)]
    storage: StorageUrl,
    /// Its name; not needed where the storage holds one study.
    #[arg(long, value_name = "NAME")]
    study: Option<String>,
    /// Where things are on this machine: output, registry, device, threads or data.source.path.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// What becomes of the running trial when a signal comes; a second signal ends it at once.
    #[arg(long, value_enum, default_value = "finish")]
    on_signal: OnSignal,
    /// Ask for each trial on standard output, and wait for leave on standard input.
    #[arg(long, hide = true)]
    follow: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<i32, Failure> {
    if let Some(set) =
        arguments.set.iter().find(|set| !MOVABLE.iter().any(|key| set.trim_start().starts_with(key)))
    {
        return Err(Failure::bad_input(anyhow!(
            "--set {set}: a worker trains what the study says; it can only be told where things are: {}",
            MOVABLE[..5].join(", ")
        )));
    }
    let plan = super::of_storage(&arguments.storage, arguments.study.as_deref(), &arguments.set)?;
    let study = plan.open()?;
    let interrupt = Interrupt::listen().context("cannot listen for signals")?;
    let stop = Arc::new(AtomicBool::new(false));
    if !arguments.follow {
        retire_lost(&study)?;
    }
    let worker = Worker {
        threads: preparation::use_threads(plan.config.threads)?,
        device: preparation::device(plan.config.device)?,
        orders: if arguments.follow {
            Orders::from_stdin(Arc::clone(&stop))
        } else {
            Orders::Until(plan.hpo.trials)
        },
        on_signal: arguments.on_signal,
        interrupt: &interrupt,
        stop,
        board: (!arguments.follow).then(|| Board::new(&plan, 1)),
        plan: &plan,
        study: &study,
    };
    worker.work()?;
    Ok(if interrupt.came() { INTERRUPTED } else { DONE })
}
