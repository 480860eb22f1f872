//! How the search went: every trial's value, the best so far, and the curves that trials learned along.

use tapeline_hpo::TrialState;

use super::super::html::{Html, classed};
use super::super::plot::{Ink, Plot, Point};
use super::super::scale::Scale;
use super::{StudyInput, value};
use crate::config::ScoredOn;
use crate::tuning::summary;

/// Curves that are drawn: more are a blur.
const MOST_CURVES: usize = 200;

pub(super) fn figures(input: &StudyInput<'_>) -> Html {
    let mut figures: Vec<Html> = Vec::new();
    for (place, objective) in input.plan.objectives.iter().enumerate() {
        figures.extend(history(input, place, &objective.metric));
    }
    figures.extend(curves(input));
    classed("div", "figures", figures.into_iter().collect::<Html>())
}

fn history(input: &StudyInput<'_>, place: usize, metric: &str) -> Option<Html> {
    let trials = input.history.trials();
    let points: Vec<Point> =
        trials.iter().filter_map(|trial| Some((trial.number as f64, value(trial, place)?))).collect();
    let x = Scale::linear(0.0, trials.last().map_or(1.0, |trial| trial.number as f64).max(1.0));
    let y = Scale::wide_around(points.iter().map(|(_, y)| *y))?;
    let objective = &input.plan.objectives[place];
    let mut best: Vec<Point> = Vec::new();
    for (number, value) in &points {
        let before = best.last().map(|(_, best)| *best);
        if let Some(before) = before {
            best.push((*number, before));
        }
        if before.is_none_or(|before| objective.prefers(*value, before)) {
            best.push((*number, *value));
        }
    }
    let mut plot = Plot::new(x, "trial", y, crate::tuning::short(metric));
    plot.scatter(&points, Ink::Faint);
    plot.line(&best, Ink::First);
    plot.name(Ink::First, "best so far");
    if let Some(default) = summary::default_trial(input.history).and_then(|trial| value(trial, place)) {
        plot.level(default);
    }
    Some(plot.into_figure(format!("{metric} of each complete trial; the dashed line is the default.")))
}

/// What trials reported after each epoch, or fold.
fn curves(input: &StudyInput<'_>) -> Option<Html> {
    let told: Vec<_> = input.history.trials().iter().filter(|trial| !trial.intermediate.is_empty()).collect();
    let shown = &told[told.len().saturating_sub(MOST_CURVES)..];
    let curve = |trial: &tapeline_hpo::FrozenTrial| -> Vec<Point> {
        trial.intermediate.iter().map(|(step, value)| (*step as f64, *value)).collect()
    };
    let values = || shown.iter().flat_map(|trial| trial.intermediate.values().copied());
    let y = Scale::wide_around(values())?;
    let last = shown.iter().filter_map(|trial| trial.last_step()).max()?;
    let x = Scale::linear(0.0, (last as f64).max(1.0) * 1.015);
    let step = input.plan.hpo.scored_on.step();
    let mut plot = Plot::new(x, step, y, crate::tuning::short(&input.plan.objectives[0].metric));
    for (state, ink) in [(TrialState::Complete, Ink::Faint), (TrialState::Pruned, Ink::Second)] {
        for trial in shown.iter().filter(|trial| trial.state == state) {
            plot.line(&curve(trial), ink);
            if let Some(end) = curve(trial).last().filter(|_| state == TrialState::Pruned) {
                plot.dots(&[*end], ink);
            }
        }
    }
    plot.name(Ink::Faint, "complete");
    if input.standing.pruned > 0 {
        plot.name(Ink::Second, "pruned");
    }
    if let Some(best) = &input.standing.best {
        plot.line(&curve(best), Ink::First);
        plot.dots(&curve(best), Ink::First);
        plot.name(Ink::First, format!("trial {}, the best", best.number));
    }
    let left_out = match told.len() - shown.len() {
        0 => String::new(),
        more => format!(" {more} earlier trials are not drawn."),
    };
    let what = match input.plan.hpo.scored_on {
        ScoredOn::Span => "The objective after each epoch.",
        ScoredOn::Folds => "The objective's mean so far after each fold.",
    };
    Some(plot.into_figure(format!("{what}{left_out}")))
}
