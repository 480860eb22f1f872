//! The report of a run: one HTML file that loads nothing, with its figures inside.

mod appendix;
mod file;
mod headline;
mod html;
mod key_numbers;
pub(crate) mod number;
mod plot;
mod price;
mod regime;
#[cfg(test)]
pub(crate) mod sample;
mod scale;
pub(crate) mod scatter;
mod several;
pub(crate) mod skill;
mod span;
pub(crate) mod study;
mod sweep;
mod table;
mod targets;
#[cfg(test)]
mod tests;
mod training;
mod volatility;

use tapeline_events::{ProjectedRow, Record, projection};
use tapeline_trainer::Scorecard;

pub(crate) use file::write;
use html::{Html, classed, tag, tag_with};
pub(crate) use sweep::sweep_svg;

/// Light, dark, narrow and printed.
const STYLE: &str = include_str!("report/style.css");
/// Nothing is loaded and nothing runs, whatever the text of a run says.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// What a report tells about.
pub(crate) struct ReportInput<'a> {
    /// The experiment's name.
    pub(crate) title: &'a str,
    /// The run's name.
    pub(crate) run_id: &'a str,
    /// The resolved configuration, as YAML.
    pub(crate) config_yaml: &'a str,
    /// Where the run comes from. Shown whole; what it says of the network and the machine also stands at the top.
    pub(crate) lineage: &'a serde_json::Value,
    /// The journal so far.
    pub(crate) records: &'a [Record],
    /// One per span that was scored.
    pub(crate) scorecards: &'a [Scorecard],
    /// How often the test span of this data was opened.
    pub(crate) test_openings: u64,
    /// Which data.
    pub(crate) fingerprint: &'a str,
}

/// The report as one HTML file. What is undefined says so; an interval that covers zero says so too.
pub(crate) fn render(input: &ReportInput<'_>) -> String {
    let rows = projection(input.records);
    let mut sections = Html::default();
    sections.push(headline::header(input));
    sections.push(key_numbers::section(input.scorecards));
    sections.push(targets::section(input.records));
    sections.push(training::section(&rows));
    for scorecard in input.scorecards {
        sections.push(span::section(scorecard));
    }
    sections.push(appendix::section(input));
    page(format!("{} · {}", input.title, input.run_id), sections)
}

/// The page about several runs.
pub(crate) fn render_several(input: &crate::summary::Page, run_id: &str, config_yaml: &str) -> String {
    several::render(input, run_id, config_yaml)
}

/// A whole file, with its style inside.
fn page(title: String, sections: Html) -> String {
    let head = [
        tag_with("title", &[], title),
        // The style is ours and holds nothing to escape; markup from outside comes through `Html::text` alone.
        Html::trusted("style", STYLE),
    ];
    let mut page = String::from("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">");
    page.push_str("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">");
    page.push_str("<meta name=\"color-scheme\" content=\"light dark\">");
    page.push_str(&format!("<meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">"));
    page.push_str(&Html::from(head).into_string());
    page.push_str("</head><body>");
    page.push_str(&tag("main", sections).into_string());
    page.push_str("</body></html>\n");
    page
}

/// The rows of one kind.
fn of_kind<'a>(rows: &'a [ProjectedRow], kind: &'static str) -> impl Iterator<Item = &'a ProjectedRow> {
    rows.iter().filter(move |row| row.kind == kind)
}

/// A part of the page with its heading.
fn part(heading: impl Into<Html>, content: impl Into<Html>) -> Html {
    tag("section", [tag("h2", heading), content.into()])
}

/// A paragraph that explains.
fn note(text: impl Into<Html>) -> Html {
    classed("p", "note", text)
}
