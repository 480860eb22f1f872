//! The best configurations, trained again with other seeds: what of their scores stays.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, anyhow};
use comfy_table::{CellAlignment, Table};
use serde::{Deserialize, Serialize};
use tapeline_artefact::replace_file;
use tapeline_hpo::{Choice, Direction, FrozenTrial, Study, TrialState};
use tapeline_trainer::Scorecard;

use super::plan::Plan;
use super::progress::short;
use super::standing::Standing;
use super::summary;
use crate::config::Objective;
use crate::failure::Failure;
use crate::report::number::{compact, signed};
use crate::run_folder::RunFolder;

const FILE: &str = "retrained.json";

/// What was trained again, the best first.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Retrained {
    pub(crate) metric: String,
    maximize: bool,
    pub(crate) rows: Vec<Row>,
}

/// A configuration with several seeds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) trial: u64,
    pub(crate) is_default: bool,
    /// What the trial that found it had.
    pub(crate) found: Option<f64>,
    #[serde(skip)]
    pub(crate) values: BTreeMap<String, Choice>,
    pub(crate) runs: Vec<SeedScore>,
}

/// One seed's run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SeedScore {
    pub(crate) seed: u64,
    /// `None` where it is undefined.
    pub(crate) value: Option<f64>,
    pub(crate) run: PathBuf,
}

/// What configurations are told apart by: the first objective that is a score.
pub(crate) fn metric(plan: &Plan) -> Result<Objective, Failure> {
    plan.objectives.iter().find(|objective| objective.is_score()).cloned().ok_or_else(|| {
        Failure::bad_input(anyhow!(
            "no objective of study {} is a score, so training again with other seeds shows nothing",
            plan.name
        ))
    })
}

/// The seeds of a configuration: those after the study's, which chose it.
pub(crate) fn seeds(study: u64, count: usize) -> impl Iterator<Item = u64> {
    (1..=count as u64).map(move |step| study.wrapping_add(step))
}

/// The best `top` configurations by their trials, and the default beside them.
pub(crate) fn candidates(plan: &Plan, study: &Study, top: usize) -> Result<Vec<Row>, Failure> {
    let history = study.history()?;
    let metric = metric(plan)?;
    let place = plan.objectives.iter().position(|objective| *objective == metric).unwrap_or_default();
    let value = |trial: &FrozenTrial| trial.values.as_ref().and_then(|values| values.get(place).copied());
    let mut trials: Vec<Arc<FrozenTrial>> = if plan.objectives.len() > 1 {
        Standing::of(study.record(), &history).front
    } else {
        history
            .in_state(TrialState::Complete)
            .filter(|trial| tapeline_hpo::violation(trial) <= 0.0)
            .cloned()
            .collect()
    };
    trials.sort_by(|a, b| {
        let (a, b) = (value(a).unwrap_or(f64::NAN), value(b).unwrap_or(f64::NAN));
        if metric.direction == Direction::Minimize { a.total_cmp(&b) } else { b.total_cmp(&a) }
    });
    // Samplers of a small space propose the same again.
    let mut seen: Vec<BTreeMap<String, Choice>> = Vec::new();
    trials.retain(|trial| {
        let values = summary::values(trial);
        let is_new = !seen.contains(&values);
        seen.push(values);
        is_new
    });
    trials.truncate(top);
    if let Some(default) = summary::default_trial(&history)
        && trials.iter().all(|trial| trial.number != default.number)
    {
        trials.push(Arc::clone(default));
    }
    let row = |trial: &Arc<FrozenTrial>| Row {
        trial: trial.number,
        is_default: summary::is_default(trial),
        found: value(trial),
        values: summary::values(trial),
        runs: Vec::new(),
    };
    Ok(trials.iter().map(row).collect())
}

/// The score of a run that was trained to its end before; `None` where there is none yet.
#[expect(clippy::option_option, reason = "a score that is undefined is not one that is missing")]
pub(crate) fn score_in(folder: &RunFolder, metric: &Objective) -> Result<Option<Option<f64>>, Failure> {
    let path = folder.scores("validation");
    match std::fs::read(&path) {
        Ok(bytes) => {
            let card: Scorecard = serde_json::from_slice(&bytes)
                .with_context(|| format!("{} cannot be understood", path.display()))?;
            Ok(Some(card.metrics.get(&metric.metric).copied().flatten()))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(anyhow!(error).context(format!("cannot read {}", path.display())).into()),
    }
}

/// What was trained again of a study; `None` where nothing was.
pub(crate) fn read(plan: &Plan) -> Result<Option<Retrained>, Failure> {
    let path = plan.folder.join(FILE);
    match std::fs::read(&path) {
        Ok(bytes) => {
            let table = serde_json::from_slice(&bytes);
            Ok(Some(table.with_context(|| format!("{} cannot be understood", path.display()))?))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(anyhow!(error).context(format!("cannot read {}", path.display())).into()),
    }
}

impl Row {
    pub(crate) fn push(&mut self, seed: u64, value: Option<f64>, run: &Path) {
        self.runs.push(SeedScore { seed, value, run: run.to_owned() });
    }

    fn scores(&self) -> Vec<f64> {
        self.runs.iter().filter_map(|run| run.value).collect()
    }

    /// Mean over seeds; `None` where one has no defined score.
    pub(crate) fn mean(&self) -> Option<f64> {
        let scores = self.scores();
        let whole = !scores.is_empty() && scores.len() == self.runs.len();
        whole.then(|| scores.iter().sum::<f64>() / scores.len() as f64)
    }

    /// Standard deviation over seeds, with n − 1; `None` of one seed.
    pub(crate) fn deviation(&self) -> Option<f64> {
        let (scores, mean) = (self.scores(), self.mean()?);
        let squares: f64 = scores.iter().map(|score| (score - mean).powi(2)).sum();
        (scores.len() > 1).then(|| (squares / (scores.len() - 1) as f64).sqrt())
    }

    /// The run of the middle score: what somebody who trains once may expect, not the luckiest of the seeds.
    pub(crate) fn middle_run(&self) -> Option<PathBuf> {
        let mut runs: Vec<&SeedScore> = self.runs.iter().filter(|run| run.value.is_some()).collect();
        runs.sort_by(|a, b| a.value.unwrap_or(f64::NAN).total_cmp(&b.value.unwrap_or(f64::NAN)));
        runs.get(runs.len() / 2).map(|run| run.run.clone())
    }
}

impl Retrained {
    /// The rows, best mean first.
    pub(crate) fn new(metric: Objective, mut rows: Vec<Row>) -> Self {
        let maximize = metric.direction == Direction::Maximize;
        rows.sort_by(|a, b| {
            // What is undefined comes last.
            let mean =
                |row: &Row| row.mean().map_or(f64::INFINITY, |mean| if maximize { -mean } else { mean });
            mean(a).total_cmp(&mean(b))
        });
        Self { metric: metric.metric, maximize, rows }
    }

    /// The configuration with the best mean.
    pub(crate) fn winner(&self) -> Option<&Row> {
        self.rows.first().filter(|row| row.mean().is_some())
    }

    pub(crate) fn write(&self, plan: &Plan) -> Result<(), Failure> {
        let json = serde_json::to_vec_pretty(self).map_err(Failure::failed)?;
        replace_file(&plan.folder.join(FILE), &json).map_err(Failure::failed)
    }

    /// By how much the winner's mean is better than the default's, and the standard error of that; `None` where either is
    /// missing or they are the same.
    pub(crate) fn gain(&self) -> Option<(f64, Option<f64>)> {
        let (winner, default) = (self.winner()?, self.rows.iter().find(|row| row.is_default)?);
        if winner.is_default {
            return None;
        }
        let difference = winner.mean()? - default.mean()?;
        let part = |row: &Row| Some(row.deviation()?.powi(2) / row.runs.len() as f64);
        let error = part(winner).zip(part(default)).map(|(a, b)| (a + b).sqrt());
        Some((if self.maximize { difference } else { -difference }, error))
    }

    /// A table and what it comes to. Ends with a line break.
    pub(crate) fn text(&self) -> String {
        let mut table = Table::new();
        table.load_style(summary::STYLE).set_header([
            "again",
            "seeds",
            "in its trial",
            "mean",
            "±",
            "from",
            "to",
        ]);
        for (index, column) in table.column_iter_mut().enumerate() {
            column.set_padding((0, 1));
            if index > 0 {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        let number = |value: Option<f64>| value.map_or_else(|| "–".into(), compact);
        for row in &self.rows {
            let scores = row.scores();
            let name = if row.is_default { "the default".into() } else { format!("trial {}", row.trial) };
            table.add_row([
                name,
                row.runs.len().to_string(),
                number(row.found),
                number(row.mean()),
                number(row.deviation()),
                number(scores.iter().copied().reduce(f64::min)),
                number(scores.iter().copied().reduce(f64::max)),
            ]);
        }
        let mut text = format!("{} with other seeds\n{}\n", short(&self.metric), table.trim_fmt());
        let _ = writeln!(text, "{}", self.verdict()); // writing to a String cannot fail
        text
    }

    /// What the seeds say, in a sentence.
    pub(crate) fn verdict(&self) -> String {
        match (self.gain(), self.winner()) {
            (Some((gain, error)), Some(winner)) => {
                let error = error.map_or_else(String::new, |error| format!(" ± {}", compact(error)));
                format!(
                    "over seeds trial {} is better than the default by {}{error} (standard error of the difference)",
                    winner.trial,
                    signed(gain, 4)
                )
            }
            (None, Some(winner)) if winner.is_default => {
                "over seeds nothing is better than the default".into()
            }
            _ => "the default was not trained again, so there is nothing to hold this against".into(),
        }
    }
}
