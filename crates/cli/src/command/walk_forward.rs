//! `tapeline walk-forward`: fold after fold is trained and tested on what it has not seen, and what all of them said of their
//! test blocks is scored as a whole.
//!
//! The test blocks are opened by this, and that is counted like a look at the test span. The test span itself, which is the
//! newest share of the bars, is in no fold unless `walk_forward.holdout` gives it away; then the look counts as one at it, too.

use std::path::PathBuf;

use arrow::record_batch::RecordBatch;
use clap::Args;
use serde::Serialize;
use tapeline_artefact::{Predictions, replace_file};
use tapeline_data_pipeline::{Dataset, Fingerprint, Folds, FoldsSpec, HoldoutSpec, Split, SplitInstants};
use tapeline_events::{Event, Journal};
use tapeline_trainer::{
    Calibration, Dispersion, EVALUATION_BATCH, Purpose, Scorecard, SpanRows, child_seed, scorecard,
};

use super::ConfigArguments;
use super::train::one_run::OneRun;
use super::train::several::{self, Several};
use super::train::with_absolute_paths;
use crate::failure::{DONE, Failure};
use crate::family::{self, Family};
use crate::openings::{Opened, Openings};
use crate::report::number::count;
use crate::run_folder::RunFolder;
use crate::summary::{Page, Scores, SummaryTable, dispersion_table, fold_table};
use crate::{clock, predictions, report, score_table};

/// The name of what all folds say together.
const OUT_OF_FOLD: &str = "out_of_fold";

/// What `walk-forward` takes.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    config: ConfigArguments,
    /// How many folds, in the place of `walk_forward.folds`.
    #[arg(long, value_name = "N", conflicts_with = "resume")]
    folds: Option<usize>,
    /// Go on with an interrupted walk-forward, at the fold and the step where it was.
    #[arg(long, value_name = "RUN", conflicts_with_all = ["config", "set"])]
    resume: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments) -> Result<i32, Failure> {
    let Some(path) = &arguments.resume else {
        let mut from = arguments.config.clone();
        from.set.extend(arguments.folds.map(|folds| format!("walk_forward.folds={folds}")));
        return several::run(Family::WalkForward, with_absolute_paths(from.resolve()?.config)?, None);
    };
    let folder = RunFolder::open(path).map_err(Failure::bad_input)?;
    match family::read(&folder)? {
        Some(Family::WalkForward) => {
            several::run(Family::WalkForward, super::config_of(&folder)?, Some(folder))
        }
        _ => Err(Failure::bad_input(anyhow::anyhow!("{} is no walk-forward", path.display()))),
    }
}

/// What all folds came to.
#[derive(Serialize)]
struct Summary {
    walk_forward: FoldsSpec,
    folds: Vec<FoldScores>,
    /// Of the folds' scores on their test blocks.
    dispersion: Scores<Dispersion>,
    /// What all folds say of their test blocks, scored as a whole.
    out_of_fold: Scorecard,
}

/// A fold's scores on its test block.
#[derive(Serialize)]
pub(crate) struct FoldScores {
    /// Counted from 1.
    pub(crate) fold: usize,
    pub(crate) split: SplitInstants,
    /// Train, validation and test decisions.
    pub(crate) samples: [usize; 3],
    pub(crate) from: String,
    pub(crate) to: String,
    /// By name, without the name of a span.
    pub(crate) metrics: Scores<Option<f64>>,
}

/// One fold as it is trained and tested.
pub(crate) struct Fold<'a> {
    pub(crate) several: &'a Several,
    /// Counted from 1.
    pub(crate) number: usize,
    pub(crate) data: &'a Dataset,
    pub(crate) fingerprint: &'a Fingerprint,
}

/// What came of a fold.
pub(crate) struct Tested {
    pub(crate) scores: FoldScores,
    /// Its test block, for scores of all folds together.
    pub(crate) rows: SpanRows,
    batch: RecordBatch,
}

/// Trains the folds of the configuration one after another, wherever they stand, and scores them.
pub(super) fn train_folds(mut several: Several) -> Result<i32, Failure> {
    let spec = several.config.walk_forward;
    let bars = std::mem::take(&mut several.bars);
    let folds = several.checked.pipeline.folds(bars, several.checked.tasks.labels(), &spec)?;
    let count = folds.instants().len();
    let mut tested = Vec::with_capacity(count);
    for number in 1..=count {
        eprintln!("fold {number} of {count}");
        let data = folds.dataset(number - 1)?;
        let fold = Fold { several: &several, number, data: &data, fingerprint: folds.fingerprint() };
        match train_fold(&fold)? {
            Some(fold) => tested.push(fold),
            None => return Ok(several.interrupted()),
        }
    }
    conclude(&several, &folds, tested)
}

/// Trains one fold to its end, or goes on where it stands, tests it on its test block and returns its scores. `None` when a
/// signal came.
pub(crate) fn train_fold(fold: &Fold<'_>) -> Result<Option<Tested>, Failure> {
    let Fold { several, number, data, fingerprint } = *fold;
    let (config, checked) = (&several.config, &several.checked);
    let folder = several.parent.member(&format!("fold-{number:02}"))?;
    let run = OneRun { config, checked, data, fingerprint, audit: &several.audit, folder: &folder };
    let Some(trained) = run.train_to_the_end(&several.interrupt)? else { return Ok(None) };

    open_blocks(several, fingerprint)?;
    let said = |split| -> Result<Predictions, Failure> {
        trained.extractor.predict(data, data.samples(split), EVALUATION_BATCH).map_err(Failure::failed)
    };
    let (validation, test) = (said(Split::Validation)?, said(Split::Test)?);
    let calibration = Calibration::on_validation(data, &checked.tasks, &validation);
    let seed = child_seed(config.seed, Purpose::Bootstrap, 0);
    let card = scorecard(data, &checked.tasks, Split::Test, &test, &calibration, seed)?;
    let path = folder.scores(&card.split);
    if !path.exists() {
        let mut journal = Journal::open(&folder.journal(), clock::now).map_err(Failure::failed)?.journal;
        journal.append(&Event::Scored { split: card.split.clone(), metrics: card.metrics.clone() });
        let spans = [(Split::Validation, &validation), (Split::Test, &test)];
        predictions::write(&folder.predictions(), data, &checked.tasks, &spans)?;
        let json = serde_json::to_vec_pretty(&card).map_err(Failure::failed)?;
        replace_file(&path, &json).map_err(Failure::failed)?;
        let looks = Openings::of(folder.output()).count_of(Opened::OutOfFold, &fingerprint.to_string())?;
        report::write(&folder, &folder.scorecards()?, looks)?;
    }
    Ok(Some(Tested {
        batch: predictions::out_of_fold(data, &checked.tasks, number, &test)?,
        rows: SpanRows::new(data, &checked.tasks, Split::Test, &test, &calibration, seed)?,
        scores: FoldScores {
            fold: number,
            split: data.fitted().split,
            samples: Split::ALL.map(|split| data.samples(split).len()),
            from: card.from,
            to: card.to,
            metrics: Scores(card.metrics).without_span(),
        },
    }))
}

/// Writes down that this run looks at the test blocks of these bars, once.
fn open_blocks(several: &Several, fingerprint: &Fingerprint) -> Result<(), Failure> {
    let openings = Openings::of(several.parent.output());
    let (run, data) = (several.parent.id(), fingerprint.to_string());
    if openings.is_opened_by(&run, Opened::OutOfFold, &data)? {
        return Ok(());
    }
    if several.config.walk_forward.holdout() == HoldoutSpec::Open {
        let times = openings.open(&data, &run, clock::now())?;
        eprintln!("the folds hold the test span of these bars, which is opened for time number {times}");
    }
    let times = openings.open_span(Opened::OutOfFold, &data, &run, clock::now())?;
    eprintln!("test blocks of these bars are opened for time number {times}");
    Ok(())
}

fn conclude(several: &Several, folds: &Folds, tested: Vec<Tested>) -> Result<i32, Failure> {
    let (parent, config) = (&several.parent, &several.config);
    let mut batches = Vec::new();
    let mut scores = Vec::new();
    let mut rows: Option<SpanRows> = None;
    for fold in tested {
        batches.push(fold.batch);
        scores.push(fold.scores);
        rows = Some(match rows {
            Some(earlier) => earlier.join(fold.rows),
            None => fold.rows,
        });
    }
    let rows = rows.ok_or_else(|| anyhow::anyhow!("there is no fold to score"))?;
    let card = rows.score(OUT_OF_FOLD)?;
    predictions::write_stitched(&parent.predictions(), &batches)?;
    let json = serde_json::to_vec_pretty(&card).map_err(Failure::failed)?;
    replace_file(&parent.scores(OUT_OF_FOLD), &json).map_err(Failure::failed)?;
    let dispersion = Scores::over(&scores.iter().map(|fold| &fold.metrics.0).collect::<Vec<_>>());
    let summary = Summary { walk_forward: config.walk_forward, folds: scores, dispersion, out_of_fold: card };

    let data = folds.fingerprint().to_string();
    let openings = Openings::of(parent.output());
    let looks = openings.count_of(Opened::OutOfFold, &data)?;
    let holdout = match config.walk_forward.holdout() {
        HoldoutSpec::Closed => "in no fold".to_owned(),
        HoldoutSpec::Open => {
            format!("given away; opened {} times for this data", count(openings.count(&data)?))
        }
    };
    let page = Page {
        title: format!("{}, {} folds", config.experiment, summary.folds.len()),
        facts: vec![
            ("Data".into(), data),
            (
                "Test blocks".into(),
                format!("looked at by {} walk-forward runs, this one included", count(looks)),
            ),
            ("Test span".into(), holdout),
        ],
        tables: vec![fold_table(&summary.folds), dispersion_table("Scores over folds", &summary.dispersion)],
        cards: vec![summary.out_of_fold.clone()],
    };
    page.write(parent, config, &summary)?;
    for table in &page.tables {
        print!("{}", SummaryTable::text(table));
    }
    print!("{}", score_table::render(&summary.out_of_fold));
    println!("runs      {}", parent.path().display());
    println!("forecasts {}", parent.predictions().display());
    println!("report    {}", parent.report().display());
    Ok(DONE)
}
