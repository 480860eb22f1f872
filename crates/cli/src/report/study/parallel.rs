//! All parameters side by side: each complete trial is a line through its values, the best ones stand out.

use std::fmt::Write as _;

use super::super::html::{Html, tag, tag_with};
use super::super::plot::{label, rule};
use super::super::{note, part};
use super::axis::Axis;
use super::{StudyInput, value};

const WIDTH: f64 = 980.0;
const HEIGHT: f64 = 330.0;
const LEFT: f64 = 60.0;
const RIGHT: f64 = 90.0;
const TOP: f64 = 20.0;
const BOTTOM: f64 = 64.0;

/// Lines that are drawn: more are a blur.
const MOST_LINES: usize = 500;

pub(super) fn section(input: &StudyInput<'_>) -> Html {
    let names: Vec<&str> = input.plan.space.names().collect();
    let trials: Vec<_> =
        input.history.trials().iter().filter_map(|trial| Some((trial, value(trial, 0)?))).collect();
    if names.len() < 2 || trials.is_empty() {
        return Html::default();
    }
    let mut ranked: Vec<f64> = trials.iter().map(|(_, value)| *value).collect();
    let objective = &input.plan.objectives[0];
    ranked.sort_by(f64::total_cmp);
    if objective.prefers(1.0, 0.0) {
        ranked.reverse();
    }
    let good = ranked[(ranked.len() - 1) / 10];
    let is_good = |value: f64| !objective.prefers(good, value);
    let (best, worst) = (ranked[0], ranked[ranked.len() - 1]);
    let gap = (WIDTH - LEFT - RIGHT) / names.len() as f64;
    let upright = |fraction: f64| TOP + (1.0 - fraction) * (HEIGHT - TOP - BOTTOM);

    let mut drawing = Html::default();
    let shown = &trials[trials.len().saturating_sub(MOST_LINES)..];
    for wanted in [false, true] {
        for (trial, value) in shown.iter().filter(|(_, value)| is_good(*value) == wanted) {
            let mut path = String::new();
            let mut pen = 'M';
            for (place, name) in names.iter().enumerate() {
                let axis = input.plan.space.distribution(name).map(Axis::of);
                match axis.and_then(|axis| axis.place(trial, name)) {
                    Some(at) => {
                        // Writing to a String cannot fail.
                        let _ = write!(path, "{pen}{:.1} {:.1}", LEFT + place as f64 * gap, upright(at));
                        pen = 'L';
                    }
                    None => pen = 'M',
                }
            }
            let share = if best == worst { 0.5 } else { (value - worst) / (best - worst) };
            // Writing to a String cannot fail.
            let _ = write!(path, "{pen}{:.1} {:.1}", WIDTH - RIGHT, upright(share));
            let class = if wanted { "line ink1" } else { "thin ink0" };
            drawing.push(tag_with("path", &[("class", class), ("d", &path)], Html::default()));
        }
    }
    for (place, name) in names.iter().enumerate() {
        let x = LEFT + place as f64 * gap;
        drawing.push(rule((x, upright(0.0)), (x, upright(1.0)), "axis"));
        let labels = input.plan.space.distribution(name).map(|it| Axis::of(it).labels());
        for (at, words) in labels.unwrap_or_default() {
            drawing.push(label(x + 4.0, upright(at) + 4.0, "start", &words));
        }
        // Neighbours' names on two heights, so that they do not meet.
        let foot = HEIGHT - BOTTOM + 22.0 + if place % 2 == 0 { 0.0 } else { 18.0 };
        drawing.push(label(x, foot, "middle", last_two(name)));
    }
    let x = WIDTH - RIGHT;
    drawing.push(rule((x, upright(0.0)), (x, upright(1.0)), "axis"));
    for (at, number) in [(0.0, worst), (1.0, best)] {
        drawing.push(label(x + 6.0, upright(at) + 4.0, "start", &super::compact(number)));
    }
    drawing.push(label(x, HEIGHT - BOTTOM + 22.0, "middle", &crate::tuning::short(&objective.metric)));
    let view = format!("0 0 {WIDTH} {HEIGHT}");
    let drawing = tag_with(
        "svg",
        &[("viewBox", &view), ("role", "img"), ("aria-label", "parallel coordinates")],
        drawing,
    );
    let words = note(
        "Each line is a complete trial, from value to value to what came of it; the best tenth stands out.",
    );
    part("All together", [tag("figure", drawing), words])
}

/// The end of a key, which tells it from its neighbours.
fn last_two(key: &str) -> &str {
    key.rmatch_indices('.').nth(1).map_or(key, |(place, _)| &key[place + 1..])
}
