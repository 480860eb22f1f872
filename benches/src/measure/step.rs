//! The training step, as `fit` does it: batch, forward, loss, backward, clip, update, schedule, events.

use std::cell::RefCell;
use std::io::Write as _;
use std::time::Instant;

use anyhow::{Result, ensure};
use tapeline_benches::RunFile;
use tapeline_events::{Event, Observer};
use tapeline_trainer::{Checkpoints, Run, Start, fit};
use tch::Device;

use crate::memory;

/// The training step of configs/bench/hybrid.yaml.
#[derive(clap::Args)]
pub(crate) struct Step {
    /// Threads that share a batch
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Steps that are not counted
    #[arg(long, default_value_t = 20)]
    warm_up: usize,
    /// Steps that are
    #[arg(long, default_value_t = 60)]
    steps: usize,
}

/// Hears everything and keeps nothing.
struct Deaf;

impl Observer for Deaf {
    fn observe(&mut self, _: &Event) {}
}

impl Step {
    pub(crate) fn run(self) -> Result<()> {
        tapeline_torch_ext::set_threads(self.threads)?;
        rayon::ThreadPoolBuilder::new().num_threads(self.threads).build_global()?;
        let prepared = RunFile::hybrid()?.prepare()?;
        let network = prepared.network()?;
        let folder = tempfile::tempdir()?;
        let checkpoints = Checkpoints::at(folder.path());
        let run = Run {
            data: &prepared.data,
            network: network.as_ref(),
            tasks: &prepared.tasks,
            training: &prepared.file.training,
            lineage: prepared.lineage(self.threads),
            checkpoints: &checkpoints,
            device: Device::Cpu,
            clock: || std::time::Duration::ZERO,
            histograms: false,
        };
        let ends = RefCell::new(Vec::with_capacity(self.warm_up + self.steps));
        let enough = || {
            let mut ends = ends.borrow_mut();
            ends.push(Instant::now());
            if ends.len() == 1 {
                say(&serde_json::json!({ "first_step": true }));
            }
            ends.len() > self.warm_up + self.steps
        };
        fit(&run, Start::Fresh, &enough, &mut Deaf)?;
        let ends = ends.into_inner();
        ensure!(ends.len() > self.warm_up + 1, "the run ended after {} steps", ends.len());
        let counted = &ends[self.warm_up..];
        let mut seconds: Vec<f64> =
            counted.windows(2).map(|pair| (pair[1] - pair[0]).as_secs_f64()).collect();
        seconds.sort_by(f64::total_cmp);
        say(&serde_json::json!({
            "samples_per_s": prepared.file.training.batch_size as f64 / seconds[seconds.len() / 2],
            "fastest_samples_per_s": prepared.file.training.batch_size as f64 / seconds[0],
            "peak_mib": memory::peak()?,
            "parameters": network.parameters().count(),
        }));
        Ok(())
    }
}

/// Prints a line at once: who called notes when it came.
fn say(line: &serde_json::Value) {
    let mut out = std::io::stdout();
    // A reader that has gone away is told nothing more.
    drop(writeln!(out, "{line}").and_then(|()| out.flush()));
}
