//! `tapeline hpo retrain`: the best configurations again, with other seeds.

use std::path::Path;

use anyhow::{Context, anyhow};
use clap::Args;
use tapeline_hpo::Study;

use super::{Which, report};
use crate::command::{config_of, registry, train};
use crate::config::{RetrainSpec, RunConfig};
use crate::failure::{DONE, Failure, INTERRUPTED};
use crate::preparation;
use crate::run_folder::{OF_RETRAINING, RunFolder};
use crate::signal::Interrupt;
use crate::tuning::{Plan, is_same_run, retrained};

/// What `hpo retrain` takes.
#[derive(Debug, Args)]
pub(in crate::command) struct Arguments {
    #[command(flatten)]
    which: Which,
    /// So many configurations, the best by their trials.
    #[arg(long, value_name = "COUNT")]
    top: Option<usize>,
    /// So many seeds for each, none of them the study's.
    #[arg(long, value_name = "COUNT")]
    seeds: Option<usize>,
    /// Register the winner as the next version of this model.
    #[arg(long, value_name = "MODEL")]
    register: Option<String>,
}

pub(super) fn run(arguments: &Arguments) -> Result<i32, Failure> {
    let (plan, study) = arguments.which.open()?;
    let usual = plan.hpo.retrain.unwrap_or_default();
    let spec = RetrainSpec {
        top: arguments.top.unwrap_or(usual.top),
        seeds: arguments.seeds.unwrap_or(usual.seeds),
    };
    if spec.top == 0 || spec.seeds == 0 {
        return Err(Failure::bad_input(anyhow!("--top and --seeds: 0 is too few; give at least 1")));
    }
    let interrupt = Interrupt::listen().context("cannot listen for signals")?;
    preparation::use_threads(plan.config.threads)?;
    let Some(table) = retrain(&plan, &study, spec, &interrupt)? else {
        eprintln!("stopped; the same command goes on");
        return Ok(INTERRUPTED);
    };
    print!("{}", table.text());
    println!("report    {}", report::write(&plan, &study)?.display());
    let Some(run) = table.winner().and_then(retrained::Row::middle_run) else { return Ok(DONE) };
    match &arguments.register {
        Some(model) => registry::add_run(&run, model),
        None => {
            println!(
                "register  tapeline registry add --run {} --model {}",
                run.display(),
                plan.config.experiment
            );
            Ok(DONE)
        }
    }
}

/// Trains the best configurations again, and the default beside them; what was trained before is not trained twice. `None` when
/// a signal came before the end.
pub(super) fn retrain(
    plan: &Plan,
    study: &Study,
    spec: RetrainSpec,
    interrupt: &Interrupt,
) -> Result<Option<retrained::Retrained>, Failure> {
    let metric = retrained::metric(plan)?;
    let threads = match plan.config.threads {
        crate::config::ThreadsSpec::Auto => crate::host::cores(),
        crate::config::ThreadsSpec::Count(threads) => threads,
    };
    let device = preparation::device(plan.config.device)?;
    let mut rows = retrained::candidates(plan, study, spec.top)?;
    for row in &mut rows {
        for seed in retrained::seeds(plan.config.seed, spec.seeds) {
            let mut config = RunConfig {
                seed,
                output: plan.config.output.clone(),
                ..plan.config_with(&row.values).map_err(Failure::bad_input)?
            };
            let checked = preparation::sections(&config, threads, device)?;
            checked.spell_out(&mut config)?;
            let name = format!("{OF_RETRAINING}{:05}-seed-{seed}", row.trial);
            let folder = folder_of(&config, &plan.folder, &name)?;
            if let Some(value) = retrained::score_in(&folder, &metric)? {
                row.push(seed, value, folder.path());
                continue;
            }
            eprintln!("trial {} again, with seed {seed}", row.trial);
            match train::whole_run(&config, &checked, &folder, interrupt)? {
                Some(card) => {
                    row.push(seed, card.metrics.get(&metric.metric).copied().flatten(), folder.path());
                }
                None => return Ok(None),
            }
        }
    }
    let table = retrained::Retrained::new(metric, rows);
    table.write(plan)?;
    Ok(Some(table))
}

/// The folder in `parent` that `config` was, or is to be, trained in again. One of that name may hold another run: of a study of
/// that name that is gone, or of a try with `--set`.
fn folder_of(config: &RunConfig, parent: &Path, name: &str) -> Result<RunFolder, Failure> {
    for attempt in 1.. {
        let name = if attempt == 1 { name.to_owned() } else { format!("{name}-{attempt}") };
        match RunFolder::open(&parent.join(name)) {
            Ok(folder) if is_same_run(&config_of(&folder)?, config) => return Ok(folder),
            Ok(_) => {}
            Err(_) => break,
        }
    }
    Ok(RunFolder::create_in(parent, name)?)
}
