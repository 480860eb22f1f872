//! Several objectives against each other.

use super::super::html::{Html, classed};
use super::super::plot::{Ink, Plot, Point};
use super::super::scale::Scale;
use super::super::{note, part};
use super::{StudyInput, value};

/// Trials by each pair of objectives, and the front among them; nothing for a study of one.
pub(super) fn pareto(input: &StudyInput<'_>) -> Html {
    let count = input.plan.objectives.len();
    if count < 2 {
        return Html::default();
    }
    let pairs = (0..count).flat_map(|first| (first + 1..count).map(move |second| (first, second)));
    let figures: Html = pairs.filter_map(|pair| figure(input, pair)).collect();
    let words = note(format!(
        "{} trials are on the front: none other is at least as good in every objective and better in one.",
        input.standing.front.len()
    ));
    part("Front", [words, classed("div", "figures", figures)])
}

fn figure(input: &StudyInput<'_>, (first, second): (usize, usize)) -> Option<Html> {
    let point = |trial: &std::sync::Arc<tapeline_hpo::FrozenTrial>| -> Option<Point> {
        Some((value(trial, first)?, value(trial, second)?))
    };
    let points: Vec<Point> = input.history.trials().iter().filter_map(point).collect();
    let mut front: Vec<Point> = input.standing.front.iter().filter_map(point).collect();
    front.sort_by(|a, b| a.0.total_cmp(&b.0));
    let name = |place: usize| input.plan.objectives[place].metric.as_str();
    let x = Scale::wide_around(points.iter().map(|(x, _)| *x))?;
    let y = Scale::wide_around(points.iter().map(|(_, y)| *y))?;
    let mut plot = Plot::new(x, "", y, crate::tuning::short(name(second)));
    plot.scatter(&points, Ink::Faint);
    plot.line(&front, Ink::First);
    plot.dots(&front, Ink::First);
    plot.name(Ink::First, "front");
    Some(plot.into_figure(format!("{} (upright) by {} (across).", name(second), name(first))))
}
