//! How well and how fast samplers search; prints a JSON object. `cargo xtask bench hpo` runs it beside its peers.
//!
//! ```text
//! measure quality tpe,random --seeds 40 --trials 200 [--functions branin,mixed | --others]
//! measure overhead tpe,random
//! ```
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a program at the edge: it reads the clock and talks to who called it"
)]

#[path = "measure/functions.rs"]
mod functions;

use std::collections::BTreeMap;
use std::error::Error;
use std::time::Instant;

use functions::{Function, OTHERS, PROTOCOL};
use serde_json::{Value, json};
use tapeline_hpo::{
    AutoSampler, CmaEsSampler, FloatDistribution, HpoError, Kernels, NewTrial, Nsga2Sampler, Param,
    QmcSampler, RandomSampler, Sampler, Study, TpeSampler, Trial, TrialRandom, TrialState,
};

/// After so many trials the best so far is noted.
const CHECKPOINTS: [usize; 6] = [10, 25, 50, 100, 150, 200];

/// Of the trials that are measured, these first ones fill caches and are left out.
const WARM_UP: usize = 2;

/// Trials that are measured.
const REPETITIONS: usize = 100;

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
            "measure quality|overhead SAMPLER,... [--seeds N] [--trials N] [--functions NAME,... | --others]"
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
        "overhead" => overhead(&samplers)?,
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

fn ten_floats(trial: &mut Trial) -> Result<f64, HpoError> {
    (0..10).map(|axis| trial.suggest_float(&format!("x{axis}"), 0.0..=1.0)).sum()
}

/// Milliseconds of ask + 10 floats + tell at a history of so many trials, in memory: the median of the wall time and, since
/// systems count it in ticks, the mean of this thread's CPU time; and seconds of whole studies.
fn overhead(samplers: &[&str]) -> Result<Value, Box<dyn Error>> {
    let mut results = serde_json::Map::new();
    for name in samplers {
        for length in [100_usize, 1_000, 5_000] {
            let study = Study::minimize("s").boxed_sampler(sampler(name)?).create()?;
            let mut random = TrialRandom::of(1, 1);
            for _ in 0..length {
                let params: BTreeMap<String, Param> = (0..10)
                    .map(|axis| {
                        let distribution = FloatDistribution::new(0.0, 1.0).into();
                        (format!("x{axis}"), Param { distribution, value: random.unit() })
                    })
                    .collect();
                let value = params.values().map(|param| param.value).sum();
                study.add(&NewTrial {
                    values: Some(vec![value]),
                    params,
                    ..NewTrial::in_state(TrialState::Complete)
                })?;
            }
            let mut wall = Vec::new();
            let mut watch = Stopwatch::start();
            for measured in 0..WARM_UP + REPETITIONS {
                if measured == WARM_UP {
                    watch = Stopwatch::start();
                }
                let one = Instant::now();
                let mut trial = study.ask()?;
                let value = ten_floats(&mut trial)?;
                study.tell(trial, value)?;
                wall.push(one.elapsed().as_secs_f64() * 1e3);
            }
            let cpu = watch.cpu_ms() / REPETITIONS as f64;
            let row = json!({"total": median(&wall[WARM_UP..]), "cpu": cpu, "first_total": wall[0]});
            results.insert(format!("memory/{length}/{name}"), row);
        }
        for length in [1_000_usize, 5_000] {
            let study = Study::minimize("s").boxed_sampler(sampler(name)?).create()?;
            let watch = Stopwatch::start();
            study.optimize(length, |trial| {
                let values =
                    (0..10).map(|axis| trial.suggest_float(&format!("x{axis}"), 0.0..=1.0).map(|x| x * x));
                values.sum::<Result<f64, HpoError>>()
            })?;
            let row = json!({"wall_s": watch.wall_ms() / 1e3, "cpu_s": watch.cpu_ms() / 1e3});
            results.insert(format!("whole/{length}/{name}"), row);
        }
    }
    Ok(json!({"results": results}))
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
