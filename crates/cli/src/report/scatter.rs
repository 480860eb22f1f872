//! Forecast against outcome: every pair, and the mean outcome of forecasts of like size.

use super::html::Html;
use super::number::count;
use super::plot::{Ink, Plot, Point};
use super::scale::Scale;

/// Groups of forecasts of like size.
const GROUPS: usize = 10;
/// Pairs without which a group's mean says little.
const PAIRS_PER_GROUP: usize = 10;
/// Share of the outcomes at each end that may lie outside the figure.
const TAIL: f64 = 0.01;

/// What the axes say.
pub(super) struct Axes {
    pub(super) forecast: &'static str,
    pub(super) outcome: &'static str,
    /// Units of the figure per unit of the pairs.
    pub(super) factor: f64,
    /// Whether zero means something.
    pub(super) zero: bool,
}

/// `pairs` of (forecast, outcome). Nothing without a pair.
pub(super) fn figure(pairs: &[(f32, f32)], axes: &Axes, heading: &str) -> Html {
    let scaled = pairs.iter().map(|(x, y)| (f64::from(*x) * axes.factor, f64::from(*y) * axes.factor));
    let mut points: Vec<Point> = scaled.filter(|(x, y)| x.is_finite() && y.is_finite()).collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    let forecasts: Vec<f64> = points.iter().map(|(x, _)| *x).collect();
    let mut outcomes: Vec<f64> = points.iter().map(|(_, y)| *y).collect();
    outcomes.sort_by(f64::total_cmp);
    let (Some(x), Some(y)) = (middle(&forecasts), middle(&outcomes)) else { return Html::default() };
    let inside = |value: f64, scale: &Scale| (scale.low()..=scale.high()).contains(&value);
    let outside = points.iter().filter(|(a, b)| !(inside(*a, &x) && inside(*b, &y))).count();
    let groups = group_means(&points);

    let mut plot = Plot::new(x, axes.forecast, y, axes.outcome);
    plot.cloud(&points, Ink::Faint);
    if axes.zero {
        plot.level(0.0);
        plot.upright(0.0);
    }
    plot.line(&groups, Ink::First);
    plot.dots(&groups, Ink::First);
    plot.name(Ink::First, format!("mean of each {}", part_name(groups.len())));
    plot.diagonal("outcome = forecast");
    let outside = match outside {
        0 => String::new(),
        1 => " 1 pair lies outside.".to_owned(),
        several => format!(" {several} pairs lie outside."),
    };
    plot.into_figure(format!(
        "{heading}, {} pairs spread evenly over the span.{outside}",
        count(points.len() as u64)
    ))
}

fn part_name(groups: usize) -> String {
    match groups {
        GROUPS => "tenth of the forecasts".into(),
        1 => "forecast".into(),
        several => format!("of {several} equal groups of forecasts"),
    }
}

/// The range of sorted `values` without their tails.
fn middle(values: &[f64]) -> Option<Scale> {
    let last = values.len().checked_sub(1)?;
    let cut = (last as f64 * TAIL) as usize;
    Scale::around(values[cut..=last - cut].iter().copied())
}

/// Mean forecast and mean outcome of equally many pairs each; `points` are sorted by forecast.
pub(crate) fn group_means(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let groups = (points.len() / PAIRS_PER_GROUP).clamp(1, GROUPS);
    let bound = |group: usize| group * points.len() / groups;
    let mean = |group: &[Point]| {
        let (x, y) = group.iter().fold((0.0, 0.0), |(x, y), point| (x + point.0, y + point.1));
        (x / group.len() as f64, y / group.len() as f64)
    };
    (0..groups)
        .map(|group| &points[bound(group)..bound(group + 1)])
        .filter(|group| !group.is_empty())
        .map(mean)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_hold_equally_many_pairs() {
        let points: Vec<Point> = (0..100).map(|n| (f64::from(n), 2.0 * f64::from(n))).collect();
        let means = group_means(&points);
        assert_eq!(means.len(), GROUPS);
        assert_eq!(means[0], (4.5, 9.0));
        assert_eq!(means[9], (94.5, 189.0));
        assert_eq!(group_means(&points[..5]).len(), 1);
        assert!(group_means(&[]).is_empty());
    }
}
