//! `cargo xtask bench hpo`: what a search costs and what it finds, beside Optuna and Rustuna.

mod rank_test;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::python;
use crate::workspace::{self, Workspace};

/// What a search costs and what it finds, beside Optuna and Rustuna.
///
/// With Python at hand the peers are installed under `target/bench-hpo` (once) and measured in the same run, which takes about
/// fifteen minutes; without, or with `--stored`, their figures of `benches/peers/hpo` are shown. Needs no libtorch.
#[derive(clap::Args)]
pub(crate) struct Hpo {
    /// Runs of each sampler on each function
    #[arg(long, default_value_t = 20)]
    seeds: usize,
    /// Ours
    #[arg(long, value_delimiter = ',', default_value = "tpe,auto")]
    samplers: Vec<String>,
    /// Show the peers' stored figures and run none of them
    #[arg(long)]
    stored: bool,
}

/// The peers, to the version whose rules ours are held against.
const PEERS: [&str; 4] = ["optuna==5.0.0", "rustuna==0.2.0", "cmaes==0.13.1", "scipy"];

const SCRIPTS: &str = "benches/peers/hpo";

/// The trial after which results are compared.
const BUDGET: &str = "200";

/// Below this a sampler counts as worse than another.
const SIGNIFICANT: f64 = 0.05;

/// What is held against the peers: of which storage, under which name, in words.
const COSTS: [(&str, &str, &str); 3] = [
    ("memory", "cpu", "ask + 10 floats + tell in memory"),
    ("sqlite", "cpu", "ask + 10 floats + tell in SQLite"),
    ("sqlite", "open", "opening a study in SQLite and reading its trials"),
];

/// The figures of a peer.
struct Peer {
    name: &'static str,
    overhead: Value,
    quality: Value,
}

impl Hpo {
    pub(crate) fn run(self, workspace: &Workspace) -> Result<ExitCode> {
        let measure = build(workspace)?;
        let folder = workspace.metadata()?.target_directory.into_std_path_buf().join("bench-hpo");
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let python = if self.stored { None } else { peers_python(workspace) };
        let peers = match &python {
            Some(python) => self.measure_peers(workspace, python, &folder)?,
            None => stored_peers(workspace)?,
        };
        let samplers = self.samplers.join(",");
        eprintln!("tapeline: overhead");
        let overhead = ours(workspace, &measure, &["overhead", &samplers])?;
        eprintln!("tapeline: quality");
        let quality = ours(workspace, &measure, &["quality", &samplers, "--seeds", &self.seeds.to_string()])?;
        let when = if python.is_some() { "in this run" } else { "stored figures" };
        for (storage, figure, what) in COSTS {
            println!("\n{what}, CPU ms at a history of so many trials (peers: {when})\n");
            self.print_overhead(&overhead, &peers, storage, figure);
        }
        println!("\nbest − minimum after {BUDGET} trials: median (quartiles) over seeds (peers: {when})\n");
        self.print_quality(&quality, &peers);
        Ok(ExitCode::SUCCESS)
    }

    fn measure_peers(&self, workspace: &Workspace, python: &Path, folder: &Path) -> Result<Vec<Peer>> {
        let seeds = self.seeds.to_string();
        let run = |script: &str, mode: &str, arguments: &[&str]| -> Result<Value> {
            let out = folder.join(format!("{script}-{mode}.json"));
            if out.exists() {
                fs::remove_file(&out).with_context(|| format!("cannot remove {}", out.display()))?;
            }
            eprintln!("{script}: {mode}");
            let mut command = workspace.command(python);
            command.arg(format!("{SCRIPTS}/bench_{script}.py")).arg(mode).args(arguments);
            let status = workspace::run(command.arg("--out").arg(&out).stdout(Stdio::null()))?;
            ensure!(status.success(), "bench_{script}.py {mode} failed ({status})");
            read(&out)
        };
        let storages = ["--storages", "memory,sqlite"];
        let tpe = ["--storages", "memory,sqlite", "--samplers", "tpe"];
        Ok(vec![
            Peer {
                name: "optuna",
                overhead: run("optuna", "overhead", &tpe)?,
                quality: run("optuna", "quality", &["--samplers", "tpe", "--seeds", &seeds])?,
            },
            Peer {
                name: "rustuna",
                overhead: run("rustuna", "overhead", &storages)?,
                quality: run("rustuna", "quality", &["--seeds", &seeds])?,
            },
        ])
    }

    fn print_overhead(&self, ours: &Value, peers: &[Peer], storage: &str, figure: &str) {
        println!("{:<24} {:>8} {:>8} {:>8}", "", "100", "1,000", "5,000");
        let row = |name: &str, figures: &Value, sampler: &str| {
            let cell = |length: &str| {
                let figure = figures["results"][format!("{storage}/{length}/{sampler}")][figure].as_f64();
                figure.map_or_else(|| "–".to_owned(), |ms| format!("{ms:.3}"))
            };
            println!("{name:<24} {:>8} {:>8} {:>8}", cell("100"), cell("1000"), cell("5000"));
        };
        for sampler in &self.samplers {
            row(&format!("tapeline {sampler}"), ours, sampler);
        }
        for peer in peers {
            row(&format!("{} tpe", peer.name), &peer.overhead, "tpe");
        }
    }

    fn print_quality(&self, ours: &Value, peers: &[Peer]) {
        let Some(results) = ours["results"].as_object() else { return };
        let mut within = vec![0; self.samplers.len()];
        let mut functions: Vec<&str> =
            results.keys().filter_map(|key| Some(key.split_once('/')?.0)).collect();
        functions.dedup();
        println!(
            "{:<20} {:<18} {:>10} {:>26} {:>14}  against optuna",
            "", "", "median", "quartiles", "p(worse)"
        );
        for function in &functions {
            for (place, sampler) in self.samplers.iter().enumerate() {
                let last = last_column(&ours["results"][format!("{function}/{sampler}")]);
                let optuna = &peers[0].quality["results"][format!("{function}/tpe")];
                let (low, high) = (optuna["q25"][BUDGET].as_f64(), optuna["q75"][BUDGET].as_f64());
                let Some((q25, median, q75)) = quartiles(&last) else { continue };
                let worse = rank_test::probability_of_no_more(&last, &last_column(optuna));
                let verdict = match (low, high) {
                    (Some(low), _) if median < low => "better",
                    (_, Some(high)) if median <= high => "inside",
                    _ if worse.is_some_and(|p| p >= SIGNIFICANT) => "not worse",
                    _ => "worse",
                };
                within[place] += usize::from(verdict != "worse");
                let worse = worse.map_or_else(|| "–".to_owned(), |p| format!("{p:.3}"));
                let quartiles = format!("{q25:.4} – {q75:.4}");
                let name = format!("tapeline {sampler}");
                println!("{function:<20} {name:<18} {median:>10.4} {quartiles:>26} {worse:>14}  {verdict}");
            }
            for peer in peers {
                let theirs = &peer.quality["results"][format!("{function}/tpe")];
                let at = |what: &str| theirs[what][BUDGET].as_f64().unwrap_or(f64::NAN);
                let quartiles = format!("{:.4} – {:.4}", at("q25"), at("q75"));
                println!(
                    "{:<20} {:<18} {:>10.4} {quartiles:>26}",
                    "",
                    format!("{} tpe", peer.name),
                    at("median")
                );
            }
        }
        for (sampler, within) in self.samplers.iter().zip(within) {
            println!(
                "\n{sampler}: inside of Optuna's quartiles, better, or not significantly worse on {within} of {} functions",
                functions.len()
            );
        }
    }
}

/// Builds the program that measures ours and says where it is.
fn build(workspace: &Workspace) -> Result<PathBuf> {
    let arguments = ["build", "--package", "tapeline-hpo", "--example", "measure"];
    let status = workspace::run(workspace.cargo().args(arguments))?;
    ensure!(status.success(), "the program to be measured does not compile");
    Ok(workspace.metadata()?.target_directory.into_std_path_buf().join("debug/examples/measure"))
}

/// The peers' Python; none where there is no Python, or the packages cannot be had.
fn peers_python(workspace: &Workspace) -> Option<PathBuf> {
    let there = Command::new("python3").arg("--version").stdout(Stdio::null()).status();
    if !there.is_ok_and(|status| status.success()) {
        eprintln!("no python3 here: the peers' stored figures are shown");
        return None;
    }
    match python::with(workspace, "bench-hpo", &PEERS) {
        Ok(python) => Some(python),
        Err(error) => {
            eprintln!("the peers cannot be installed ({error:#}): their stored figures are shown");
            None
        }
    }
}

fn stored_peers(workspace: &Workspace) -> Result<Vec<Peer>> {
    let folder = workspace.root().join(SCRIPTS);
    let peer = |name: &'static str| -> Result<Peer> {
        Ok(Peer {
            name,
            overhead: read(&folder.join(format!("{name}_overhead.json")))?,
            quality: read(&folder.join(format!("{name}_quality.json")))?,
        })
    };
    Ok(vec![peer("optuna")?, peer("rustuna")?])
}

fn read(path: &Path) -> Result<Value> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is not JSON", path.display()))
}

fn ours(workspace: &Workspace, measure: &Path, arguments: &[&str]) -> Result<Value> {
    let output = workspace.command(measure).args(arguments).stderr(Stdio::inherit()).output();
    let output = output.with_context(|| format!("cannot start {}", measure.display()))?;
    ensure!(output.status.success(), "{} {arguments:?} failed ({})", measure.display(), output.status);
    serde_json::from_slice(&output.stdout).context("what was measured is not JSON")
}

/// What each seed had found at the end.
fn last_column(result: &Value) -> Vec<f64> {
    let curves = result["curves"].as_array().into_iter().flatten();
    curves.filter_map(|curve| curve.as_array()?.last()?.as_f64()).collect()
}

fn quartiles(values: &[f64]) -> Option<(f64, f64, f64)> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len().checked_sub(1)?;
    let at = |share: f64| {
        let place = share * last as f64;
        let (below, above) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
        below + (above - below) * place.fract()
    };
    Some((at(0.25), at(0.5), at(0.75)))
}
