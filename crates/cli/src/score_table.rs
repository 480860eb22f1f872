//! The scores of a span as a table for a terminal or a log: at most 110 columns, no colours.

#[cfg(test)]
mod tests;

use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Table, TableStyle, presets};
use tapeline_trainer::{Estimate, Scorecard};

use crate::report::number::{count, fixed, or_undefined, percent, signed};
use crate::report::skill::{Skill, covers_zero, skills};

/// Columns that a log or a terminal is taken to have.
const WIDTH: u16 = 110;

/// Lines above, under the header and below, and none between the rows.
const STYLE: TableStyle = presets::UTF8_HORIZONTAL_ONLY.row_separator(LineStyle::none());

/// The scores of `scorecard` with their intervals, the best naive forecast beside each and, where it is known, the best
/// possible one. Ends with a line break.
pub(crate) fn render(scorecard: &Scorecard) -> String {
    let mut table = Table::new();
    table.load_style(STYLE).set_content_arrangement(ContentArrangement::Dynamic).set_width(WIDTH);
    table.set_header([
        "task",
        "ahead",
        "score",
        "value",
        "95 % interval",
        "best naive",
        "possible",
        "reached",
    ]);
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 1));
        if matches!(index, 3 | 4 | 6 | 7) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let mut above = String::new();
    let skills = skills(scorecard);
    for skill in &skills {
        let task = if skill.task == above { String::new() } else { skill.task.clone() };
        table.add_row([
            task,
            format!("h{}", skill.horizon),
            skill.score.to_owned(),
            or_undefined(skill.estimate.value, |value| signed(value, 3)),
            interval(skill.estimate),
            skill
                .best_naive()
                .map_or_else(String::new, |(name, value)| format!("{} {name}", signed(value, 3))),
            skill.best_possible.map_or_else(String::new, |best| signed(best, 3)),
            reached(skill),
        ]);
        above.clone_from(&skill.task);
    }
    let title = format!(
        "{} span: {} decisions from {} to {}",
        scorecard.split.replace('_', " "),
        count(scorecard.samples as u64),
        scorecard.from,
        scorecard.to
    );
    let mut text = format!("{title}\n{}\n", table.trim_fmt());
    if skills.iter().any(|skill| covers_zero(skill.estimate) == Some(true)) {
        text.push_str("* the interval covers 0: the score is not told from no skill at all\n");
    }
    text.push_str(&features(scorecard));
    text
}

/// Marked where it covers zero.
fn interval(estimate: Estimate) -> String {
    let (Some(low), Some(high)) = (estimate.low, estimate.high) else { return "no interval  ".into() };
    let mark = if covers_zero(estimate) == Some(true) { " *" } else { "  " };
    format!("{} to {}{mark}", signed(low, 3), signed(high, 3))
}

/// The share of the best possible score, where that is known.
fn reached(skill: &Skill) -> String {
    skill.best_possible.map_or_else(String::new, |_| or_undefined(skill.share_of_possible(), percent))
}

fn features(scorecard: &Scorecard) -> String {
    let features = scorecard.features;
    if features.dimensions == 0 {
        return String::new();
    }
    let rank = or_undefined(features.effective_rank, |rank| fixed(rank, 1));
    format!(
        "features: {} dimensions, {} hardly vary, effective rank {rank}\n",
        features.dimensions, features.dead
    )
}
