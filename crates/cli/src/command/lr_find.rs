//! `tapeline lr-find`: which learning rate a configuration wants.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use comfy_table::{Table, presets};
use tapeline_artefact::replace_file;
use tapeline_trainer::{Checkpoints, LrFindSpec, LrSweep, Run, lr_find};

use super::ConfigArguments;
use crate::failure::{DONE, Failure};
use crate::preparation;
use crate::report::sweep_svg;
use crate::signal::Interrupt;

/// Rows of the table at most: the steps between them are in the figure.
const ROWS: usize = 20;

/// What `lr-find` takes.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    config: ConfigArguments,
    /// The first learning rate that is tried.
    #[arg(long, value_name = "RATE", default_value_t = LrFindSpec::default().low)]
    low: f64,
    /// The last one; the sweep ends earlier where the loss diverges.
    #[arg(long, value_name = "RATE", default_value_t = LrFindSpec::default().high)]
    high: f64,
    /// Steps from the one to the other.
    #[arg(long, value_name = "N", default_value_t = LrFindSpec::default().steps)]
    steps: usize,
    /// Where the figure goes.
    #[arg(long, value_name = "FILE", default_value = "lr-find.svg")]
    plot: PathBuf,
}

pub(super) fn run(arguments: &Arguments) -> Result<i32, Failure> {
    let mut config = arguments.config.resolve()?.config;
    let checked = preparation::check(&config)?;
    checked.spell_out(&mut config)?;
    let (bars, audit, fingerprint) = checked.read()?;
    eprintln!("{audit}");
    let data = checked.pipeline.prepare(bars, checked.tasks.labels())?;
    let lineage = checked.lineage(&config, &data, &fingerprint);
    let network = checked.build_network(&lineage).map_err(Failure::bad_input)?;
    let interrupt = Interrupt::listen().context("cannot listen for signals")?;
    // A sweep saves nothing.
    let nowhere = Checkpoints::at(PathBuf::new());
    let run = Run { histograms: false, ..checked.run(&config, &data, network.as_ref(), &lineage, &nowhere) };
    let LrFindSpec { low, high, steps } =
        LrFindSpec { low: arguments.low, high: arguments.high, steps: arguments.steps };
    eprintln!("trying {steps} learning rates from {low:e} to {high:e}");
    let sweep = lr_find(&run, &LrFindSpec { low, high, steps }, &|| interrupt.came())?;
    print!("{}", table(&sweep));
    let rate = config.training.optimizer.learning_rate();
    println!("{}", verdict(&sweep, rate));
    if let Some(svg) = sweep_svg(&sweep) {
        replace_file(&arguments.plot, svg.as_bytes()).map_err(Failure::failed)?;
        println!("figure    {}", arguments.plot.display());
    }
    Ok(DONE)
}

fn table(sweep: &LrSweep) -> String {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY);
    table.set_header(["learning rate", "loss", "smoothed"]);
    let every = sweep.points.len().div_ceil(ROWS).max(1);
    for point in sweep.points.iter().step_by(every) {
        table.add_row([
            format!("{:.2e}", point.rate),
            format!("{:.4}", point.loss),
            format!("{:.4}", point.smoothed),
        ]);
    }
    format!("{table}\n")
}

fn verdict(sweep: &LrSweep, configured: f64) -> String {
    let end = match sweep.points.last() {
        Some(last) if sweep.diverged => format!("the loss diverges above {:.1e}", last.rate),
        _ => "the loss does not diverge; a higher --high would tell where it does".into(),
    };
    match sweep.suggestion() {
        Some(rate) => format!(
            "{end}\nit falls the fastest at {rate:.1e}; training.optimizer.learning_rate is {configured:.1e}"
        ),
        None => format!("{end}\nit falls nowhere: no learning rate is to be told from another here"),
    }
}
