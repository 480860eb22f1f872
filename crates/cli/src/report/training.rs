//! How training went: loss, validation skill, learning rate and gradient norm.

use std::collections::BTreeMap;

use tapeline_events::ProjectedRow;

use super::html::{Html, classed, tag};
use super::number::{compact, count, fixed};
use super::plot::{Ink, Plot, Point};
use super::scale::{Scale, extent};
use super::table::{Cell, Table};
use super::{note, of_kind, part};

/// Points of a drawn line. A line of more steps is drawn by the least and greatest of as many stretches.
const STRETCHES: usize = 230;
/// The exponentially weighted mean of the loss forgets half within this share of all steps.
const HALF_LIFE_SHARE: f64 = 0.01;

/// Epochs that the table of features shows, about.
const MOST_EPOCHS: usize = 12;

/// How far the axis goes on behind the last step or epoch.
const ROOM: f64 = 1.015;

pub(super) fn section(rows: &[ProjectedRow]) -> Html {
    let steps: Vec<&ProjectedRow> = of_kind(rows, "step").collect();
    let epochs: Vec<&ProjectedRow> = of_kind(rows, "epoch_ended").collect();
    if steps.is_empty() && epochs.is_empty() {
        return part("Training", note("The journal holds no step."));
    }
    let figures =
        [loss_figure(&steps, &epochs), skill_figure(&epochs), rate_figure(&steps), gradient_figure(&steps)];
    let mut content = classed("div", "figures", figures.into_iter().flatten().collect::<Html>());
    let unruly = steps.iter().filter(|row| !series_value(row, "loss").is_finite()).count();
    if unruly > 0 {
        content.push(note(format!("Steps whose loss was not finite, not drawn: {}.", count(unruly as u64))));
    }
    let skipped = steps.iter().filter(|row| row.metrics.contains_key("skipped")).count();
    if skipped > 0 {
        let scale = steps.iter().rev().find_map(|row| row.metrics.get("loss_scale").copied().flatten());
        let scale = scale
            .map_or_else(String::new, |scale| format!(" The loss scale at the end: {}.", fixed(scale, 0)));
        let words = "Steps whose gradient or loss was not finite, skipped";
        content.push(note(format!("{words}: {}.{scale}", count(skipped as u64))));
    }
    content.push(features(&epochs));
    part("Training", content)
}

/// How the features before the heads came to be: at most [`MOST_EPOCHS`] epochs, the first and the last among them.
fn features(epochs: &[&ProjectedRow]) -> Html {
    let value = |row: &ProjectedRow, name: &str| {
        Some(series_value(row, &format!("features/{name}"))).filter(|value| value.is_finite())
    };
    let told: Vec<(usize, &&ProjectedRow)> =
        (1..).zip(epochs).filter(|(_, row)| value(row, "variance").is_some()).collect();
    if told.is_empty() {
        return Html::default();
    }
    let names = ["variance", "dead", "effective_rank", "redundancy", "drift", "branch_agreement"];
    let mut table = Table::of_numbers(&[
        "Epoch",
        "Mean variance",
        "Dead",
        "Effective rank",
        "Redundancy",
        "Drift (KS)",
        "Branches agree (CKA)",
    ]);
    let last = told.len() - 1;
    let shown = |place: usize| place * MOST_EPOCHS / told.len() != (place + 1) * MOST_EPOCHS / told.len();
    for (place, (epoch, row)) in told.iter().enumerate() {
        if place == 0 || place == last || shown(place) {
            let figures = names.map(|name| Cell::maybe(value(row, name), compact));
            table.row(std::iter::once(Cell::name(count(*epoch as u64))).chain(figures));
        }
    }
    Html::from([
        tag("h3", "Features after each epoch"),
        table.into_html(),
        note(
            "Of an even choice of validation decisions, the same in every epoch. Redundancy is the mean |correlation| between \
             features; drift the mean Kolmogorov–Smirnov distance of a feature between train and validation; branches agree by \
             linear centred kernel alignment, 1 where one says no more than another.",
        ),
    ])
}

fn loss_figure(steps: &[&ProjectedRow], epochs: &[&ProjectedRow]) -> Option<Html> {
    let raw = series(steps, "loss");
    let smooth = thinned(&smoothed(&raw));
    let train = series(epochs, "train/loss");
    let validation = series(epochs, "validation/loss");
    let drawn = [&smooth, &train, &validation];
    let y = Scale::around(drawn.into_iter().flatten().map(|(_, loss)| *loss))?;
    let x = all_steps(steps, epochs);
    let mut plot = Plot::new(x, "step", y, "loss");
    plot.band(&stretches(&raw), Ink::Faint);
    plot.line(&smooth, Ink::First);
    plot.name(Ink::First, "train, per step");
    for (points, ink, name) in
        [(train, Ink::Third, "train, per epoch"), (validation, Ink::Second, "validation")]
    {
        if !points.is_empty() {
            plot.line(&points, ink);
            plot.dots(&points, ink);
            plot.name(ink, name);
        }
    }
    Some(plot.into_figure(format!(
        "Loss; 1 is as good as naive. The line per step is an exponentially weighted mean with a half-life of {} \
         steps; the band spans the least and the greatest loss around it. Spikes may leave the figure.",
        fixed(half_life(raw.len()).round(), 0)
    )))
}

/// The rank IC of each price or volatility horizon on validation, epoch by epoch.
fn skill_figure(epochs: &[&ProjectedRow]) -> Option<Html> {
    let mut lines: BTreeMap<(usize, String), Vec<Point>> = BTreeMap::new();
    for row in epochs {
        for (name, value) in &row.metrics {
            let Some((task, horizon)) = skill_name(name) else { continue };
            let point = (row.epoch.unwrap_or(0) as f64, value.unwrap_or(f64::NAN));
            lines.entry((horizon, format!("{} h{horizon}", task.replace('_', " ")))).or_default().push(point);
        }
    }
    // Price first, then by horizon: the order of the scores.
    let mut lines: Vec<((usize, String), Vec<Point>)> = lines.into_iter().collect();
    lines.sort_by_key(|((horizon, name), _)| (!name.starts_with("price"), *horizon));
    lines.truncate(Ink::SERIES.len());
    let values = lines.iter().flat_map(|(_, points)| points.iter().map(|(_, skill)| *skill));
    let y = Scale::around(values.chain([0.0]).filter(|_| !lines.is_empty()))?;
    let last = lines.iter().flat_map(|(_, points)| points).map(|(epoch, _)| *epoch).fold(1.0, f64::max);
    let mut plot = Plot::new(Scale::linear(0.0, last * ROOM), "epoch", y, "rank IC on validation");
    plot.level(0.0);
    for (((_, name), points), ink) in lines.into_iter().zip(Ink::SERIES) {
        plot.line(&points, ink);
        plot.dots(&points, ink);
        plot.name(ink, name);
    }
    Some(plot.into_figure("Mean over symbols of the rank correlation over time, after each epoch."))
}

/// Task and horizon of `validation/<task>/h<horizon>/rank_ic_series`.
fn skill_name(name: &str) -> Option<(&str, usize)> {
    let (task, horizon) =
        name.strip_prefix("validation/")?.strip_suffix("/rank_ic_series")?.split_once("/h")?;
    Some((task, horizon.parse().ok()?))
}

fn rate_figure(steps: &[&ProjectedRow]) -> Option<Html> {
    let points = series(steps, "learning_rate");
    let y = Scale::around(points.iter().map(|(_, rate)| *rate).chain([0.0]))?;
    let mut plot = Plot::new(all_steps(steps, &[]), "step", y, "learning rate");
    plot.line(&thinned(&points), Ink::First);
    Some(plot.into_figure("The rate that each step used."))
}

fn gradient_figure(steps: &[&ProjectedRow]) -> Option<Html> {
    let points = series(steps, "gradient_norm");
    let y = Scale::wide_around(points.iter().map(|(_, norm)| *norm))?;
    let mut plot = Plot::new(all_steps(steps, &[]), "step", y, "gradient norm");
    plot.band(&stretches(&points), Ink::Faint);
    plot.line(&thinned(&smoothed(&points)), Ink::First);
    Some(plot.into_figure(
        "Euclidean norm over all parameters, before clipping: smoothed like the loss, the band from least to greatest.",
    ))
}

/// From the first step to a little after the last, so that the last dot is whole.
fn all_steps(steps: &[&ProjectedRow], epochs: &[&ProjectedRow]) -> Scale {
    let last = steps.iter().chain(epochs).filter_map(|row| row.step).max();
    Scale::linear(0.0, last.unwrap_or(1).max(1) as f64 * ROOM)
}

fn series_value(row: &ProjectedRow, name: &str) -> f64 {
    row.metrics.get(name).copied().flatten().unwrap_or(f64::NAN)
}

/// `(step, value)` of every row that has the metric.
fn series(rows: &[&ProjectedRow], name: &str) -> Vec<Point> {
    let having = rows.iter().filter(|row| row.metrics.contains_key(name));
    having.map(|row| (row.step.unwrap_or(0) as f64, series_value(row, name))).collect()
}

/// Steps in which a smoothed line of `steps` forgets half.
fn half_life(steps: usize) -> f64 {
    (steps as f64 * HALF_LIFE_SHARE).max(1.0)
}

/// The exponentially weighted mean so far, corrected for its start; what is not finite is passed over.
fn smoothed(points: &[Point]) -> Vec<Point> {
    let keep = 0.5_f64.powf(1.0 / half_life(points.len()));
    let (mut sum, mut weight) = (0.0, 0.0);
    let finite = points.iter().filter(|(_, value)| value.is_finite());
    finite
        .map(|(step, value)| {
            sum = sum * keep + value;
            weight = weight * keep + 1.0;
            (*step, sum / weight)
        })
        .collect()
}

/// At most about [`STRETCHES`] of `points`, the last one among them.
fn thinned(points: &[Point]) -> Vec<Point> {
    let every = points.len().div_ceil(STRETCHES).max(1);
    let last = points.len().saturating_sub(1);
    let kept = points.iter().enumerate().filter(|(index, _)| index % every == 0 || *index == last);
    kept.map(|(_, point)| *point).collect()
}

/// The least and the greatest value of each stretch of steps.
fn stretches(points: &[Point]) -> Vec<(f64, f64, f64)> {
    let every = points.len().div_ceil(STRETCHES).max(1);
    let bounds = points.chunks(every).filter_map(|stretch| {
        let (low, high) = extent(stretch.iter().map(|(_, value)| *value))?;
        Some((stretch[stretch.len() / 2].0, low, high))
    });
    bounds.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constant_stays_what_it_is() {
        let points: Vec<Point> = (1..=50).map(|step| (f64::from(step), 0.7)).collect();
        assert!(smoothed(&points).iter().all(|(_, value)| (value - 0.7).abs() < 1e-12));
    }

    #[test]
    fn smoothing_forgets_half_in_a_half_life() {
        let points: Vec<Point> =
            (0..2000).map(|step| (f64::from(step), f64::from(u8::from(step >= 1980)))).collect();
        let last = smoothed(&points).last().unwrap().1;
        assert!((last - 0.5).abs() < 1e-9, "{last}");
    }

    #[test]
    fn long_lines_are_thinned_and_keep_their_ends_and_extremes() {
        let points: Vec<Point> =
            (0..10_001).map(|step| (f64::from(step), if step == 5_000 { 9.0 } else { 0.0 })).collect();
        let line = thinned(&points);
        assert!(line.len() <= STRETCHES + 1 && line[0].0 == 0.0 && line[line.len() - 1].0 == 10_000.0);
        assert!(stretches(&points).iter().any(|(_, _, high)| *high == 9.0));
    }

    #[test]
    fn skill_is_found_by_its_full_name() {
        assert_eq!(
            skill_name("validation/price_prediction/h12/rank_ic_series"),
            Some(("price_prediction", 12))
        );
        for other in
            ["validation/loss", "test/price_prediction/h1/rank_ic_series", "validation/a/hx/rank_ic_series"]
        {
            assert_eq!(skill_name(other), None);
        }
    }
}
