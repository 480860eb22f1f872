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
    /// Where the network is: `cpu`, or `cuda` for the first GPU
    #[arg(long, default_value = "cpu", value_parser = device)]
    device: Device,
    /// Samples a step; those of the configuration unless given
    #[arg(long)]
    batch: Option<usize>,
    /// `fp32`, `tf32`, `bf16` or `fp16`; that of the configuration unless given
    #[arg(long)]
    precision: Option<String>,
}

fn device(text: &str) -> Result<Device, String> {
    match text {
        "cpu" => Ok(Device::Cpu),
        "cuda" if tch::Cuda::is_available() => Ok(Device::Cuda(0)),
        "cuda" => Err("libtorch finds no GPU".into()),
        other => Err(format!("{other:?} is neither cpu nor cuda")),
    }
}

/// A GPU has done everything that it was told when this returns.
fn wait_for(device: Device) {
    if let Device::Cuda(index) = device {
        tch::Cuda::synchronize(index as i64);
    }
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
        let mut file = RunFile::hybrid()?;
        if let Some(batch) = self.batch {
            file.training.batch_size = batch;
        }
        if let Some(precision) = &self.precision {
            file.training.precision = serde_json::from_value(precision.as_str().into())?;
        }
        let prepared = file.prepare()?;
        let network = prepared.network(self.device)?;
        let folder = tempfile::tempdir()?;
        let checkpoints = Checkpoints::at(folder.path());
        let run = Run {
            data: &prepared.data,
            network: network.as_ref(),
            tasks: &prepared.tasks,
            training: &prepared.file.training,
            lineage: prepared.lineage(self.threads, self.device),
            checkpoints: &checkpoints,
            device: self.device,
            clock: || std::time::Duration::ZERO,
            histograms: false,
        };
        let ends = RefCell::new(Vec::with_capacity(self.warm_up + self.steps));
        let enough = || {
            let mut ends = ends.borrow_mut();
            // Before the steps that count and after them: in between nobody waits, as in a run.
            if ends.len() == self.warm_up || ends.len() == self.warm_up + self.steps {
                wait_for(self.device);
            }
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
        let batch = prepared.file.training.batch_size as f64;
        say(&serde_json::json!({
            "samples_per_s": batch / seconds[seconds.len() / 2],
            "mean_samples_per_s": batch * seconds.len() as f64 / seconds.iter().sum::<f64>(),
            "fastest_samples_per_s": batch / seconds[0],
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
