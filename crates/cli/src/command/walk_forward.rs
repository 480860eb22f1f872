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
use tapeline_data_pipeline::{
    Bars, Dataset, Fingerprint, Folds, FoldsSpec, HoldoutSpec, Split, SplitInstants, Symbol,
};
use tapeline_events::{Event, Journal};
use tapeline_trainer::{
    Calibration, Dispersion, EVALUATION_BATCH, Purpose, Scorecard, SpanRows, child_seed, scorecard,
};

use super::ConfigArguments;
use super::train::DEFAULT_NULL_RUNS;
use super::train::one_run::OneRun;
use super::train::several::{self, Several};
use super::train::{refuse_a_part, with_absolute_paths};
use crate::failure::{DONE, Failure};
use crate::family::{self, Family, NullKind};
use crate::openings::{Look, Opened, Openings};
use crate::progress::ProgressArguments;
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
    /// Do the same on data with nothing to find as well, and say where the real out-of-fold scores lie among those.
    #[arg(long, value_name = "KIND", value_enum, conflicts_with = "resume")]
    null: Option<NullKind>,
    /// How many walks on data with nothing to find.
    #[arg(long, value_name = "N", default_value_t = DEFAULT_NULL_RUNS, requires = "null",
          value_parser = clap::value_parser!(u64).range(tapeline_trainer::MIN_NULL_RUNS as u64..=1000))]
    null_runs: u64,
    #[command(flatten)]
    progress: ProgressArguments,
}

pub(super) fn run(arguments: &Arguments) -> Result<i32, Failure> {
    let progress = &arguments.progress;
    progress.check()?;
    let Some(path) = &arguments.resume else {
        let mut from = arguments.config.clone();
        from.set.extend(arguments.folds.map(|folds| format!("walk_forward.folds={folds}")));
        let beside = |null| Family::WalkForwardNull { null, runs: arguments.null_runs };
        let family = arguments.null.map_or(Family::WalkForward, beside);
        return several::run(family, with_absolute_paths(from.resolve()?.config)?, None, progress);
    };
    let folder = RunFolder::open(path).map_err(Failure::bad_input)?;
    refuse_a_part(&folder)?;
    match family::read(&folder)? {
        Some(family @ (Family::WalkForward | Family::WalkForwardNull { .. })) => {
            several::run(family, super::config_of(&folder)?, Some(folder), progress)
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
#[derive(Clone, Serialize)]
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
    /// The walk that it is a part of.
    pub(crate) walk: &'a RunFolder,
    /// Whether its bars are those of the configuration: looks at others are not counted.
    pub(crate) is_real: bool,
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
    let bars = std::mem::take(&mut several.bars);
    let folds = folds_of(&several, bars)?;
    let walk = Walk { folder: &several.parent, is_real: true, shuffled_with: None };
    let Some(tested) = walk.train(&several, &folds)? else { return Ok(several.interrupted()) };
    conclude(&several, &folds, tested)
}

/// The folds that the configuration makes of `bars`.
pub(super) fn folds_of(several: &Several, bars: Vec<Bars>) -> Result<Folds, Failure> {
    let (pipeline, labels) = (&several.checked.pipeline, several.checked.tasks.labels());
    Ok(pipeline.folds(bars, labels, &several.config.walk_forward)?)
}

/// A walk over folds.
pub(super) struct Walk<'a> {
    /// Its folds lie in there.
    pub(super) folder: &'a RunFolder,
    /// Whether its bars and labels are those of the configuration.
    pub(super) is_real: bool,
    /// The labels of each fold are dealt out anew with this seed.
    pub(super) shuffled_with: Option<u64>,
}

impl Walk<'_> {
    /// Trains and tests every fold, wherever it stands. `None` when a signal came.
    pub(super) fn train(&self, several: &Several, folds: &Folds) -> Result<Option<Vec<Tested>>, Failure> {
        let count = folds.instants().len();
        let mut tested = Vec::with_capacity(count);
        for number in 1..=count {
            eprintln!("fold {number} of {count}");
            let mut data = folds.dataset(number - 1)?;
            let mut fingerprint = folds.fingerprint().clone();
            if let Some(seed) = self.shuffled_with {
                data.shuffle_labels(seed);
                fingerprint = fingerprint.with(format!("labels shuffled with {seed}").as_bytes());
            }
            let fold = Fold {
                several,
                walk: self.folder,
                is_real: self.is_real,
                number,
                data: &data,
                fingerprint: &fingerprint,
            };
            match train_fold(&fold)? {
                Some(fold) => tested.push(fold),
                None => return Ok(None),
            }
        }
        Ok(Some(tested))
    }
}

/// What `tested` folds say of their test blocks, scored as a whole.
pub(super) fn out_of_fold(tested: Vec<Tested>) -> Result<Scorecard, Failure> {
    let rows = tested.into_iter().map(|fold| fold.rows).reduce(SpanRows::join);
    let rows = rows.ok_or_else(|| anyhow::anyhow!("there is no fold to score"))?;
    Ok(rows.score(OUT_OF_FOLD)?)
}

/// Trains one fold to its end, or goes on where it stands, tests it on its test block and returns its scores. `None` when a
/// signal came.
pub(crate) fn train_fold(fold: &Fold<'_>) -> Result<Option<Tested>, Failure> {
    let Fold { several, walk, is_real, number, data, fingerprint } = *fold;
    let (config, checked) = (&several.config, &several.checked);
    let folder = walk.member(&format!("fold-{number:02}"))?;
    let run = OneRun { several, config, data, fingerprint, folder: &folder };
    let Some(trained) = run.train_to_the_end()? else { return Ok(None) };

    if is_real {
        open_blocks(several, fingerprint, data.symbols())?;
    }
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
        let look = Look::of(Opened::OutOfFold, &config.data.source, data);
        let looks = Openings::of(folder.output()).count(&look)?;
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
fn open_blocks(several: &Several, bars: &Fingerprint, symbols: &[Symbol]) -> Result<(), Failure> {
    let openings = Openings::of(several.parent.output());
    let run = several.parent.name_in_output();
    let open_once = |span, what: &str| -> Result<(), Failure> {
        let look = Look::new(span, &several.config.data.source, bars, symbols);
        if !openings.is_opened_by(&run, &look)? {
            let times = openings.open(&look, &run, clock::now())?;
            eprintln!("{what} for time number {times}");
        }
        Ok(())
    };
    if several.config.walk_forward.holdout() == HoldoutSpec::Open {
        open_once(Opened::Test, "the folds hold the test span of these bars, which is opened")?;
    }
    open_once(Opened::OutOfFold, "test blocks of these bars are opened")
}

fn conclude(several: &Several, folds: &Folds, tested: Vec<Tested>) -> Result<i32, Failure> {
    let (parent, config) = (&several.parent, &several.config);
    let (batches, scores): (Vec<_>, Vec<_>) =
        tested.iter().map(|fold| (fold.batch.clone(), fold.scores.clone())).unzip();
    let card = out_of_fold(tested)?;
    predictions::write_stitched(&parent.predictions(), &batches)?;
    let json = serde_json::to_vec_pretty(&card).map_err(Failure::failed)?;
    replace_file(&parent.scores(OUT_OF_FOLD), &json).map_err(Failure::failed)?;
    let dispersion = Scores::over(&scores.iter().map(|fold| &fold.metrics.0).collect::<Vec<_>>());
    let summary = Summary { walk_forward: config.walk_forward, folds: scores, dispersion, out_of_fold: card };

    let openings = Openings::of(parent.output());
    let look_at = |span| Look::new(span, &config.data.source, folds.fingerprint(), folds.symbols());
    let looks = openings.count(&look_at(Opened::OutOfFold))?;
    let holdout = match config.walk_forward.holdout() {
        HoldoutSpec::Closed => "in no fold".to_owned(),
        HoldoutSpec::Open => {
            let times = openings.count(&look_at(Opened::Test))?;
            format!("given away; opened {} times for this data", count(times))
        }
    };
    let page = Page {
        title: format!("{}, {} folds", config.experiment, summary.folds.len()),
        facts: vec![
            ("Data".into(), folds.fingerprint().to_string()),
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
