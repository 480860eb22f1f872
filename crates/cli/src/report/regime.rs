//! Regime forecasts: scores beside the naive ones, and which class was taken for which.

use tapeline_trainer::RegimeScore;

use super::html::{Html, classed, tag};
use super::note;
use super::number::{count, fixed, percent, signed};
use super::skill::bars;
use super::table::{Cell, Table};

pub(super) fn section(scores: &[RegimeScore]) -> Html {
    if scores.is_empty() {
        return Html::default();
    }
    let mut content = tag("h3", "Regimes");
    content.push(table(scores));
    for score in scores {
        content.push(confusion(score));
    }
    content
}

fn table(scores: &[RegimeScore]) -> Html {
    let columns = ["Forecast", "Accuracy", "Macro F1", "MCC", "Calibration error", "After temperature"];
    let mut table = Table::of_numbers(&columns);
    let f1 = |value: Option<f64>| Cell::maybe(value, |value| fixed(value, 3));
    let mcc = |value: Option<f64>| Cell::maybe(value, |value| signed(value, 3));
    for score in scores {
        table.group(
            columns.len(),
            format!("{} ahead · {} decisions", bars(score.horizon), count(score.rows as u64)),
        );
        table.strong_row([
            Cell::name("trained network"),
            Cell::maybe(score.accuracy, percent),
            f1(score.macro_f1),
            mcc(score.mcc),
            f1(score.ece),
            Cell::maybe(score.ece_calibrated.zip(score.temperature).map(|(ece, _)| ece), |ece| {
                format!("{} at {}", fixed(ece, 3), fixed(score.temperature.unwrap_or(1.0), 2))
            }),
        ]);
        for naive in &score.baselines {
            let name = Cell::name(naive.name.replace('_', " "));
            let accuracy = Cell::maybe(naive.accuracy, percent);
            table.row([name, accuracy, f1(naive.macro_f1), mcc(naive.mcc), Cell::none(), Cell::none()]);
        }
    }
    table.into_html()
}

/// Which class was taken for which: counts, and their share of the true class as tint and figure.
fn confusion(score: &RegimeScore) -> Html {
    let mut columns = vec![format!("{} ahead: true class", bars(score.horizon)), "Share".to_owned()];
    let weighted = !score.class_weights.is_empty();
    if weighted {
        columns.push("Weight in training".to_owned());
    }
    columns.extend(score.classes.iter().map(|class| format!("said {class}")));
    let mut table = Table::of_numbers(&columns.iter().map(String::as_str).collect::<Vec<_>>());
    for (row, class) in score.classes.iter().enumerate() {
        let counts = score.confusion.get(row).map_or(&[][..], Vec::as_slice);
        let total: u64 = counts.iter().sum();
        let share = score.shares.get(row).copied();
        let mut cells = vec![Cell::name(class.as_str()), Cell::maybe(share, percent)];
        if weighted {
            cells.push(Cell::maybe(score.class_weights.get(row).copied(), |weight| fixed(weight, 3)));
        }
        cells.extend(counts.iter().map(|said| {
            let share = (total > 0).then(|| *said as f64 / total as f64);
            let figure = tag("b", super::number::or_undefined(share, percent));
            Cell::tinted(share, Html::from([figure, classed("span", "faint", count(*said))]))
        }));
        table.row(cells);
    }
    let words =
        "Each row is one true class: what share of its decisions was said to be which class, and how many.";
    Html::from([classed("div", "confusion", table.into_html()), note(words)])
}
