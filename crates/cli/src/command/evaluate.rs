//! `tapeline evaluate`: scores of a trained run, worked out again from its artefact and the same bars.

use std::path::PathBuf;

use anyhow::{Context, anyhow};
use clap::{Args, ValueEnum};
use tapeline_artefact::{Extractor, Predictions, replace_file};
use tapeline_data_pipeline::{Dataset, Split};
use tapeline_events::{Event, Journal};
use tapeline_trainer::{Calibration, EVALUATION_BATCH, Lineage, Purpose, Scorecard, child_seed, scorecard};

use crate::failure::{DONE, Failure};
use crate::openings::Openings;
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
    if data.samples(split).is_empty() {
        return Err(Failure::from(tapeline_trainer::TrainError::EmptySpan { split }));
    }

    let mut journal = Journal::open(&folder.journal(), clock::now).map_err(Failure::failed)?.journal;
    let openings = Openings::of(folder.output());
    if split == Split::Test {
        let times = openings.open(&lineage.data, &folder.id(), clock::now())?;
        journal.append(&Event::TestSpanOpened { times, fingerprint: lineage.data.clone() });
        eprintln!("the test span of these bars is opened for time number {times}");
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
    report::write(&folder, &cards, openings.count(&lineage.data)?)?;
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
