//! `cargo xtask bench checkpoint`: the training step with checkpoints in the background against the step without.

use std::process::ExitCode;

use anyhow::Result;

use super::contest::{self, Contestant};
use crate::workspace::Workspace;

/// The training step of configs/bench/hybrid.yaml with checkpoints every so many steps, against the same step without.
///
/// Each ratio is the median over the rounds' pairs, of the mean time of a step: by the clock, and as processor time of the
/// thread that trains, which a busy machine disturbs less. The thread that writes is beside it; on a machine without a spare
/// core it takes from what is measured by the clock.
#[derive(clap::Args)]
pub(crate) struct Checkpoint {
    /// How often each is run
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Threads that share a batch
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// Steps that are counted in a round
    #[arg(long, default_value_t = 60)]
    steps: usize,
    /// Steps from one checkpoint to the next
    #[arg(long, default_value = "20,1", value_delimiter = ',')]
    every: Vec<usize>,
}

impl Checkpoint {
    pub(crate) fn run(self, workspace: &Workspace) -> Result<ExitCode> {
        let measure = contest::build_measure(workspace)?;
        let (threads, steps) = (self.threads.to_string(), self.steps.to_string());
        let settings = ["checkpoint", "--threads", &threads, "--steps", &steps];
        let mut contestants = vec![Contestant::new("without", &measure, settings)];
        for every in &self.every {
            let every = every.to_string();
            contestants.push(Contestant::new(
                "with",
                &measure,
                [&settings[..], &["--every", &every]].concat(),
            ));
        }
        contest::compete(workspace, self.rounds, &mut contestants)?;
        let [without, with @ ..] = &contestants[..] else { unreachable!("there is one without") };
        println!(
            "\n{:<24} {:>12} {:>26} {:>12} {:>26}",
            "a checkpoint", "ms a step", "ratio (least–most)", "busy ms", "ratio (least–most)"
        );
        let row = |name: &str, run: &Contestant| {
            let ratio = |figure: &str| {
                let spread = run.figures.ratio(figure, &without.figures);
                spread.map_or_else(String::new, |it| {
                    format!("{:.3} ({:.3}–{:.3})", it.median, it.least, it.most)
                })
            };
            let [wall, busy] = ["wall_ms", "busy_ms"].map(|figure| run.figures.median(figure));
            println!(
                "{name:<24} {wall:>12.2} {:>26} {busy:>12.2} {:>26}",
                ratio("wall_ms"),
                ratio("busy_ms")
            );
        };
        row("never", without);
        for (every, run) in self.every.iter().zip(with) {
            row(&format!("every {every} steps"), run);
        }
        println!(
            "{} rounds of {} steps, batch 32, {} threads; a checkpoint has {:.1} MiB",
            self.rounds,
            self.steps,
            self.threads,
            without.figures.median("checkpoint_mib")
        );
        Ok(ExitCode::SUCCESS)
    }
}
