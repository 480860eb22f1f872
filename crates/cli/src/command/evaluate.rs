//! `tapeline evaluate`: scores of a trained run, worked out again from its artefact and the same bars.

use std::path::PathBuf;

use anyhow::{Context, anyhow};
use clap::{Args, ValueEnum};
use tapeline_artefact::{Extractor, Predictions, replace_file};
use tapeline_data_pipeline::{Dataset, HoldoutSpec, Split};
use tapeline_events::{Event, Journal};
use tapeline_trainer::{
    Calibration, EVALUATION_BATCH, Lineage, Purpose, Scorecard, TrainError, child_seed, scorecard,
};

use crate::config::RunConfig;
use crate::failure::{DONE, Failure};
use crate::family::{self, Family};
use crate::openings::{Look, Opened, Openings};
use crate::run_folder::RunFolder;
use crate::trackers::Trackers;
use crate::{clock, predictions, preparation, report, score_table, targets};

/// What `evaluate` takes.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The run's folder.
    #[arg(long, value_name = "RUN")]
    run: PathBuf,
    /// Which span. `test` opens the test span, and that is counted.
    #[arg(long, value_enum)]
    split: SplitName,
    /// End with exit code 1 if a target is missed or undefined; everything is saved first.
    #[arg(long)]
    require_targets: bool,
}

/// A span by name.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum SplitName {
    /// What was learned from.
    Train,
    /// What was chosen by.
    Validation,
    /// What nobody looked at.
    Test,
}

impl From<SplitName> for Split {
    fn from(name: SplitName) -> Self {
        match name {
            SplitName::Train => Self::Train,
            SplitName::Validation => Self::Validation,
            SplitName::Test => Self::Test,
        }
    }
}

pub(super) fn run(arguments: &Arguments) -> Result<i32, Failure> {
    let split = Split::from(arguments.split);
    let folder = RunFolder::open(&arguments.run).map_err(Failure::bad_input)?;
    let config = super::config_of(&folder)?;
    targets::check_required(arguments.require_targets, &config.targets)?;
    let checked = preparation::check(&config)?;
    let extractor = Extractor::load(&folder.artefact(), checked.device)
        .with_context(|| {
            format!("{} has no usable artefact; was its training finished?", folder.path().display())
        })
        .map_err(Failure::bad_input)?;
    let lineage: Lineage = serde_json::from_value(extractor.description().lineage.clone())
        .context("the artefact's lineage cannot be understood")?;

    let (bars, _, fingerprint) = checked.read()?;
    if fingerprint.to_string() != lineage.data {
        return Err(Failure::bad_input(anyhow!(
            "these are not the bars the run was trained on: their fingerprint is {fingerprint}, the run's is {}",
            lineage.data
        )));
    }
    let labels = checked.tasks.labels();
    let data = checked.pipeline.prepare_with(bars, labels, &extractor.description().fitted)?;
    refuse_another_run(&checked.lineage(&config, &data, &fingerprint), &lineage)?;
    if data.samples(split).is_empty() {
        return Err(Failure::from(TrainError::EmptySpan { split }));
    }

    let mut journal = Journal::open(&folder.journal(), clock::now).map_err(Failure::failed)?.journal;
    let openings = Openings::of(folder.output());
    let look_at = |span| Look::of(span, &config.data.source, &data);
    if split == Split::Test {
        let (span, what) = match is_closed_fold(&folder, &config)? {
            true => (Opened::OutOfFold, "test blocks of these bars are"),
            false => (Opened::Test, "the test span of these bars is"),
        };
        let times = openings.open(&look_at(span), &folder.name_in_output(), clock::now())?;
        if span == Opened::Test {
            journal.append(&Event::TestSpanOpened { times, fingerprint: lineage.data.clone() });
        }
        eprintln!("{what} opened for time number {times}");
    }

    let said = |split| -> Result<Predictions, Failure> {
        extractor.predict(&data, data.samples(split), EVALUATION_BATCH).map_err(Failure::failed)
    };
    let validation = said(Split::Validation)?;
    let calibration = Calibration::on_validation(&data, &checked.tasks, &validation);
    let seed = child_seed(config.seed, Purpose::Bootstrap, 0);
    let own = if split == Split::Validation { validation.clone() } else { said(split)? };
    let card = scorecard(&data, &checked.tasks, split, &own, &calibration, seed)?;
    journal.append(&Event::Scored { split: card.split.clone(), metrics: card.metrics.clone() });
    targets::check(&folder, &config.targets, &card.metrics, &mut journal)?;

    let mut spans = vec![(Split::Validation, &validation)];
    if split != Split::Validation {
        spans.push((split, &own));
    }
    keep(&folder, &data, &checked.tasks, &card, &spans)?;
    let cards = folder.scorecards()?;
    report::write(&folder, &cards, openings.count(&look_at(Opened::Test))?)?;
    let outcomes = targets::read(&folder)?;
    print!("{}{}", score_table::render(&card), targets::render(&outcomes));
    println!("report    {}", folder.report().display());
    drop(journal);
    Trackers::start(&config, &folder)?.finish(&folder, false);
    if arguments.require_targets {
        targets::require(&outcomes)?;
    }
    Ok(DONE)
}

/// Scores of other windows, labels or heads than the artefact's would pass for its own.
fn refuse_another_run(configured: &Lineage, of_artefact: &Lineage) -> Result<(), Failure> {
    // How it was trained, and on what machine, is past.
    let configured = Lineage {
        pipeline: configured.pipeline.clone(),
        labels: configured.labels.clone(),
        tasks: configured.tasks.clone(),
        network: configured.network.clone(),
        ..of_artefact.clone()
    };
    Ok(configured.ensure_is(of_artefact)?)
}

/// Whether this is a fold of a walk-forward that leaves the test span closed: what it tests on is a block of its own.
fn is_closed_fold(folder: &RunFolder, config: &RunConfig) -> Result<bool, Failure> {
    let Some(walk) = folder.parent() else { return Ok(false) };
    let family = family::read(&RunFolder::open(walk).map_err(Failure::bad_input)?)?;
    let walks = matches!(family, Some(Family::WalkForward | Family::WalkForwardNull { .. }));
    Ok(walks && config.walk_forward.holdout() == HoldoutSpec::Closed)
}

fn keep(
    folder: &RunFolder,
    data: &Dataset,
    tasks: &tapeline_trainer::Tasks,
    card: &Scorecard,
    spans: &[(Split, &Predictions)],
) -> Result<(), Failure> {
    predictions::write(&folder.predictions(), data, tasks, spans)?;
    let json = serde_json::to_vec_pretty(card).map_err(Failure::failed)?;
    replace_file(&folder.scores(&card.split), &json).map_err(Failure::failed)
}
