//! What stands in the records of a run: rows of history, values by key, lines of the console.

use jiff::Timestamp;
use tapeline_events::{Event, Histogram};

use super::message::{
    History, HistoryStep, Item, Kind, Metric, MetricOptions, Output, Stats, StatsItem, Summary, Time,
};
use crate::Told;
use crate::point::{Point, points};

/// The update that a row belongs to: what W&B draws the metrics over. Its own steps count rows.
const STEP: &str = "step";

/// Says that every metric is drawn over the updates.
pub(super) fn drawn_over_steps() -> [Kind; 2] {
    let metric = |name: &str, glob_name: &str, step_metric: &str| {
        Kind::Metric(Metric {
            name: name.into(),
            glob_name: glob_name.into(),
            step_metric: step_metric.into(),
            options: Some(MetricOptions { step_sync: true, defined: true }),
        })
    };
    [metric(STEP, "", ""), metric("", "*", STEP)]
}

/// The row of an event with numbers. Rows are numbered by the journal, so that one that is sent twice is the same row.
pub(super) fn row(told: &Told, at: Timestamp, started: Timestamp) -> Option<Kind> {
    let drawn: Vec<Item> =
        points(&told.record.event).iter().map(of_point).chain(histograms(&told.record.event)).collect();
    if drawn.is_empty() || told.repeated || matches!(told.record.event, Event::System { .. }) {
        return None;
    }
    let own = [
        (STEP, told.step.to_string()),
        ("_step", told.record.seq.to_string()),
        ("_timestamp", json(at.as_microsecond() as f64 / 1e6)),
        ("_runtime", json((at.as_microsecond() - started.as_microsecond()) as f64 / 1e6)),
    ];
    let own = own.map(|(key, value_json)| item(key, value_json));
    Some(Kind::History(History {
        item: drawn.into_iter().chain(own).collect(),
        step: Some(HistoryStep { num: told.record.seq as i64 }),
    }))
}

/// What stands in the table of runs from now on: the metrics of an epoch, and the scores.
pub(super) fn summary(event: &Event) -> Option<Kind> {
    let counts = matches!(event, Event::EpochEnded { .. } | Event::Scored { .. });
    let update: Vec<Item> = if counts { points(event).iter().map(of_point).collect() } else { Vec::new() };
    (!update.is_empty()).then_some(Kind::Summary(Summary { update }))
}

/// What the machine did, by the names that W&B has for it.
pub(super) fn stats(event: &Event, at: Timestamp) -> Option<Kind> {
    let Event::System { figures } = event else { return None };
    let item = |(name, value): (&String, &f64)| {
        let name = name.strip_prefix("system/").unwrap_or(name);
        StatsItem { key: stats_key(name), value_json: json(*value) }
    };
    Some(Kind::Stats(Stats { timestamp: Some(time(at)), item: figures.iter().map(item).collect() }))
}

fn stats_key(name: &str) -> String {
    let gpu = name.strip_prefix("gpu_").and_then(|rest| rest.split_once('_'));
    match (name, gpu) {
        ("cpu_utilization_percentage", _) => "cpu".into(),
        ("system_memory_usage_percentage", _) => "memory_percent".into(),
        ("process_memory_megabytes", _) => "proc.memory.rssMB".into(),
        (_, Some((index, "utilization_percentage"))) => format!("gpu.{index}.gpu"),
        (_, Some((index, "memory_usage_percentage"))) => format!("gpu.{index}.memoryAllocated"),
        (_, Some((index, "power_usage_watts"))) => format!("gpu.{index}.powerWatts"),
        _ => name.into(),
    }
}

/// What the console would say of an event.
pub(super) fn line(event: &Event, at: Timestamp) -> Option<Kind> {
    let words = match event {
        Event::EpochEnded { epoch, metrics, .. } => {
            let loss = metrics.get("validation/loss").copied().flatten();
            format!(
                "epoch {epoch}: validation/loss {}",
                loss.map_or("undefined".into(), |loss| format!("{loss:.4}"))
            )
        }
        Event::ResumedFrom { step, .. } => format!("resumed from step {step}"),
        Event::CheckpointSaved { folder, best, .. } => {
            format!("saved {folder}{}", if *best { ", the best so far" } else { "" })
        }
        Event::CheckpointFailed { step, reason } => {
            format!("warning: no checkpoint at step {step}: {reason}")
        }
        Event::CheckpointDamaged { folder, reason, .. } => format!("warning: {folder} is damaged: {reason}"),
        Event::EarlyStopped { metric, best, best_epoch, .. } => {
            format!("stopped early: {metric} was best in epoch {best_epoch}, with {best}")
        }
        Event::Warning { message } => format!("warning: {message}"),
        _ => return None,
    };
    Some(Kind::Output(Output { kind: 0, timestamp: Some(time(at)), line: format!("{words}\n") }))
}

/// Weights and gradients, as W&B draws them.
fn histograms(event: &Event) -> Vec<Item> {
    let Event::Histograms { weights, gradients, .. } = event else { return Vec::new() };
    let drawn = |kind: &str, name: &str, histogram: &Histogram| {
        let value = serde_json::json!({
            "_type": "histogram",
            "bins": histogram.edges(),
            "values": histogram.counts,
        });
        item(&format!("{kind}/{name}"), value.to_string())
    };
    let weights = weights.iter().map(|(name, histogram)| drawn("weights", name, histogram));
    let gradients = gradients.iter().map(|(name, histogram)| drawn("gradients", name, histogram));
    weights.chain(gradients).collect()
}

fn of_point(point: &Point) -> Item {
    item(&point.name, json(point.value))
}

pub(super) fn item(key: &str, value_json: String) -> Item {
    Item { key: key.into(), nested_key: Vec::new(), value_json }
}

pub(super) fn time(at: Timestamp) -> Time {
    Time { seconds: at.as_second(), nanos: at.subsec_nanosecond() }
}

/// A number as W&B's own client writes it, with the words that JSON does not know.
pub(super) fn json(value: f64) -> String {
    match value {
        value if value.is_nan() => "NaN".into(),
        f64::INFINITY => "Infinity".into(),
        f64::NEG_INFINITY => "-Infinity".into(),
        value => serde_json::Value::from(value).to_string(),
    }
}
