//! The top of the page: what was run, on which data, how it went, how often the test span was opened.

use serde_json::Value;
use tapeline_events::{Event, Outcome, Record};

use super::ReportInput;
use super::html::{Html, classed, tag};
use super::number::{compact, count};
use super::table::{Cell, Table};

pub(super) fn header(input: &ReportInput<'_>) -> Html {
    let facts = [
        fact("Run", input.run_id),
        fact("Network", network(input)),
        fact("Training", training(input.records)),
        fact("Data", classed("span", "hash", input.fingerprint)),
        fact("Test span", test_openings(input.test_openings)),
        fact("Machine", machine(input.lineage)),
    ];
    let mut header = tag("h1", input.title);
    header.push(tag("dl", Html::from(facts)));
    header.push(spans(input));
    header.push(remarks(input.records));
    tag("header", header)
}

fn fact(name: &str, content: impl Into<Html>) -> Html {
    Html::from([tag("dt", name), tag("dd", content)])
}

fn network(input: &ReportInput<'_>) -> String {
    let kind = input.lineage.pointer("/lineage/network/model/kind").and_then(Value::as_str);
    let parameters = input.records.iter().find_map(|record| match record.event {
        Event::RunStarted { parameters, .. } => Some(parameters),
        _ => None,
    });
    let words = [
        kind.map(ToOwned::to_owned),
        parameters.map(|parameters| format!("{} learned parameters", count(parameters))),
    ];
    said(&words)
}

fn training(records: &[Record]) -> String {
    let mut planned = None;
    let mut seed = None;
    let mut resumed = 0;
    let mut ended = None;
    for record in records {
        match record.event {
            Event::RunStarted { num_epochs, seed: given, .. } => {
                (planned, seed) = (Some(num_epochs), Some(given));
            }
            Event::ResumedFrom { .. } => {
                resumed += 1;
                ended = None;
            }
            Event::RunEnded { step, epoch, outcome } => ended = Some((step, epoch, outcome)),
            _ => {}
        }
    }
    let stopped = records.iter().rev().find_map(|record| match &record.event {
        Event::EarlyStopped { metric, best, best_epoch, .. } => {
            Some(format!("{metric} was best, {}, in epoch {best_epoch}", compact(*best)))
        }
        _ => None,
    });
    let ended = ended.map_or_else(
        || "not finished".to_owned(),
        |(step, epoch, outcome)| {
            let done = format!("{} steps in {epoch} epochs", count(step));
            match (outcome, planned) {
                (Outcome::Completed, _) => format!("completed, {done}"),
                (Outcome::EarlyStopped, Some(planned)) => {
                    format!("stopped early, {done} of {planned} planned")
                }
                (Outcome::EarlyStopped, None) => format!("stopped early, {done}"),
                (Outcome::Stopped, _) => format!("stopped by hand, {done}"),
                (Outcome::Interrupted, _) => format!("interrupted, {done}; can be resumed"),
            }
        },
    );
    let resumed = match resumed {
        0 => None,
        1 => Some("resumed once".to_owned()),
        times => Some(format!("resumed {times} times")),
    };
    let seed = seed.map(|seed| format!("seed {seed}"));
    said(&[Some(ended), stopped, resumed, seed])
}

fn test_openings(times: u64) -> String {
    match times {
        0 => "never opened for this data".into(),
        1 => "opened once for this data".into(),
        _ => format!(
            "opened {} times for this data; what was chosen after the first look makes its scores too good",
            count(times)
        ),
    }
}

fn machine(lineage: &Value) -> String {
    let text = |path: &str| lineage.pointer(path).and_then(Value::as_str);
    let threads = lineage.pointer("/lineage/threads").and_then(Value::as_u64);
    said(&[
        text("/host/system").map(ToOwned::to_owned),
        text("/lineage/device").map(ToOwned::to_owned),
        threads.map(|threads| format!("{threads} {}", if threads == 1 { "thread" } else { "threads" })),
        text("/lineage/libtorch").map(|version| format!("libtorch {version}")),
        text("/lineage/tapeline").map(|version| format!("tapeline {version}")),
    ])
}

/// What is known, or that nothing is.
fn said(words: &[Option<String>]) -> String {
    let known: Vec<&str> = words.iter().flatten().map(String::as_str).collect();
    if known.is_empty() { "not recorded".into() } else { known.join(" · ") }
}

fn spans(input: &ReportInput<'_>) -> Html {
    let prepared = input.records.iter().find_map(|record| match &record.event {
        Event::RunStarted { samples, .. } => Some(samples),
        _ => None,
    });
    let mut table = Table::of_numbers(&["Span", "Decisions", "Scored", "First", "Last"]);
    for split in ["train", "validation", "test"] {
        let prepared = prepared.and_then(|samples| samples.get(split)).copied();
        let scored = input.scorecards.iter().find(|scorecard| scorecard.split == split);
        if prepared.is_none() && scored.is_none() {
            continue;
        }
        let scored_count = scored.map_or("not scored".into(), |scored| count(scored.samples as u64));
        let end = |time: Option<&String>| Cell::number(time.map_or("", String::as_str));
        table.row([
            Cell::name(split),
            Cell::number(prepared.map_or("not recorded".into(), count)),
            Cell::number(scored_count),
            end(scored.map(|scored| &scored.from)),
            end(scored.map(|scored| &scored.to)),
        ]);
    }
    table.into_html()
}

/// What a reader should know before believing the rest.
fn remarks(records: &[Record]) -> Html {
    let mut seen: Vec<String> = Vec::new();
    for record in records {
        let remark = match &record.event {
            Event::Warning { message } => message.clone(),
            Event::CheckpointFailed { step, reason } => {
                format!("the checkpoint at step {} could not be saved: {reason}", count(*step))
            }
            Event::CheckpointDamaged { folder, reason, used_instead } => {
                let instead = used_instead.as_deref().unwrap_or("nothing");
                format!("the checkpoint {folder} was damaged ({reason}); {instead} was used instead")
            }
            _ => continue,
        };
        if !seen.contains(&remark) {
            seen.push(remark);
        }
    }
    if seen.is_empty() {
        return Html::default();
    }
    let list: Html = seen.into_iter().map(|remark| tag("li", remark)).collect();
    classed("div", "remarks", [tag("h3", "To know"), tag("ul", list)])
}
