//! `tapeline data`: bars before anything is learned from them.

mod features;
mod ingest;

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use clap::{Args, Subcommand};
use tapeline_data_pipeline::leak::{self, LeakCertificate};
use tapeline_data_pipeline::{
    DataSpec, Purged, SourceSpec, Span, Split, SyntheticSpec, built_in_market, write_parquet,
};

use super::ConfigArguments;
use crate::failure::{DONE, FAILED, Failure};
use crate::preparation;
use crate::run_folder::RunFolder;

/// What can be done with bars.
#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Read the bars of a configuration and say what is wrong with them.
    Audit(ConfigArguments),
    /// Bring vendors' files into one audited layout of Parquet, or add what is new to it.
    Ingest(Box<ingest::Arguments>),
    /// Write bars of the built-in market as Parquet, one file for each symbol.
    Synth(SynthArguments),
    /// Prove, on your own configuration and bars, that no sample depends on a bar it cannot know.
    Leakcheck(LeakArguments),
    /// Say how many samples there are, where the spans begin and what was purged.
    Plan(ConfigArguments),
    /// List the features that can be computed: formula, parameters with their defaults, channels and warm-up.
    Features(features::Arguments),
}

/// What `synth` takes.
#[derive(Debug, Args)]
pub(super) struct SynthArguments {
    /// The folder to write to.
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    /// The market's seed.
    #[arg(long, default_value_t = SyntheticSpec::default().seed)]
    seed: u64,
    /// How many symbols.
    #[arg(long, default_value_t = SyntheticSpec::default().symbols)]
    symbols: usize,
    /// Days of one-minute bars.
    #[arg(long, default_value_t = SyntheticSpec::default().days)]
    days: usize,
    /// Correlation of the best possible forecast with the next bar's return; 0 plants nothing.
    #[arg(long, default_value_t = SyntheticSpec::default().best_ic)]
    best_ic: f64,
}

/// What `leakcheck` takes.
#[derive(Debug, Args)]
pub(super) struct LeakArguments {
    #[command(flatten)]
    config: ConfigArguments,
    /// Check a run's own configuration and bars, and leave the certificate in its folder; a registry wants one before it
    /// promotes.
    #[arg(long, value_name = "RUN", conflicts_with_all = ["config", "set"])]
    run: Option<PathBuf>,
    /// How many decisions are probed besides the last train decision.
    #[arg(long, default_value_t = 16)]
    probes: usize,
    /// Which decisions.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Also write the certificate as JSON.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(super) fn run(verb: &Verb) -> Result<i32, Failure> {
    match verb {
        Verb::Audit(arguments) => audit(arguments),
        Verb::Ingest(arguments) => ingest::run(arguments),
        Verb::Synth(arguments) => synth(arguments),
        Verb::Leakcheck(arguments) => leakcheck(arguments),
        Verb::Plan(arguments) => plan(arguments),
        Verb::Features(arguments) => features::run(arguments),
    }
}

fn audit(arguments: &ConfigArguments) -> Result<i32, Failure> {
    let checked = preparation::check(&arguments.resolve()?.config)?;
    let (_, report, fingerprint) = checked.read()?;
    println!("{report}");
    println!("fingerprint {fingerprint}");
    Ok(DONE)
}

fn synth(arguments: &SynthArguments) -> Result<i32, Failure> {
    let SynthArguments { out, seed, symbols, days, best_ic } = arguments;
    let market = SyntheticSpec { seed: *seed, symbols: *symbols, days: *days, best_ic: *best_ic };
    let source = SourceSpec { synthetic: Some(market.clone()), ..SourceSpec::default() };
    let spec = DataSpec { source, ..DataSpec::default() };
    spec.check().map_err(|report| Failure::bad_input(anyhow::anyhow!("{report}")))?;
    let bars = built_in_market(&market, Span::ZERO);
    write_parquet(&bars, out)?;
    let rows: usize = bars.iter().map(|bars| bars.close.len()).sum();
    println!(
        "{rows} one-minute bars of {} symbols in {}; their time stamps are opens",
        bars.len(),
        out.display()
    );
    Ok(DONE)
}

fn leakcheck(arguments: &LeakArguments) -> Result<i32, Failure> {
    let run = arguments.run.as_deref().map(RunFolder::open).transpose().map_err(Failure::bad_input)?;
    let config = match &run {
        Some(run) => super::config_of(run)?,
        None => arguments.config.resolve()?.config,
    };
    let checked = preparation::check(&config)?;
    let (bars, _, fingerprint) = checked.read()?;
    if let Some(run) = &run {
        check_bars(run, &fingerprint.to_string())?;
    }
    let labels = checked.tasks.labels();
    let certificate = leak::check(&checked.pipeline, &bars, labels, arguments.probes, arguments.seed)?;
    print_certificate(&certificate);
    let places = [run.map(|run| run.leak_certificate()), arguments.out.clone()];
    for path in places.iter().flatten() {
        write_certificate(path, &certificate)?;
    }
    Ok(if certificate.is_clean() { DONE } else { FAILED })
}

/// Refuses bars that a run was not trained on: a certificate about them would prove nothing of it.
fn check_bars(run: &RunFolder, fingerprint: &str) -> Result<(), Failure> {
    let path = run.lineage();
    let text = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()));
    let lineage: serde_json::Value = serde_json::from_slice(&text.map_err(Failure::bad_input)?)
        .with_context(|| format!("{} is not JSON", path.display()))
        .map_err(Failure::bad_input)?;
    match lineage.pointer("/lineage/data").and_then(serde_json::Value::as_str) {
        Some(trained_on) if trained_on == fingerprint => Ok(()),
        trained_on => Err(Failure::bad_input(anyhow!(
            "these are not the bars the run was trained on: their fingerprint is {fingerprint}, the run's is {}",
            trained_on.unwrap_or("not recorded")
        ))),
    }
}

fn write_certificate(path: &Path, certificate: &LeakCertificate) -> Result<(), Failure> {
    let json = serde_json::to_vec_pretty(certificate).map_err(Failure::failed)?;
    tapeline_artefact::replace_file(path, &json).map_err(Failure::failed)?;
    println!("certificate {}", path.display());
    Ok(())
}

fn print_certificate(certificate: &LeakCertificate) {
    let samples: usize = certificate.probes.iter().map(|probe| probe.samples).sum();
    println!(
        "{} instants probed, from {} to {}; bars after each were deleted, and in another pass poisoned",
        certificate.probes.len(),
        certificate.probes.first().map_or_else(String::new, |probe| probe.decision.to_string()),
        certificate.probes.last().map_or_else(String::new, |probe| probe.decision.to_string()),
    );
    println!(
        "{samples} windows compared; the label ends of {} samples checked",
        certificate.labelled_samples
    );
    if certificate.is_clean() {
        println!("no leak");
    }
    for leak in &certificate.leaks {
        println!("LEAK: {leak}");
    }
}

fn plan(arguments: &ConfigArguments) -> Result<i32, Failure> {
    let checked = preparation::check(&arguments.resolve()?.config)?;
    let (bars, _, _) = checked.read()?;
    let data = checked.pipeline.prepare(bars, checked.tasks.labels())?;
    let Purged { train, validation } = data.purged();
    for input in data.inputs() {
        println!(
            "{:<10} {} bars × {} channels: {}",
            input.timeframe.to_string(),
            input.length,
            input.width(),
            input.channels.join(", ")
        );
    }
    for split in Split::ALL {
        let samples = data.samples(split);
        let decision = |sample: Option<&u32>| {
            sample
                .map_or_else(|| "–".into(), |sample| data.windows().decisions()[*sample as usize].to_string())
        };
        println!(
            "{:<10} {} samples, {} … {}",
            split.to_string(),
            samples.len(),
            decision(samples.first()),
            decision(samples.last())
        );
    }
    println!("{:<10} {train} train samples, {validation} validation samples", "purged");
    Ok(DONE)
}
