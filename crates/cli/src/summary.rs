//! What several runs came to: tables for a terminal and for a page, and the same as JSON.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Table, TableStyle, presets};
use serde::Serialize;
use tapeline_artefact::replace_file;
use tapeline_trainer::{Dispersion, NullBand, Scorecard};

use crate::command::walk_forward::FoldScores;
use crate::config::{RunConfig, resolved_yaml};
use crate::failure::Failure;
use crate::report;
use crate::report::number::{compact, count, or_undefined};
use crate::run_folder::RunFolder;

/// Columns that a log or a terminal is taken to have.
const WIDTH: u16 = 110;
/// Lines above, under the header and below, and none between the rows.
const STYLE: TableStyle = presets::UTF8_HORIZONTAL_ONLY.row_separator(LineStyle::none());
/// The scores that a table of folds has columns for, by task: where skill stands first.
const FOLD_SCORES: [(&str, &str); 3] = [
    ("price_prediction", "rank_ic_series"),
    ("volatility_estimation", "r2_log"),
    ("regime_detection", "mcc"),
];
/// So many columns of them at most, so that the table fits.
const MOST_FOLD_SCORES: usize = 5;

/// Something for each metric.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(transparent)]
pub(crate) struct Scores<T>(pub(crate) BTreeMap<String, T>);

impl<T> Scores<T> {
    /// Under names without that of their span.
    pub(crate) fn without_span(self) -> Self {
        let bare = |name: String| name.split_once('/').map_or(name.clone(), |(_, bare)| bare.to_owned());
        Self(self.0.into_iter().map(|(name, value)| (bare(name), value)).collect())
    }
}

impl Scores<Dispersion> {
    /// How the scores of several runs spread, by metric.
    pub(crate) fn over(runs: &[&BTreeMap<String, Option<f64>>]) -> Self {
        let names = runs.iter().flat_map(|run| run.keys());
        let spread = |name: &String| Dispersion::of(runs.iter().map(|run| run.get(name).copied().flatten()));
        Self(names.map(|name| (name.clone(), spread(name))).collect())
    }
}

/// A table of names and figures.
pub(crate) struct SummaryTable {
    pub(crate) heading: String,
    pub(crate) note: String,
    pub(crate) columns: Vec<String>,
    /// As long as `columns` each; the first cell is the row's name.
    pub(crate) rows: Vec<Vec<String>>,
}

impl SummaryTable {
    /// As text, with a line break at its end.
    pub(crate) fn text(&self) -> String {
        let mut table = Table::new();
        table.load_style(STYLE).set_content_arrangement(ContentArrangement::Dynamic).set_width(WIDTH);
        table.set_header(&self.columns);
        for (index, column) in table.column_iter_mut().enumerate() {
            column.set_padding((0, 1));
            if index > 0 {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        for row in &self.rows {
            table.add_row(row);
        }
        format!("{}\n{}\n", self.heading, table.trim_fmt())
    }
}

/// What is told about several runs.
pub(crate) struct Page {
    pub(crate) title: String,
    /// Name and text.
    pub(crate) facts: Vec<(String, String)>,
    pub(crate) tables: Vec<SummaryTable>,
    /// Spans that were scored as a whole.
    pub(crate) cards: Vec<Scorecard>,
}

impl Page {
    /// Writes the page and `summary` into `folder`.
    pub(crate) fn write(
        &self,
        folder: &RunFolder,
        config: &RunConfig,
        summary: &impl Serialize,
    ) -> Result<(), Failure> {
        let json = serde_json::to_vec_pretty(summary).map_err(Failure::failed)?;
        replace_file(&folder.summary(), &json).map_err(Failure::failed)?;
        let page = report::render_several(self, &folder.id(), &resolved_yaml(config));
        replace_file(&folder.report(), page.as_bytes()).map_err(Failure::failed)
    }
}

/// Mean, standard deviation, least and greatest of each metric.
pub(crate) fn dispersion_table(heading: &str, scores: &Scores<Dispersion>) -> SummaryTable {
    let row = |(name, spread): (&String, &Dispersion)| {
        let figure = |value| or_undefined(value, compact);
        vec![
            name.clone(),
            figure(spread.mean),
            spread.std.map_or_else(String::new, |std| format!("± {}", compact(std))),
            figure(spread.min),
            figure(spread.max),
            format!("{} of {}", spread.defined, spread.defined + spread.undefined),
        ]
    };
    SummaryTable {
        heading: heading.into(),
        note: "The standard deviation has the divisor n − 1. What is undefined is counted and left out."
            .into(),
        columns: ["metric", "mean", "std", "least", "greatest", "defined"].map(Into::into).into(),
        rows: scores.0.iter().filter(|(_, spread)| spread.defined > 0).map(row).collect(),
    }
}

/// Every metric of every run.
pub(crate) fn scores_table(
    heading: &str,
    runs: &[String],
    scores: &[&BTreeMap<String, Option<f64>>],
) -> SummaryTable {
    let names = scores.first().into_iter().flat_map(|run| run.keys());
    let row = |name: &String| {
        let value =
            |run: &&BTreeMap<String, Option<f64>>| or_undefined(run.get(name).copied().flatten(), compact);
        std::iter::once(name.clone()).chain(scores.iter().map(value)).collect()
    };
    SummaryTable {
        heading: heading.into(),
        note: String::new(),
        columns: std::iter::once("metric".to_owned()).chain(runs.iter().cloned()).collect(),
        rows: names.map(row).collect(),
    }
}

/// One line for each fold, with the scores that say most.
pub(crate) fn fold_table(folds: &[FoldScores]) -> SummaryTable {
    let names = || folds.first().into_iter().flat_map(|fold| fold.metrics.0.keys());
    let of_score = |(task, score): &(&str, &str)| {
        let mut columns: Vec<(usize, &String)> = names()
            .filter_map(|name| {
                let horizon =
                    name.strip_prefix(task)?.strip_suffix(score)?.trim_matches('/').strip_prefix('h')?;
                Some((horizon.parse().ok()?, name))
            })
            .collect();
        columns.sort_unstable();
        columns.into_iter().map(|(_, name)| name).collect::<Vec<_>>()
    };
    let shown: Vec<&String> = FOLD_SCORES.iter().flat_map(of_score).take(MOST_FOLD_SCORES).collect();
    let row = |fold: &FoldScores| {
        let [train, validation, test] = fold.samples.map(|samples| count(samples as u64));
        let day = |time: &str| time.get(..10).unwrap_or(time).to_owned();
        let mut cells = vec![fold.fold.to_string(), train, validation, test, day(&fold.from), day(&fold.to)];
        let value = |name: &&String| or_undefined(fold.metrics.0.get(*name).copied().flatten(), compact);
        cells.extend(shown.iter().map(value));
        cells
    };
    let fixed = ["fold", "train", "validation", "test", "test from", "to"].map(String::from);
    SummaryTable {
        heading: "Folds".into(),
        note: "Decisions of each block after the purge, and scores on the test block. Everything that is fitted is fitted anew \
               in each fold, on its train block alone."
            .into(),
        columns: fixed.into_iter().chain(shown.iter().map(|name| short(name))).collect(),
        rows: folds.iter().map(row).collect(),
    }
}

/// `price_prediction/h12/rank_ic_series` as `h12 rank IC`.
fn short(name: &str) -> String {
    let score = name.split('/').skip(1).collect::<Vec<_>>().join(" ");
    score.replace("rank_ic_series", "rank IC").replace("r2_log", "R² log").replace("mcc", "MCC")
}

/// The real score of each metric beside those of null runs.
pub(crate) fn null_table(
    note: String,
    real: &Scores<Option<f64>>,
    bands: &Scores<NullBand>,
    runs: u64,
) -> SummaryTable {
    let row = |(name, band): (&String, &NullBand)| {
        let value = real.0.get(name).copied().flatten();
        let (low, high) = band.band.unzip();
        let verdict = match value.and_then(|value| band.covers(value)) {
            Some(true) => "inside",
            Some(false) => "outside",
            None => "",
        };
        vec![
            name.split_once('/').map_or(name.as_str(), |(_, bare)| bare).to_owned(),
            or_undefined(value, compact),
            or_undefined(band.nulls.mean, compact),
            match (low, high) {
                (Some(low), Some(high)) => format!("{} to {}", compact(low), compact(high)),
                _ => "no band".into(),
            },
            verdict.into(),
            band.rank.map_or_else(String::new, |rank| format!("{rank} of {}", runs + 1)),
        ]
    };
    let is_defined = |name: &String, band: &NullBand| {
        band.nulls.defined > 0 || real.0.get(name).is_some_and(Option::is_some)
    };
    SummaryTable {
        heading: "The real run beside runs with nothing to find".into(),
        note,
        columns: ["metric", "real", "null mean", "95 % band", "the real one is", "rank"]
            .map(Into::into)
            .into(),
        rows: bands.0.iter().filter(|(name, band)| is_defined(name, band)).map(row).collect(),
    }
}
