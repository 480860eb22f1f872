//! Return forecasts: scores beside the naive ones, forecast against outcome, symbol by symbol.

use tapeline_trainer::PriceScore;

use super::html::{Html, classed, tag};
use super::key_numbers::interval;
use super::note;
use super::number::{basis_points, count, or_undefined, percent, signed};
use super::scatter::{self, Axes};
use super::skill::bars;
use super::table::{Cell, Table};

/// Returns are drawn in basis points.
const AXES: Axes =
    Axes { forecast: "forecast return, bp", outcome: "realised return, bp", factor: 1e4, zero: true };

pub(super) fn section(scores: &[PriceScore]) -> Html {
    if scores.is_empty() {
        return Html::default();
    }
    let mut content = tag("h3", "Returns");
    content.push(table(scores));
    content.push(errors(scores));
    content.push(distributions(scores));
    let figures = scores.iter().map(|score| scatter::figure(&score.pairs, &AXES, &bars(score.horizon)));
    content.push(classed("div", "figures", figures.collect::<Html>()));
    content.push(symbols(scores));
    content
}

fn table(scores: &[PriceScore]) -> Html {
    let columns = ["Forecast", "IC", "Rank IC", "R² against zero", "Right signs", "Of decisions"];
    let mut table = Table::of_numbers(&columns);
    let correlation = |value: Option<f64>| Cell::maybe(value, |value| signed(value, 3));
    let r2 = |value: Option<f64>| Cell::maybe(value, |value| signed(value, 4));
    let share = |value: Option<f64>| Cell::maybe(value, percent);
    for score in scores {
        table.group(
            columns.len(),
            format!("{} ahead · {} decisions", bars(score.horizon), count(score.rows as u64)),
        );
        table.strong_row([
            Cell::name("trained network"),
            correlation(score.ic_series.value),
            correlation(score.rank_ic_series.value),
            r2(score.r2_zero),
            share(score.directional_accuracy),
            share(score.called_share),
        ]);
        if score.best_possible_ic.is_some() {
            let mut row = vec![Cell::name("best possible"), correlation(score.best_possible_ic)];
            row.resize_with(columns.len(), Cell::none);
            table.row(row);
        }
        for naive in &score.baselines {
            table.row([
                Cell::name(naive.name.replace('_', " ")),
                correlation(naive.ic_series),
                correlation(naive.rank_ic_series),
                r2(naive.r2_zero),
                share(naive.directional_accuracy),
                share(naive.called_share),
            ]);
        }
    }
    table.into_html()
}

fn errors(scores: &[PriceScore]) -> Html {
    let mut table = Table::of_numbers(&[
        "Ahead",
        "Mean absolute error",
        "Root mean squared error",
        "Rank IC across symbols",
        "95 % interval",
    ]);
    for score in scores {
        table.row([
            Cell::name(bars(score.horizon)),
            Cell::maybe(score.mae, basis_points),
            Cell::maybe(score.rmse, basis_points),
            Cell::maybe(score.rank_ic_cross.value, |value| signed(value, 3)),
            Cell::number(interval(score.rank_ic_cross)),
        ]);
    }
    let words = "Right signs are counted over those decisions where neither forecast nor return is zero. The rank IC across symbols is undefined under 10 \
                 symbols. Intervals stand under Key numbers.";
    Html::from([table.into_html(), note(words)])
}

/// How good forecasts are that say how sure they are.
fn distributions(scores: &[PriceScore]) -> Html {
    let mut table = Table::of_numbers(&[
        "Ahead",
        "Interval is to hold",
        "It holds",
        "Pinball loss",
        "Ranked probability score",
        "Negative log likelihood",
    ]);
    let mut is_empty = true;
    for score in scores {
        let Some(distribution) = &score.distribution else { continue };
        is_empty = false;
        table.row([
            Cell::name(bars(score.horizon)),
            Cell::number(percent(distribution.nominal_coverage)),
            Cell::maybe(distribution.coverage, percent),
            Cell::maybe(distribution.pinball, basis_points),
            Cell::maybe(distribution.crps, basis_points),
            Cell::maybe(distribution.nll, |value| signed(value, 3)),
        ]);
    }
    if is_empty { Html::default() } else { table.into_html() }
}

fn symbols(scores: &[PriceScore]) -> Html {
    let Some(first) = scores.iter().find(|score| score.per_symbol.len() > 1) else { return Html::default() };
    let names = scores.iter().map(|score| format!("{} ahead", bars(score.horizon)));
    let columns: Vec<String> = std::iter::once("Rank IC".to_owned()).chain(names).collect();
    let mut table = Table::of_numbers(&columns.iter().map(String::as_str).collect::<Vec<_>>());
    for (symbol, _) in &first.per_symbol {
        let of_symbol = |score: &PriceScore| {
            let found = score.per_symbol.iter().find(|(name, _)| name == symbol);
            found.map_or_else(Cell::none, |(_, value)| Cell::maybe(*value, |value| signed(value, 3)))
        };
        table.row(std::iter::once(Cell::name(symbol.as_str())).chain(scores.iter().map(of_symbol)));
    }
    let summary = spread(first);
    tag("details", [tag("summary", format!("Symbol by symbol ({summary})")), table.into_html()])
}

/// From the worst to the best symbol.
fn spread(score: &PriceScore) -> String {
    let values = score.per_symbol.iter().filter_map(|(_, value)| *value);
    let (low, high) = super::scale::extent(values).unzip();
    let write = |value| or_undefined(value, |value| signed(value, 3));
    format!("rank IC {} ahead from {} to {}", bars(score.horizon), write(low), write(high))
}
