//! `tapeline hpo run`: a search from its configuration to its report.

use anyhow::{Context, anyhow};
use clap::Args;

use super::{Wanted, report, retrain};
use crate::config::{DeviceSpec, ThreadsSpec};
use crate::failure::{DONE, Failure, INTERRUPTED};
use crate::signal::Interrupt;
use crate::tuning::{Board, Crew, CrewPlan, OnSignal, Orders, Plan, Standing, Worker, retire_lost, summary};
use crate::{host, preparation};

/// What `hpo run` takes.
#[derive(Debug, Args)]
pub(in crate::command) struct Arguments {
    #[command(flatten)]
    wanted: Wanted,
    /// Trials side by side, each in a process of its own with a share of the cores.
    #[arg(long, value_name = "COUNT", default_value_t = 1)]
    jobs: usize,
    /// What becomes of running trials when a signal comes; a second signal ends everything at once.
    #[arg(long, value_enum, default_value = "interrupt")]
    on_signal: OnSignal,
}

pub(super) fn run(arguments: &Arguments) -> Result<i32, Failure> {
    if arguments.jobs == 0 {
        return Err(Failure::bad_input(anyhow!("--jobs: 0 is too few; give at least 1")));
    }
    let plan = arguments.wanted.plan()?;
    let study = plan.create_or_open()?;
    retire_lost(&study)?;
    eprintln!("study {} in {}", plan.name, plan.url);
    if plan.objectives.len() > 1 {
        eprintln!("note: with several objectives no trial is given up early, and the result is a front");
    }
    let interrupt = Interrupt::listen().context("cannot listen for signals")?;
    let mut board = Board::new(&plan, arguments.jobs);
    if arguments.jobs == 1 {
        let worker = Worker {
            plan: &plan,
            study: &study,
            threads: preparation::use_threads(plan.config.threads)?,
            device: preparation::device(plan.config.device)?,
            orders: Orders::Until(plan.hpo.trials),
            on_signal: arguments.on_signal,
            interrupt: &interrupt,
            stop: std::sync::Arc::default(),
            board: Some(board),
        };
        worker.work()?;
    } else {
        board.show(&study)?;
        Crew::start(&plan, &study, crew_plan(&plan, arguments))?.work(&interrupt, &mut board)?;
        drop(board);
    }
    if interrupt.came() {
        report::write(&plan, &study)?;
        eprintln!("stopped; the same command goes on");
        return Ok(INTERRUPTED);
    }
    let standing = Standing::of(study.record(), &*study.history()?);
    if standing.complete == 0 {
        return Err(Failure::failed(anyhow!(
            "none of {} trials was trained to its end: {} failed, {} were pruned; `tapeline hpo status` says why",
            standing.spent,
            standing.failed,
            standing.pruned
        )));
    }
    if let Some(spec) = plan.hpo.retrain {
        if arguments.jobs > 1 {
            preparation::use_threads(plan.config.threads)?;
        }
        if retrain::retrain(&plan, &study, spec, &interrupt)?.is_none() {
            eprintln!("stopped; the same command goes on");
            return Ok(INTERRUPTED);
        }
    }
    let path = report::write(&plan, &study)?;
    print!("{}", summary::text(&plan, &study)?);
    println!("report    {}", path.display());
    Ok(DONE)
}

/// The cores are divided, and devices handed out in turn.
fn crew_plan(plan: &Plan, arguments: &Arguments) -> CrewPlan {
    let threads = match plan.config.threads {
        ThreadsSpec::Auto => (host::cores() / arguments.jobs).max(1),
        ThreadsSpec::Count(threads) => threads,
    };
    let gpus = usize::try_from(tch::Cuda::device_count()).unwrap_or_default();
    let devices = match plan.config.device {
        DeviceSpec::Auto if gpus > 0 => (0..gpus).map(|index| format!("cuda:{index}")).collect(),
        device => vec![device.to_string()],
    };
    CrewPlan { jobs: arguments.jobs, threads, devices, on_signal: arguments.on_signal }
}
