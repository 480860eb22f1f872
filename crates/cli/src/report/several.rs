//! The page about several runs: what they are, their tables, and what was scored as a whole.

use super::html::{Html, tag};
use super::table::{Cell, Table};
use super::{key_numbers, note, page, part, span};
use crate::summary::{Page, SummaryTable};

pub(super) fn render(input: &Page, run_id: &str, config_yaml: &str) -> String {
    let facts = std::iter::once(("Run", run_id))
        .chain(input.facts.iter().map(|(name, text)| (name.as_str(), text.as_str())))
        .flat_map(|(name, text)| [tag("dt", name), tag("dd", text)]);
    let mut sections = tag("header", [tag("h1", input.title.as_str()), tag("dl", facts.collect::<Html>())]);
    if !input.cards.is_empty() {
        sections.push(key_numbers::section(&input.cards));
    }
    for table in &input.tables {
        sections.push(section(table));
    }
    for card in &input.cards {
        sections.push(span::section(card));
    }
    let summary = tag("summary", "Configuration, every default spelled out");
    sections.push(part("Configuration", tag("details", [summary, tag("pre", tag("code", config_yaml))])));
    page(format!("{} · {run_id}", input.title), sections)
}

fn section(table: &SummaryTable) -> Html {
    let columns: Vec<&str> = table.columns.iter().map(String::as_str).collect();
    let mut rows = Table::of_numbers(&columns);
    for row in &table.rows {
        let (name, figures) = row.split_first().map_or(("", &[][..]), |(name, rest)| (name.as_str(), rest));
        let figures = figures.iter().map(|figure| Cell::number(figure.as_str()));
        rows.row(std::iter::once(Cell::name(name)).chain(figures));
    }
    let mut content = rows.into_html();
    if !table.note.is_empty() {
        content.push(note(table.note.as_str()));
    }
    part(table.heading.as_str(), content)
}
