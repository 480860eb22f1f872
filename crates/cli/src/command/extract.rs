//! `tapeline extract`: features and forecasts of any bars, for whoever trades on them.

use std::path::PathBuf;

use anyhow::{Context, anyhow};
use clap::{Args, ValueEnum};
use tapeline_artefact::{Extractor, Registry};
use tapeline_data_pipeline::{DataSpec, Dataset, Pipeline, Split, Stamp, Symbol, SymbolsSpec, Timestamp};

use super::evaluate::SplitName;
use super::registry::Location;
use crate::config::{DeviceSpec, ThreadsSpec};
use crate::failure::{DONE, Failure, INTERRUPTED};
use crate::feature_file::{Ending, Extraction};
use crate::preparation;
use crate::run_folder::RunFolder;
use crate::signal::Interrupt;

/// What `extract` takes.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// A run's folder; its artefact is used.
    #[arg(long, value_name = "RUN", conflicts_with_all = ["model", "alias", "registry", "config"])]
    run: Option<PathBuf>,
    /// A registered model.
    #[arg(long, value_name = "NAME", required_unless_present = "run")]
    model: Option<String>,
    /// An alias of the model, or a version's number.
    #[arg(long, value_name = "NAME", default_value = "champion")]
    alias: String,
    #[command(flatten)]
    location: Location,
    /// Other bars than those that were trained on: a file or a folder with the same columns.
    #[arg(long, value_name = "PATH")]
    data: Option<PathBuf>,
    /// Which end of a bar the times of `--data` name, where the artefact does not say.
    #[arg(long, value_enum, requires = "data")]
    stamp: Option<StampName>,
    /// Only these symbols, or `all`; without it, those that were trained on.
    #[arg(long, value_name = "SYMBOL", value_delimiter = ',')]
    symbols: Vec<String>,
    /// The Parquet file to write.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Only the decisions of one span.
    #[arg(long, value_enum)]
    split: Option<SplitName>,
    /// Only decisions from this instant on, such as 2024-01-31T00:00:00Z.
    #[arg(long, value_name = "INSTANT")]
    from: Option<Timestamp>,
    /// Only decisions before this instant.
    #[arg(long, value_name = "INSTANT")]
    until: Option<Timestamp>,
    /// auto, cpu, cuda or cuda:1.
    #[arg(long, default_value_t)]
    device: DeviceSpec,
}

/// An end of a bar by name.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum StampName {
    /// The bar's first instant.
    Open,
    /// The instant it ended.
    Close,
}

pub(super) fn run(arguments: &Arguments) -> Result<i32, Failure> {
    let threads = preparation::use_threads(ThreadsSpec::Auto)?;
    tracing::debug!(threads, "extracting");
    let (extractor, model_id) = arguments.extractor()?;
    let description = extractor.description();
    let pipeline = arguments.pipeline(&description.data)?;
    let (bars, audit, _) = preparation::read(&pipeline)?;
    eprintln!("{audit}");
    let data = pipeline.prepare_with(bars, &description.labels, &description.fitted)?;
    let samples = arguments.samples(&data)?;
    // Until here there was nothing to lose: a signal ended the process at once.
    let interrupt = Interrupt::listen().context("cannot listen for signals")?;
    let extraction =
        Extraction { extractor: &extractor, model_id: &model_id, data: &data, samples: &samples };
    if extraction.write(&arguments.out, &|| interrupt.came())? == Ending::Stopped {
        eprintln!("nothing was written");
        return Ok(INTERRUPTED);
    }
    let decision = |sample: Option<&u32>| sample.map(|sample| data.windows().decisions()[*sample as usize]);
    let split = description.fitted.split;
    let is_new = |sample: &&u32| !split.is_in_sample(data.windows().decisions()[**sample as usize]);
    let new = samples.iter().filter(is_new);
    let ends = [decision(samples.first()), decision(samples.last())];
    let [first, last] = ends.map(|end| end.map_or_else(String::new, |end| end.to_string()));
    println!("{} decisions of {} symbols, {first} … {last}", samples.len(), data.symbols().len());
    println!("{} of them out of sample; the test span begins at {}", new.count(), split.test_from);
    println!("model     {model_id}");
    println!("features  {}", arguments.out.display());
    Ok(DONE)
}

impl Arguments {
    /// The extractor, and what it is called in the file.
    fn extractor(&self) -> Result<(Extractor, String), Failure> {
        let device = preparation::device(self.device)?;
        if let Some(run) = &self.run {
            let folder = RunFolder::open(run).map_err(Failure::bad_input)?;
            let extractor = Extractor::load(&folder.artefact(), device)
                .with_context(|| {
                    format!("{} has no usable artefact; was its training finished?", run.display())
                })
                .map_err(Failure::bad_input)?;
            let id = extractor.id().to_owned();
            return Ok((extractor, id));
        }
        let model = self.model.as_deref().unwrap_or_default();
        let registry: Registry = self.location.open()?.on(device);
        let version = registry.version(model, &self.alias)?;
        let extractor = registry.load(model, version)?;
        let id = format!("{model}/{version}@{}", extractor.id());
        Ok((extractor, id))
    }

    /// The artefact's own way from bars to windows, with other bars where some are named.
    fn pipeline(&self, trained_on: &DataSpec) -> Result<Pipeline, Failure> {
        let mut spec = trained_on.clone();
        if let Some(path) = &self.data {
            spec.source.path = Some(path.clone());
            spec.source.synthetic = None;
            // The span that was trained on says nothing of other bars.
            (spec.source.start, spec.source.end) = (None, None);
            let stamp = self.stamp.map(|stamp| match stamp {
                StampName::Open => Stamp::Open,
                StampName::Close => Stamp::Close,
            });
            spec.source.stamp = stamp.or(spec.source.stamp);
            if spec.source.stamp.is_none() {
                return Err(Failure::bad_input(anyhow!(
                    "do the times in {} name the open or the close of a bar? The artefact was not trained on files; say \
                     --stamp open or --stamp close",
                    path.display()
                )));
            }
        }
        match &self.symbols[..] {
            [] => {}
            [all] if all == "all" => spec.source.symbols = SymbolsSpec::All,
            names => spec.source.symbols = SymbolsSpec::Only(names.iter().map(Symbol::new).collect()),
        }
        spec.check().map_err(|report| Failure::bad_input(anyhow!("{report}")))
    }

    /// The decisions that were asked for. Without a word, all of them: purged ones, and those whose labels do not exist yet.
    fn samples(&self, data: &Dataset) -> Result<Vec<u32>, Failure> {
        let decisions = data.windows().decisions();
        let wanted = |sample: &u32| {
            let decision = decisions[*sample as usize];
            self.from.is_none_or(|from| decision >= from) && self.until.is_none_or(|until| decision < until)
        };
        let samples: Vec<u32> = match self.split {
            Some(split) => data.samples(Split::from(split)).iter().copied().filter(wanted).collect(),
            None => (0..decisions.len() as u32).filter(wanted).collect(),
        };
        if samples.is_empty() {
            let ends = [decisions.first(), decisions.last()];
            let [first, last] = ends.map(|end| end.map_or_else(String::new, ToString::to_string));
            return Err(Failure::bad_input(anyhow!(
                "there is no such decision; these bars give {} decisions, {first} … {last}, and the test span begins at {}",
                decisions.len(),
                data.fitted().split.test_from
            )));
        }
        Ok(samples)
    }
}
