//! `cargo xtask bench train`: the training step against PyTorch and Lightning.

use std::process::ExitCode;

use anyhow::Result;

use super::contest::{self, Contestant};
use crate::workspace::Workspace;

/// Forward and backward pass of one sample through the network of configs/bench/hybrid.yaml, counted by hand: convolutions,
/// LSTM and projections, without what zeros would cost.
const GFLOP_PER_SAMPLE: f64 = 0.156;

/// The training step of configs/bench/hybrid.yaml against the same network in PyTorch, raw and under Lightning.
///
/// Ours goes through `fit`: windows gathered from tables, masked losses, events. It reads 8 channels in the base and 10 in the
/// higher timeframes; the peer reads 8 in each. Its first step counts the making and preparing of its bars, the peer's the
/// making of its random numbers.
#[derive(clap::Args)]
pub(crate) struct Train {
    /// How often each is run
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Threads for each
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Steps that are counted in a round
    #[arg(long, default_value_t = 60)]
    steps: usize,
}

impl Train {
    pub(crate) fn run(self, workspace: &Workspace) -> Result<ExitCode> {
        let measure = contest::build_measure(workspace)?;
        let python = contest::peers_python(workspace)?;
        let (threads, steps) = (self.threads.to_string(), self.steps.to_string());
        let ours = ["step", "--threads", &threads, "--steps", &steps];
        let peer = |name, kind| {
            let script = "benches/peers/torch_hybrid.py";
            let arguments =
                [script, "--device", "cpu", "--loop", kind, "--threads", &threads, "--steps", &steps];
            Contestant::new(name, &python, arguments)
        };
        let mut contestants = [
            Contestant::new("tapeline", &measure, ours),
            peer("PyTorch", "raw"),
            peer("Lightning", "lightning"),
            peer("PyTorch, our environment", "raw").with_our_environment(),
            peer("Lightning, our environment", "lightning").with_our_environment(),
            Contestant::new("matrix product", &measure, ["gemm", "--threads", &threads]),
        ];
        contest::compete(workspace, self.rounds, &mut contestants)?;
        let [runs @ .., product] = &contestants;
        // The best of all rounds: what the machine can do.
        let peak = product.figures.spread("gflop_per_s").map_or(f64::NAN, |spread| spread.most);
        print_table(runs, peak);
        println!(
            "{} rounds of {} steps, batch 32, {} threads; peak of a matrix product {peak:.0} GFLOP/s; \
             {GFLOP_PER_SAMPLE} GFLOP a sample",
            self.rounds, self.steps, self.threads
        );
        Ok(ExitCode::SUCCESS)
    }
}

fn print_table(runs: &[Contestant], peak: f64) {
    println!(
        "\n{:<28} {:>22} {:>8} {:>8} {:>12} {:>10}",
        "", "samples/s (least–most)", "ours is", "of peak", "first step", "memory"
    );
    let ours = runs.first().map_or(f64::NAN, |run| run.figures.median("samples_per_s"));
    for run in runs {
        let Some(rate) = run.figures.spread("samples_per_s") else { continue };
        let samples = format!("{:.0} ({:.0}–{:.0})", rate.median, rate.least, rate.most);
        let ratio = format!("{:.2}×", ours / rate.median);
        let share = format!("{:.0} %", 100.0 * rate.median * GFLOP_PER_SAMPLE / peak);
        let first = format!("{:.2} s", run.figures.median("first_step_from_start_s"));
        let memory = format!("{:.0} MiB", run.figures.median("peak_mib"));
        println!("{:<28} {samples:>22} {ratio:>8} {share:>8} {first:>12} {memory:>10}", run.name);
    }
}
