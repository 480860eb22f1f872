//! Each searched parameter alone: where its good values lie.

use super::super::html::{Html, classed};
use super::super::plot::{Ink, Plot, Point};
use super::super::scale::Scale;
use super::super::{note, part};
use super::axis::Axis;
use super::{StudyInput, value};

pub(super) fn section(input: &StudyInput<'_>) -> Html {
    let figures: Html = input.plan.space.names().filter_map(|name| figure(input, name)).collect();
    let content = [
        note("Each point is a complete trial; the larger ones are the best tenth."),
        classed("div", "figures", figures),
    ];
    part("Parameters", content)
}

fn figure(input: &StudyInput<'_>, name: &str) -> Option<Html> {
    let distribution = input.plan.space.distribution(name)?;
    let axis = Axis::of(distribution);
    let mut points: Vec<Point> = input
        .history
        .trials()
        .iter()
        .filter_map(|trial| Some((axis.place(trial, name)?, value(trial, 0)?)))
        .collect();
    let y = Scale::wide_around(points.iter().map(|(_, value)| *value))?;
    let x = Scale::of_labels(axis.labels());
    let mut plot = Plot::new(x, "", y, crate::tuning::short(&input.plan.objectives[0].metric));
    plot.scatter(&points, Ink::Faint);
    let objective = &input.plan.objectives[0];
    points.sort_by(|a, b| {
        if objective.prefers(a.1, b.1) {
            std::cmp::Ordering::Less
        } else if objective.prefers(b.1, a.1) {
            std::cmp::Ordering::Greater
        } else {
            std::cmp::Ordering::Equal
        }
    });
    points.truncate(points.len().div_ceil(10));
    plot.dots(&points, Ink::First);
    Some(plot.into_figure(name.to_owned()))
}
