//! Tables whose numbers stand under each other.

use super::html::{Html, classed, tag, tag_with};
use super::number;

/// A table that is being filled.
pub(super) struct Table {
    head: Html,
    body: Html,
}

/// One cell.
pub(super) struct Cell(Html);

impl Cell {
    /// The name of the row.
    pub(super) fn name(name: impl Into<Html>) -> Self {
        Self(tag_with("th", &[("scope", "row")], name))
    }

    /// A number, on the right.
    pub(super) fn number(number: impl Into<Html>) -> Self {
        Self(classed("td", "number", number))
    }

    /// A number that may be undefined.
    pub(super) fn maybe(number: Option<f64>, write: impl Fn(f64) -> String) -> Self {
        let class = if number.is_some() { "number" } else { "number undefined" };
        Self(classed("td", class, number::or_undefined(number, write)))
    }

    /// Where a row has nothing to say, which is not the same as undefined.
    pub(super) fn none() -> Self {
        Self(tag("td", ""))
    }

    /// A share as a number on a tint of that strength.
    pub(super) fn tinted(share: Option<f64>, content: Html) -> Self {
        let strength = share.map_or(0, |share| (share.clamp(0.0, 1.0) * 70.0).round() as u32);
        let style = format!("--tint:{strength}%");
        Self(tag_with("td", &[("class", "number tinted"), ("style", &style)], content))
    }
}

impl Table {
    /// The first column is for names; the others are for numbers.
    pub(super) fn of_numbers(columns: &[&str]) -> Self {
        let columns = columns.iter().enumerate().map(|(index, column)| {
            let class = if index == 0 { "" } else { "number" };
            tag_with("th", &[("scope", "col"), ("class", class)], *column)
        });
        Self { head: tag("tr", columns.collect::<Html>()), body: Html::default() }
    }

    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.add("", cells);
    }

    /// A row that stands out: what was trained, among what was not.
    pub(super) fn strong_row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.add("strong", cells);
    }

    /// A line across the table that begins a group of rows.
    pub(super) fn group(&mut self, columns: usize, name: impl Into<Html>) {
        let span = columns.to_string();
        let cell = tag_with("th", &[("scope", "rowgroup"), ("colspan", &span)], name);
        self.body.push(classed("tr", "group", cell));
    }

    fn add(&mut self, class: &str, cells: impl IntoIterator<Item = Cell>) {
        let cells: Html = cells.into_iter().map(|cell| cell.0).collect();
        self.body.push(classed("tr", class, cells));
    }

    pub(super) fn into_html(self) -> Html {
        let table = tag("table", [tag("thead", self.head), tag("tbody", self.body)]);
        classed("div", "wide", table)
    }
}
