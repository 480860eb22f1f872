//! Variance forecasts: scores beside the naive ones, forecast against outcome.

use tapeline_trainer::VolatilityScore;

use super::html::{Html, classed, tag};
use super::key_numbers::interval;
use super::note;
use super::number::{count, fixed, signed};
use super::scatter::{self, Axes};
use super::skill::bars;
use super::table::{Cell, Table};

const AXES: Axes = Axes {
    forecast: "forecast ln realised variance",
    outcome: "realised ln realised variance",
    factor: 1.0,
    zero: false,
};

pub(super) fn section(scores: &[VolatilityScore]) -> Html {
    if scores.is_empty() {
        return Html::default();
    }
    let mut content = tag("h3", "Volatility");
    let columns = ["Forecast", "Decisions", "R² log", "QLIKE", "Rank IC", "95 % interval"];
    let mut table = Table::of_numbers(&columns);
    let r2 = |value: Option<f64>| Cell::maybe(value, |value| signed(value, 3));
    let rows = |rows: usize| Cell::number(count(rows as u64));
    let qlike = |value: Option<f64>| Cell::maybe(value, |value| fixed(value, 4));
    for score in scores {
        table.group(columns.len(), format!("{} ahead", bars(score.horizon)));
        table.strong_row([
            Cell::name("trained network"),
            rows(score.rows),
            r2(score.r2_log),
            qlike(score.qlike),
            Cell::maybe(score.rank_ic_series.value, |value| signed(value, 3)),
            Cell::number(interval(score.rank_ic_series)),
        ]);
        for naive in &score.baselines {
            let name = Cell::name(naive.name.replace('_', " "));
            table.row([
                name,
                rows(naive.rows),
                r2(naive.r2_log),
                qlike(naive.qlike),
                Cell::none(),
                Cell::none(),
            ]);
        }
    }
    content.push(table.into_html());
    content.push(note(
        "R² of the log is measured against each symbol's train mean: higher is better. QLIKE: lower is better, 0 is \
         perfect. It takes the network's log forecast as exp(μ + s²/2), with s² measured on the validation span. \
         Persistence is scored where the variance just before is known and not 0. The interval of the rank IC is drawn \
         from blocks of at least a day, since volatility follows the time of day: fewer than eight days have none.",
    ));
    let figures = scores.iter().map(|score| scatter::figure(&score.pairs, &AXES, &bars(score.horizon)));
    content.push(classed("div", "figures", figures.collect::<Html>()));
    content
}
