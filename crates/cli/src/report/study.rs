//! The report of a study: one HTML file that loads nothing, with its figures inside.

mod axis;
mod parallel;
mod progress;
mod scores;
mod slices;

use tapeline_hpo::{FrozenTrial, History, StudyRecord, StudyView, TrialState, importance};

use super::html::{Html, classed, tag};
use super::number::{compact, count, percent};
use super::table::{Cell, Table};
use super::{note, page, part};
use crate::tuning::retrained::Retrained;
use crate::tuning::{Deflated, Plan, Standing, summary};

/// What the report of a study tells about.
pub(crate) struct StudyInput<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) record: &'a StudyRecord,
    pub(crate) history: &'a History,
    pub(crate) standing: &'a Standing,
    /// The best score held against luck, where that can be.
    pub(crate) deflated: Option<Deflated>,
    /// What was trained again with other seeds.
    pub(crate) retrained: Option<&'a Retrained>,
}

/// The report as one HTML file.
pub(crate) fn render(input: &StudyInput<'_>) -> String {
    let mut sections = header(input);
    sections.push(best(input));
    sections.push(retrained(input));
    sections.push(part("Trials", progress::figures(input)));
    sections.push(importances(input));
    sections.push(parallel::section(input));
    sections.push(slices::section(input));
    sections.push(scores::pareto(input));
    sections.push(failures(input));
    sections.push(space(input));
    page(format!("study {}", input.plan.name), sections)
}

fn header(input: &StudyInput<'_>) -> Html {
    let standing = input.standing;
    let objectives: Vec<&str> =
        input.plan.objectives.iter().map(|objective| objective.metric.as_str()).collect();
    let trials = format!(
        "{} of {}: {} complete, {} pruned, {} failed",
        count(standing.spent as u64),
        count(input.plan.hpo.trials as u64),
        standing.complete,
        standing.pruned,
        standing.failed
    );
    let facts = [
        ("Objective", objectives.join(", ")),
        ("Trials", trials),
        ("Experiment", input.plan.config.experiment.clone()),
    ];
    let facts = facts.into_iter().map(|(name, text)| Html::from([tag("dt", name), tag("dd", text)]));
    let heading = tag("h1", format!("Study {}", input.plan.name));
    tag("header", [heading, tag("dl", facts.collect::<Html>())])
}

/// The best trial beside the default, and what luck would have found.
fn best(input: &StudyInput<'_>) -> Html {
    let Some(best) = &input.standing.best else { return Html::default() };
    let default = summary::default_trial(input.history).filter(|default| default.number != best.number);
    let mut columns = vec!["", "best"];
    if default.is_some() {
        columns.push("default");
    }
    let mut table = Table::of_numbers(&columns);
    let score = |trial: &FrozenTrial| trial.values.as_deref().and_then(|values| values.first().copied());
    let mut cells =
        vec![Cell::name(input.plan.objectives[0].metric.as_str()), Cell::maybe(score(best), compact)];
    cells.extend(default.map(|default| Cell::maybe(score(default), compact)));
    table.strong_row(cells);
    let (own, other) = (summary::values(best), default.map(|default| summary::values(default)));
    for (key, value) in &own {
        let mut cells = vec![Cell::name(key.as_str()), Cell::number(value.to_string())];
        if let Some(other) = &other {
            cells.push(other.get(key).map_or_else(Cell::none, |value| Cell::number(value.to_string())));
        }
        table.row(cells);
    }
    let mut content = table.into_html();
    match &input.deflated {
        Some(deflated) => content.push(note(summary::luck(deflated))),
        None => content.push(note(
            "What luck alone would have found is not known for this objective; other seeds and the test span tell more.",
        )),
    }
    part(format!("The best: trial {}", best.number), content)
}

fn retrained(input: &StudyInput<'_>) -> Html {
    let Some(again) = input.retrained else { return Html::default() };
    let mut table =
        Table::of_numbers(&["", "in its trial", "mean over seeds", "standard deviation", "seeds"]);
    for row in &again.rows {
        let name = if row.is_default { "the default".into() } else { format!("trial {}", row.trial) };
        table.row([
            Cell::name(name),
            Cell::maybe(row.found, compact),
            Cell::maybe(row.mean(), compact),
            row.deviation().map_or_else(Cell::none, |deviation| Cell::number(compact(deviation))),
            Cell::number(row.runs.len().to_string()),
        ]);
    }
    part("With other seeds", [table.into_html(), note(again.verdict())])
}

fn importances(input: &StudyInput<'_>) -> Html {
    let view = StudyView { study: input.record, history: input.history };
    let objective = (input.plan.objectives.len() > 1).then_some(0);
    let Ok(shares) = importance::importance(view, importance::Evaluator::default(), objective) else {
        return Html::default();
    };
    if shares.is_empty() {
        return Html::default();
    }
    let mut table = Table::of_numbers(&["", "share"]);
    for one in &shares {
        table.row([
            Cell::name(one.name.as_str()),
            Cell::tinted(Some(one.share), Html::text(percent(one.share))),
        ]);
    }
    let words = note(format!(
        "How much the values of the best trials differ from those of all, for {} (PED-ANOVA, Watanabe et al. 2023).",
        input.plan.objectives[0].metric
    ));
    part("Importance", [table.into_html(), words])
}

fn failures(input: &StudyInput<'_>) -> Html {
    let failed: Vec<_> = input.history.in_state(TrialState::Fail).collect();
    if failed.is_empty() {
        return Html::default();
    }
    let items =
        failed.iter().map(|trial| tag("li", format!("trial {}: {}", trial.number, summary::reason(trial))));
    part("Failed", classed("div", "remarks", tag("ul", items.collect::<Html>())))
}

fn space(input: &StudyInput<'_>) -> Html {
    let yaml = crate::config::resolved_yaml(&input.plan.config);
    tag("details", [tag("summary", "The configuration it was begun with"), tag("pre", yaml)])
}

/// The value of a complete trial's objective.
fn value(trial: &FrozenTrial, objective: usize) -> Option<f64> {
    let is_complete = trial.state == TrialState::Complete;
    trial.values.as_deref().filter(|_| is_complete)?.get(objective).copied()
}
