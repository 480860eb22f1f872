//! What checkpoints cost the training: the same steps with and without them, as `fit` does them, with a journal on the disk.

use std::cell::RefCell;
use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use tapeline_benches::RunFile;
use tapeline_events::Journal;
use tapeline_trainer::{Checkpoints, Run, Start, fit};
use tch::Device;

/// The training step of configs/bench/hybrid.yaml, saved every so many steps.
#[derive(clap::Args)]
pub(crate) struct Checkpoint {
    /// Steps from one checkpoint to the next; without it there is none
    #[arg(long)]
    every: Option<usize>,
    /// Threads that share a batch
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// Steps that are not counted
    #[arg(long, default_value_t = 10)]
    warm_up: usize,
    /// Steps that are
    #[arg(long, default_value_t = 60)]
    steps: usize,
}

/// Where the training thread is in time.
struct Moment {
    wall: Instant,
    /// Nanoseconds that it was on a processor.
    busy: u64,
}

impl Moment {
    fn now() -> Result<Self> {
        let schedule =
            fs::read_to_string("/proc/thread-self/schedstat").context("cannot read its own times")?;
        let busy = schedule.split(' ').next().and_then(|word| word.parse().ok());
        Ok(Self { wall: Instant::now(), busy: busy.context("the kernel counts no times of threads")? })
    }
}

impl Checkpoint {
    pub(crate) fn run(self) -> Result<()> {
        tapeline_torch_ext::set_threads(self.threads)?;
        rayon::ThreadPoolBuilder::new().num_threads(self.threads).build_global()?;
        let mut prepared = RunFile::hybrid()?.prepare()?;
        let policy = &mut prepared.file.training.checkpointing;
        (policy.every_n_steps, policy.every_n_epochs) = (self.every, usize::MAX);
        let network = prepared.network(Device::Cpu)?;
        let folder = tempfile::tempdir()?;
        let checkpoints = Checkpoints::at(folder.path().join("checkpoints"));
        let run = Run {
            data: &prepared.data,
            network: network.as_ref(),
            tasks: &prepared.tasks,
            training: &prepared.file.training,
            lineage: prepared.lineage(self.threads, Device::Cpu),
            checkpoints: &checkpoints,
            device: Device::Cpu,
            clock: || std::time::Duration::ZERO,
            histograms: false,
        };
        let ends = RefCell::new(Vec::with_capacity(self.warm_up + self.steps + 1));
        let enough = || {
            let mut ends = ends.borrow_mut();
            ends.push(Moment::now());
            ends.len() > self.warm_up + self.steps
        };
        let mut journal = Journal::open(&folder.path().join("journal.jsonl"), String::new)?.journal;
        fit(&run, Start::Fresh, &enough, &mut journal)?;
        let ends = ends.into_inner().into_iter().collect::<Result<Vec<Moment>>>()?;
        ensure!(ends.len() > self.warm_up + 1, "the run ended after {} steps", ends.len());
        let (first, last) = (&ends[self.warm_up], &ends[ends.len() - 1]);
        let steps = (ends.len() - 1 - self.warm_up) as f64;
        // The mean and no median: what a checkpoint costs comes once in many steps.
        let line = serde_json::json!({
            "wall_ms": (last.wall - first.wall).as_secs_f64() * 1e3 / steps,
            "busy_ms": (last.busy - first.busy) as f64 / 1e6 / steps,
            "checkpoint_mib": mebibytes_in(&checkpoints.folder().join(checkpoints.newest()?.name))?,
        });
        println!("{line}");
        Ok(())
    }
}

fn mebibytes_in(folder: &Path) -> Result<f64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        bytes += entry?.metadata()?.len();
    }
    Ok(bytes as f64 / f64::from(1 << 20))
}
