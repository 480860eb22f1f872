//! The numbers to look at first: each span's skill with its interval, the best naive forecast and the best possible one.

use tapeline_trainer::{Estimate, Scorecard};

use super::html::{Html, classed, tag, tag_with};
use super::number::{percent, signed};
use super::plot::{label, rule};
use super::scale::Scale;
use super::skill::{Skill, bars, covers_zero, skills};
use super::table::{Cell, Table};
use super::{note, part};

pub(super) fn section(scorecards: &[Scorecard]) -> Html {
    if scorecards.is_empty() {
        return part("Key numbers", note("No span has been scored yet."));
    }
    let mut content = Html::default();
    // The sealed span first: it is what the others stand in for.
    let order = ["out_of_fold", "test", "validation", "train"];
    let place = |split: &str| order.iter().position(|name| *name == split).unwrap_or(order.len());
    let mut sorted: Vec<&Scorecard> = scorecards.iter().collect();
    sorted.sort_by_key(|scorecard| place(&scorecard.split));
    for scorecard in sorted {
        let skills = skills(scorecard);
        content.push(tag("h3", span_name(&scorecard.split)));
        if skills.is_empty() {
            content.push(note("No task was scored on this span."));
            continue;
        }
        content.push(table(&skills));
        content.push(figure(&skills));
    }
    content.push(note(
        "IC is the Pearson correlation of forecast and outcome over time, rank IC the same on ranks; both are means over \
         symbols. Cross rank IC is the mean over time of the rank correlation over symbols, where there are ten or more. R² log is measured against each symbol's train mean, MCC is 0 for a forecast that knows nothing. Intervals are \
         95 % moving-block bootstrap intervals. An interval that covers 0 does not tell the score from no skill at all.",
    ));
    part("Key numbers", content)
}

pub(super) fn span_name(split: &str) -> String {
    let words = split.replace('_', " ");
    let mut letters = words.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{} span", letters.as_str())
}

/// An interval in figures and in words.
pub(super) fn interval(estimate: Estimate) -> Html {
    let (Some(low), Some(high)) = (estimate.low, estimate.high) else {
        return classed("span", "undefined", "no interval");
    };
    let figures = Html::text(format!("{} to {}", signed(low, 3), signed(high, 3)));
    let (class, words) = match covers_zero(estimate) {
        Some(true) => ("verdict caution", "covers 0"),
        _ if low > 0.0 => ("verdict faint", "above 0"),
        _ => ("verdict faint", "below 0"),
    };
    Html::from([figures, classed("span", class, words)])
}

fn name_of(skill: &Skill) -> String {
    format!("{}, {} · {}", skill.subject, bars(skill.horizon), skill.score)
}

fn table(skills: &[Skill]) -> Html {
    let mut table = Table::of_numbers(&[
        "Score",
        "Value",
        "95 % interval",
        "Best naive",
        "Best possible",
        "Share of possible",
    ]);
    for skill in skills {
        let best = skill.best_naive().map_or_else(Cell::none, |(name, value)| {
            Cell::number([Html::text(signed(value, 3)), classed("span", "naive faint", name)])
        });
        table.row([
            Cell::name(name_of(skill)),
            Cell::maybe(skill.estimate.value, |value| signed(value, 3)),
            Cell::number(interval(skill.estimate)),
            best,
            skill.best_possible.map_or_else(Cell::none, |best| Cell::number(signed(best, 3))),
            skill.share_of_possible().map_or_else(Cell::none, |share| Cell::number(percent(share))),
        ]);
    }
    table.into_html()
}

const WIDTH: f64 = 620.0;
const LEFT: f64 = 172.0;
const RIGHT: f64 = 20.0;
const ROW: f64 = 26.0;
const FOOT: f64 = 40.0;

/// Correlations on one axis: a dot with its interval, naive forecasts as rings, the best possible as a diamond.
fn figure(skills: &[Skill]) -> Html {
    let drawn: Vec<&Skill> = skills
        .iter()
        .filter(|skill| skill.correlation && skill.estimate.value.is_some_and(f64::is_finite))
        .collect();
    let values = drawn.iter().flat_map(|skill| {
        let Estimate { value, low, high } = skill.estimate;
        let own = [value, low, high, skill.best_possible, Some(0.0)];
        own.into_iter().flatten().chain(skill.naive.iter().map(|(_, value)| *value))
    });
    let Some(scale) = Scale::around(values).filter(|_| !drawn.is_empty()) else { return Html::default() };
    let height = ROW * drawn.len() as f64 + FOOT;
    let foot = height - FOOT + 4.0;
    let across = |value: f64| LEFT + scale.fraction(value) * (WIDTH - LEFT - RIGHT);
    let mut drawing = Html::default();
    for tick in scale.ticks(8) {
        let x = across(tick.value);
        drawing.push(rule((x, 4.0), (x, foot), "grid"));
        drawing.push(label(x, foot + 16.0, "middle", &tick.label));
    }
    drawing.push(rule((across(0.0), 4.0), (across(0.0), foot), "zero"));
    for (row, skill) in drawn.iter().enumerate() {
        let y = ROW * (row as f64 + 0.5) + 4.0;
        drawing.push(label(LEFT - 10.0, y + 4.0, "end", &name_of(skill)));
        for (name, value) in &skill.naive {
            drawing.push(ring(
                across(*value),
                y,
                &format!("{}: {}", name.replace('_', " "), signed(*value, 3)),
            ));
        }
        if let (Some(low), Some(high)) = (skill.estimate.low, skill.estimate.high) {
            drawing.push(rule((across(low), y), (across(high), y), "whisker"));
            for end in [low, high] {
                drawing.push(rule((across(end), y - 4.0), (across(end), y + 4.0), "whisker"));
            }
        }
        if let Some(best) = skill.best_possible {
            let (x, size) = (across(best), 5.5);
            let path = format!(
                "M{:.1} {y:.1}L{x:.1} {:.1}L{:.1} {y:.1}L{x:.1} {:.1}Z",
                x - size,
                y - size,
                x + size,
                y + size
            );
            let title = tag("title", format!("best possible: {}", signed(best, 3)));
            drawing.push(tag_with("path", &[("class", "diamond"), ("d", &path)], title));
        }
        if let Some(value) = skill.estimate.value {
            let path = format!("M{:.1} {y:.1}h0", across(value));
            drawing.push(tag_with("path", &[("class", "dots ink1"), ("d", &path)], Html::default()));
        }
    }
    drawing.push(label((LEFT + WIDTH - RIGHT) / 2.0, height - 4.0, "middle", "correlation with the outcome"));
    let view = format!("0 0 {WIDTH} {height:.1}");
    let words = "scores with their intervals, naive forecasts and best possible forecast";
    let drawing = tag_with("svg", &[("viewBox", &view), ("role", "img"), ("aria-label", words)], drawing);
    let key = |class: &str, words: &str| tag("span", [classed("span", class, ""), Html::from(words)]);
    let legend = [
        key("key spot ink1", "trained network, 95 % interval"),
        key("key ring", "naive forecast"),
        key("key lozenge", "best possible"),
    ];
    let legend = classed("div", "legend", Html::from(legend));
    classed("figure", "broad", [legend, drawing])
}

fn ring(x: f64, y: f64, title: &str) -> Html {
    let (x, y) = (format!("{x:.1}"), format!("{y:.1}"));
    tag_with("circle", &[("class", "ring"), ("cx", &x), ("cy", &y), ("r", "4")], tag("title", title))
}
