//! `cargo xtask bench windows`: batches gathered on the host, against a PyTorch DataLoader.

use std::fs;
use std::process::ExitCode;

use anyhow::{Context as _, Result};

use super::contest::{self, Contestant};
use crate::workspace::Workspace;

/// Windows and targets gathered from the tables of configs/bench/hybrid.yaml, against a PyTorch Dataset that slices the same
/// tables and a DataLoader.
///
/// The peer's first batch is compared with ours, number by number. Ours also writes recency and age into each window.
#[derive(clap::Args)]
pub(crate) struct Windows {
    /// How often each is run
    #[arg(long, default_value_t = 5)]
    rounds: usize,
}

/// Ours and the peer with one batch size.
struct Pair {
    batch: &'static str,
    contestants: Vec<Contestant>,
}

impl Windows {
    pub(crate) fn run(self, workspace: &Workspace) -> Result<ExitCode> {
        let measure = contest::build_measure(workspace)?;
        let python = contest::peers_python(workspace)?;
        let folder = workspace.metadata()?.target_directory.into_std_path_buf().join("bench/windows");
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let tables = folder.to_string_lossy().into_owned();
        contest::prepare(&measure, &["windows", "--export", &tables])?;
        let ours = |name, threads, batch| {
            Contestant::new(name, &measure, ["windows", "--threads", threads, "--batch", batch])
        };
        let peer = |name, workers, batch| {
            let script = "benches/peers/torch_windows.py";
            Contestant::new(name, &python, [script, &tables, "--workers", workers, "--batch", batch])
        };
        let mut pairs = ["32", "256"].map(|batch| Pair {
            batch,
            contestants: vec![
                ours("tapeline, 1 thread", "1", batch),
                ours("tapeline, 2 threads", "2", batch),
                peer("DataLoader, no worker", "0", batch),
                peer("DataLoader, 2 workers", "2", batch),
            ],
        });
        for pair in &mut pairs {
            contest::compete(workspace, self.rounds, &mut pair.contestants)?;
        }
        println!("\n{:<24} {:>6} {:>30} {:>14}", "", "batch", "windows/s (least–most)", "against best");
        for pair in &pairs {
            print_rows(pair);
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Each against the faster of the peers.
fn print_rows(pair: &Pair) {
    let rate = |contestant: &Contestant| contestant.figures.median("windows_per_s");
    let best = pair.contestants[2..].iter().map(rate).fold(f64::NAN, f64::max);
    for contestant in &pair.contestants {
        let Some(spread) = contestant.figures.spread("windows_per_s") else { continue };
        let windows = format!("{:.0} ({:.0}–{:.0})", spread.median, spread.least, spread.most);
        let ratio = format!("{:.1}×", spread.median / best);
        println!("{:<24} {:>6} {windows:>30} {ratio:>14}", contestant.name, pair.batch);
    }
}
