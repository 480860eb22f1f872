//! Events of a file, from records of a journal.

use std::collections::BTreeMap;

use prost::Message as _;
use tapeline_events::Event as RunEvent;

use super::framing::frame;
use super::message::{
    Dimension, Event, Histogram, Metadata, Plugin, STRING, Shape, Shown, Summary, Tensor, Value, What,
};
use crate::point::points;

/// What every file begins with.
pub(super) fn file_version(at: f64) -> Vec<u8> {
    framed(at, 0, What::FileVersion("brain.Event:2".into()))
}

/// Several values at one step.
pub(super) fn summary(at: f64, step: u64, value: Vec<Value>) -> Vec<u8> {
    framed(at, step, What::Summary(Summary { value }))
}

fn framed(wall_time: f64, step: u64, what: What) -> Vec<u8> {
    frame(&Event { wall_time, step: step as i64, what: Some(what) }.encode_to_vec())
}

/// The numbers of an event.
pub(super) fn scalars(event: &RunEvent) -> Vec<Value> {
    let scalar = |value: f64| Shown::Scalar(value as f32);
    let value = |(tag, shown)| Value { tag, shown: Some(shown), metadata: None };
    points(event).into_iter().map(|point| value((point.name, scalar(point.value)))).collect()
}

/// Weights and gradients of an event.
pub(super) fn histograms(event: &RunEvent) -> Vec<Value> {
    let RunEvent::Histograms { weights, gradients, .. } = event else { return Vec::new() };
    let of = |kind: &'static str, all: &BTreeMap<String, tapeline_events::Histogram>| {
        let value = move |(name, histogram): (&String, &tapeline_events::Histogram)| Value {
            tag: format!("{kind}/{name}"),
            shown: Some(Shown::Histogram(shown(histogram))),
            metadata: None,
        };
        all.iter().map(value).collect::<Vec<_>>()
    };
    of("weights", weights).into_iter().chain(of("gradients", gradients)).collect()
}

fn shown(histogram: &tapeline_events::Histogram) -> Histogram {
    Histogram {
        min: histogram.low,
        max: histogram.high,
        count: histogram.count() as f64,
        sum: histogram.sum,
        sum_squares: histogram.sum_of_squares,
        bucket_limit: histogram.edges().split_off(1),
        bucket: histogram.counts.iter().map(|count| *count as f64).collect(),
    }
}

/// A text, shown as Markdown.
pub(super) fn text(tag: &str, markdown: &str) -> Value {
    let shape = Shape { dim: vec![Dimension { size: 1 }] };
    let tensor = Tensor { kind: STRING, shape: Some(shape), text: vec![markdown.into()] };
    Value {
        tag: format!("{tag}/text_summary"),
        shown: Some(Shown::Tensor(tensor)),
        metadata: Some(of_plugin("text", Vec::new())),
    }
}

pub(super) fn of_plugin(name: &str, content: Vec<u8>) -> Metadata {
    Metadata { plugin: Some(Plugin { name: name.into(), content }) }
}
