//! What a trial costs at a given history, and what it costs to open a study: CPU time (a mean for trials, the median
//! for opening).
//!
//! ```text
//! cargo run -p tapeline-hpo --example storage_speed -- sqlite:////tmp/speed.db 1000 5000
//! ```
//!
//! A trial is ask, ten `suggest_float`, tell, with random search, so that it is the storage that is measured.
#![expect(clippy::print_stdout, reason = "this is a program, and this is what it says")]
#![expect(clippy::disallowed_methods, reason = "a program reads the clock and its arguments")]

use std::fs;
use std::sync::Arc;
use std::time::Instant;

use tapeline_hpo::{
    FloatDistribution, HpoError, RandomSampler, Storage, StorageOptions, Study, open_storage,
};

/// Trials that are measured at each history.
const MEASURED: usize = 101;
/// Times that a study is opened.
const OPENED: usize = 11;

/// CPU time of this process, user and system, in milliseconds; Linux counts it in steps of a clock tick, so it is only good
/// for sums.
/// CPU time of the thread that runs all of it, in milliseconds, as Linux counts it.
fn cpu_ms() -> f64 {
    let stat = fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    let nanoseconds = stat.split(' ').next().and_then(|word| word.parse::<f64>().ok());
    nanoseconds.unwrap_or_default() / 1e6
}

fn median(mut of: Vec<f64>) -> f64 {
    of.sort_by(f64::total_cmp);
    of[of.len() / 2]
}

fn trial(study: &Study) -> Result<(), HpoError> {
    let mut trial = study.ask()?;
    let mut sum = 0.0;
    for place in 0..10 {
        sum += trial.suggest_float(&format!("x{place}"), FloatDistribution::new(0.0, 1.0))?;
    }
    study.tell(trial, sum).map(drop)
}

fn main() -> Result<(), HpoError> {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().unwrap_or_else(|| "sqlite:///storage_speed.db".to_owned());
    let histories: Vec<usize> = arguments.filter_map(|word| word.parse().ok()).collect();
    let open = || open_storage(&url, &StorageOptions::default()).map(Arc::<dyn Storage>::from);
    let storage = open()?;
    let name = "storage speed";
    if storage.study(name).is_ok() {
        storage.delete_study(storage.study(name)?.id)?;
    }
    let study = Study::minimize(name).storage(storage).sampler(RandomSampler).create()?;
    let mut made = 0;
    for history in histories {
        while made < history {
            trial(&study)?;
            made += 1;
        }
        let (mut wall, before) = (Vec::new(), cpu_ms());
        for _ in 0..MEASURED {
            let started = Instant::now();
            trial(&study)?;
            wall.push(started.elapsed().as_secs_f64() * 1e3);
        }
        let cpu = (cpu_ms() - before) / MEASURED as f64;
        made += MEASURED;
        let mut opening = Vec::new();
        for _ in 0..OPENED {
            let before = cpu_ms();
            let storage = open()?;
            let again = Study::minimize(name).storage(storage).sampler(RandomSampler).open()?;
            assert!(again.history()?.trials().len() >= made);
            opening.push(cpu_ms() - before);
        }
        let (wall, opening) = (median(wall), median(opening));
        println!(
            "{history} trials: {cpu:.2} ms CPU (median {wall:.2} ms) a trial, {opening:.1} ms CPU to open and read"
        );
    }
    Ok(())
}
