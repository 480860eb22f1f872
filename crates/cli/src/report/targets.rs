//! What the run's scores were to reach, and whether they did.

use tapeline_events::{Event, Record, TargetOutcome, TargetVerdict};

use super::html::{Html, classed};
use super::table::{Cell, Table};
use super::{note, part};
use crate::targets::{bounds, value, verdict};

/// The targets as they were checked last; nothing for a run without any.
pub(super) fn section(records: &[Record]) -> Html {
    let checked = records.iter().rev().find_map(|record| match &record.event {
        Event::TargetsChecked { targets } => Some(targets),
        _ => None,
    });
    let Some(targets) = checked.filter(|targets| !targets.is_empty()) else { return Html::default() };
    let mut table = Table::of_numbers(&["Target", "Bound", "Value", "Verdict"]);
    for target in targets {
        table.row([
            Cell::name(target.metric.clone()),
            Cell::number(bounds(target)),
            Cell::maybe(target.value, |_| value(target)),
            Cell::number(judged(target)),
        ]);
    }
    let explained = note(
        "A target on a span that was not looked at yet stays open. What is undefined meets no target: nobody knows it.",
    );
    part("Targets", Html::from([table.into_html(), explained]))
}

fn judged(target: &TargetOutcome) -> Html {
    let class = if target.verdict == TargetVerdict::Met { "verdict faint" } else { "verdict caution" };
    classed("span", class, verdict(target))
}
