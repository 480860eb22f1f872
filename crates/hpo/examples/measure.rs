//! How well and how fast samplers search; prints a JSON object. `cargo xtask bench hpo` runs it beside its peers.
//!
//! ```text
//! measure quality tpe,random --seeds 40 --trials 200 [--functions branin,mixed | --others]
//! measure overhead tpe,random [--storages memory,sqlite,postgresql://USER@HOST/DATABASE]
//! ```
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a program at the edge: it reads the clock and talks to who called it"
)]

#[path = "measure/functions.rs"]
mod functions;
#[path = "measure/overhead.rs"]
mod overhead;

use std::error::Error;
use std::time::Instant;

use functions::{Function, OTHERS, PROTOCOL};
use serde_json::{Value, json};
use tapeline_hpo::{
    AutoSampler, CmaEsSampler, Kernels, Nsga2Sampler, QmcSampler, RandomSampler, Sampler, Study, TpeSampler,
};

/// After so many trials the best so far is noted.
const CHECKPOINTS: [usize; 6] = [10, 25, 50, 100, 150, 200];

fn sampler(name: &str) -> Result<Box<dyn Sampler>, Box<dyn Error>> {
    Ok(match name {
        "random" => Box::new(RandomSampler),
        "tpe" => Box::new(TpeSampler::default()),
        "auto" => Box::new(AutoSampler::default()),
        "tpe_univariate" => Box::new(TpeSampler::with_kernels(Kernels::Single)),
        "tpe_group" => Box::new(TpeSampler::with_kernels(Kernels::Groups)),
        "cma_es" => Box::new(CmaEsSampler::default()),
        "nsga2" => Box::new(Nsga2Sampler::default()),
        "qmc" => Box::new(QmcSampler::default()),
        other => return Err(format!("no sampler is called {other}").into()),
    })
}

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let option = |name: &str| words.iter().position(|word| word == name).and_then(|at| words.get(at + 1));
    let count = |name: &str, default: usize| option(name).map_or(Ok(default), |text| text.parse());
    let (Some(what), Some(samplers)) = (words.first(), words.get(1)) else {
        return Err(
            "measure quality|overhead SAMPLER,... [--seeds N] [--trials N] [--functions NAME,... | --others] \
             [--storages NAME,...]"
                .into(),
        );
    };
    let samplers: Vec<&str> = samplers.split(',').collect();
    let result = match what.as_str() {
        "quality" => {
            let all: &[Function] =
                if words.iter().any(|word| word == "--others") { &OTHERS } else { &PROTOCOL };
            let wanted = option("--functions");
            let wanted = |function: &&Function| {
                wanted.is_none_or(|names| names.split(',').any(|name| name == function.name))
            };
            let functions: Vec<&Function> = all.iter().filter(wanted).collect();
            quality(&samplers, &functions, count("--seeds", 20)?, count("--trials", 200)?)?
        }
        "overhead" => {
            let storages = option("--storages").map_or("memory,sqlite", String::as_str);
            overhead::overhead(&samplers, &storages.split(',').collect::<Vec<_>>())?
        }
        other => return Err(format!("nothing is called {other}: quality or overhead").into()),
    };
    println!("{result}");
    Ok(())
}

/// Best values so far minus the minimum, per function and sampler: a row per seed, a column per checkpoint.
fn quality(
    samplers: &[&str],
    functions: &[&Function],
    seeds: usize,
    trials: usize,
) -> Result<Value, Box<dyn Error>> {
    let mut results = serde_json::Map::new();
    for function in functions {
        for name in samplers {
            let mut curves = Vec::new();
            let started = Stopwatch::start();
            for seed in 0..seeds as u64 {
                let study =
                    Study::minimize(function.name).seed(seed).boxed_sampler(sampler(name)?).create()?;
                let (mut best, mut row) = (f64::INFINITY, Vec::new());
                for done in 1..=trials {
                    let mut trial = study.ask()?;
                    let value = (function.run)(&mut trial)?;
                    study.tell(trial, value)?;
                    best = best.min(value);
                    if CHECKPOINTS.contains(&done) {
                        row.push(best - function.minimum);
                    }
                }
                curves.push(row);
            }
            let cpu = started.cpu_ms() / 1e3 / seeds as f64;
            results
                .insert(format!("{}/{name}", function.name), json!({"curves": curves, "cpu_s_per_run": cpu}));
        }
    }
    Ok(json!({"checkpoints": CHECKPOINTS, "results": results}))
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

/// Wall time, and CPU time of this thread where the system tells it.
struct Stopwatch {
    wall: Instant,
    cpu: Option<f64>,
}

impl Stopwatch {
    fn start() -> Self {
        Self { wall: Instant::now(), cpu: thread_cpu_ms() }
    }

    fn wall_ms(&self) -> f64 {
        self.wall.elapsed().as_secs_f64() * 1e3
    }

    /// Wall time where the system does not tell.
    fn cpu_ms(&self) -> f64 {
        match (self.cpu, thread_cpu_ms()) {
            (Some(before), Some(after)) => after - before,
            _ => self.wall_ms(),
        }
    }
}

/// Milliseconds that this thread has had a core to itself, from the scheduler of Linux.
fn thread_cpu_ms() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(text.split(' ').next()?.parse::<f64>().ok()? / 1e6)
}
