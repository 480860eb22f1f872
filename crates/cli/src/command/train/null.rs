//! `tapeline train --null` and `tapeline walk-forward --null`: the same pipeline where there is nothing to find, so that a
//! score can be told from chance.

use serde::Serialize;
use tapeline_data_pipeline::{Dataset, Fingerprint, random_walk};
use tapeline_trainer::{NullBand, Purpose, Tasks, child_seed, metric};

use super::one_run::OneRun;
use super::several::Several;
use crate::command::walk_forward::{self, Walk, folds_of};
use crate::failure::{DONE, Failure};
use crate::family::{self, Family, NullKind};
use crate::summary::{Page, Scores, SummaryTable, null_table};

/// A run beside others on data with nothing to find.
#[derive(Serialize)]
struct Summary {
    null: NullKind,
    real: Scores<Option<f64>>,
    nulls: Vec<Scores<Option<f64>>>,
    /// By metric.
    bands: Scores<NullBand>,
}

/// Trains the real run and `runs` null runs, and says where the real score lies among theirs.
pub(super) fn train_beside_nulls(several: &Several, null: NullKind, runs: u64) -> Result<i32, Failure> {
    let checked = &several.checked;
    let mut scores = Vec::new();
    for number in 0..=runs {
        let (name, data, fingerprint) = if number == 0 {
            eprintln!("the real run");
            let data = checked.pipeline.prepare(several.bars.clone(), checked.tasks.labels())?;
            ("real".to_owned(), data, several.fingerprint.clone())
        } else {
            eprintln!("{} {number} of {runs}", null.name());
            let (data, fingerprint) = with_nothing_to_find(several, null, number)?;
            (format!("null-{number:02}"), data, fingerprint)
        };
        let folder = several.parent.member(&name)?;
        let run = OneRun {
            several,
            config: &several.config,
            data: &data,
            fingerprint: &fingerprint,
            folder: &folder,
        };
        let Some(trained) = run.train_to_the_end()? else {
            return Ok(several.interrupted());
        };
        scores.push(Scores(trained.validation.metrics));
    }
    let how = "All scores are of the validation span, and all runs chose their epoch by it.";
    conclude(several, null, scores, how)
}

/// Walks over the folds of the real data and of `runs` null data, and says where the real out-of-fold score lies among theirs.
pub(super) fn walk_beside_nulls(mut several: Several, null: NullKind, runs: u64) -> Result<i32, Failure> {
    let bars = std::mem::take(&mut several.bars);
    let unchanged = folds_of(&several, bars.clone())?;
    let mut scores = Vec::new();
    for number in 0..=runs {
        let seed = child_seed(several.config.seed, Purpose::Null, number);
        let is_real = number == 0;
        let name = if is_real { "real".to_owned() } else { format!("null-{number:02}") };
        match number {
            0 => eprintln!("the real walk"),
            number => eprintln!("{} {number} of {runs}", null.name()),
        }
        let folder = several.parent.member(&name)?;
        family::write(&folder, Family::WalkForward)?;
        let walked = match null {
            NullKind::RandomWalk if !is_real => Some(folds_of(&several, random_walk(&bars, seed))?),
            _ => None,
        };
        let shuffled_with = (null == NullKind::ShuffleLabels && !is_real).then_some(seed);
        let walk = Walk { folder: &folder, is_real, shuffled_with };
        let Some(tested) = walk.train(&several, walked.as_ref().unwrap_or(&unchanged))? else {
            return Ok(several.interrupted());
        };
        scores.push(Scores(walk_forward::out_of_fold(tested)?.metrics));
    }
    let how = "All scores are of what the folds say of their test blocks, stitched together; each fold chose its epoch by its own \
               validation block.";
    conclude(&several, null, scores, how)
}

/// Says where the first of `scores` lies among the others. `how` is how they came about.
fn conclude(
    several: &Several,
    null: NullKind,
    mut scores: Vec<Scores<Option<f64>>>,
    how: &str,
) -> Result<i32, Failure> {
    let real = scores.remove(0);
    let runs = scores.len() as u64;
    let bands = bands(&real, &scores, &several.checked.tasks);
    let summary = Summary { null, real, nulls: scores, bands };
    let mut note = format!(
        "The band is where one more of the {runs} null runs would lie with a confidence of 95 % (Student's prediction interval); \
         the rank counts the real run among them, 1 being the best. {how}"
    );
    if null == NullKind::RandomWalk {
        note.push_str(
            " A random walk leaves volatility as it was: only scores of returns have nothing to find.",
        );
    }
    let page = Page {
        title: format!("{} beside {runs} runs on {}", several.config.experiment, null.name()),
        facts: vec![("Data".into(), several.fingerprint.to_string())],
        tables: vec![null_table(note, &summary.real, &summary.bands, runs)],
        cards: Vec::new(),
    };
    page.write(&several.parent, &several.config, &summary)?;
    print!("{}", SummaryTable::text(&page.tables[0]));
    println!("runs      {}", several.parent.path().display());
    println!("report    {}", several.parent.report().display());
    Ok(DONE)
}

/// Null data number `number`, and a fingerprint that no real bars have.
fn with_nothing_to_find(
    several: &Several,
    null: NullKind,
    number: u64,
) -> Result<(Dataset, Fingerprint), Failure> {
    let (pipeline, labels) = (&several.checked.pipeline, several.checked.tasks.labels());
    let seed = child_seed(several.config.seed, Purpose::Null, number);
    Ok(match null {
        NullKind::RandomWalk => {
            let data = pipeline.prepare(random_walk(&several.bars, seed), labels)?;
            let fingerprint = data.fingerprint().clone();
            (data, fingerprint)
        }
        NullKind::ShuffleLabels => {
            let mut data = pipeline.prepare(several.bars.clone(), labels)?;
            data.shuffle_labels(seed);
            let fingerprint = data.fingerprint().with(format!("labels shuffled with {seed}").as_bytes());
            (data, fingerprint)
        }
    })
}

fn bands(real: &Scores<Option<f64>>, nulls: &[Scores<Option<f64>>], tasks: &Tasks) -> Scores<NullBand> {
    let of_metric = |(name, real): (&String, &Option<f64>)| {
        // Whatever the span is called, a metric is better the same way.
        let (_, bare) = name.split_once('/')?;
        let direction = metric::find(&format!("validation/{bare}"), tasks).ok()?.direction;
        let nulls: Vec<Option<f64>> = nulls.iter().map(|null| null.0.get(name).copied().flatten()).collect();
        Some((name.clone(), NullBand::of(*real, &nulls, direction == metric::Direction::Maximise)))
    };
    Scores(real.0.iter().filter_map(of_metric).collect())
}
