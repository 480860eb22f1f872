//! A board in Prometheus' text format, version 0.0.4.

use std::fmt::Write as _;

use crate::board::Board;

/// What a family of figures is.
#[derive(Clone, Copy)]
enum Kind {
    Counter,
    Gauge,
}

/// All figures of `board`.
pub(super) fn render(board: &Board) -> String {
    let mut out = Page { text: String::new(), run: board.name.clone() };
    out.one("steps_total", Kind::Counter, "Updates of the weights.", Some(board.step as f64));
    out.one("planned_steps", Kind::Gauge, "Updates that are planned.", Some(board.plan.steps as f64));
    out.one("epoch", Kind::Gauge, "The epoch that goes on, counted from 1.", Some(board.epoch as f64));
    out.one("loss", Kind::Gauge, "The loss of the last step.", board.loss);
    let losses = board.losses.iter().map(|(task, loss)| (task.as_str(), *loss));
    out.many("task_loss", Kind::Gauge, "The loss of the last step, by task.", "task", losses);
    out.one("learning_rate", Kind::Gauge, "The learning rate of the last step.", board.learning_rate);
    out.one("gradient_norm", Kind::Gauge, "The norm of the gradients before clipping.", board.gradient_norm);
    let defined = board.metrics.iter().filter_map(|(name, value)| Some((name.as_str(), (*value)?)));
    out.many("metric", Kind::Gauge, "Metrics of the last epoch that has ended.", "name", defined);
    let rate = board.rate.steps_per_second();
    let samples = rate.map(|rate| rate * board.plan.samples_per_step());
    out.one("samples_per_second", Kind::Gauge, "Samples that are learned from.", samples);
    if let Some(times) = board.times {
        let help = "Seconds of a step by what they were spent on, the mean over the last epoch.";
        out.many("step_stage_seconds", Kind::Gauge, help, "stage", times.per_step().into_iter());
        let help = "The share of the last epoch's steps in which nothing was learned: data was made, or somebody waited.";
        out.one("stall_share", Kind::Gauge, help, Some(times.stall_share()));
    }
    let left = board.rate.left(&board.plan).map(|left| left.as_secs_f64());
    out.one("remaining_seconds", Kind::Gauge, "Time until the last planned step.", left);
    out.one(
        "elapsed_seconds",
        Kind::Gauge,
        "Time since this process began.",
        Some(board.elapsed.as_secs_f64()),
    );
    out.one(
        "checkpoints_total",
        Kind::Counter,
        "Checkpoints that were saved.",
        Some(board.checkpoints as f64),
    );
    out.one(
        "warnings_total",
        Kind::Counter,
        "Things that a person should know.",
        Some(board.warnings as f64),
    );
    out.one("ended", Kind::Gauge, "1 once training is over.", Some(f64::from(u8::from(board.has_ended))));
    for (name, value) in board.system.iter().chain(&board.extra) {
        out.one(&clean(name), Kind::Gauge, "A figure of the journal, under its own name.", Some(*value));
    }
    out.text
}

struct Page {
    text: String,
    run: String,
}

impl Page {
    fn one(&mut self, name: &str, kind: Kind, help: &str, value: Option<f64>) {
        if let Some(value) = value {
            self.head(name, kind, help);
            self.line(name, None, value);
        }
    }

    fn many<'a>(
        &mut self,
        name: &str,
        kind: Kind,
        help: &str,
        label: &str,
        values: impl Iterator<Item = (&'a str, f64)>,
    ) {
        let mut values = values.peekable();
        if values.peek().is_some() {
            self.head(name, kind, help);
        }
        for (value_of, value) in values {
            self.line(name, Some((label, value_of)), value);
        }
    }

    fn head(&mut self, name: &str, kind: Kind, help: &str) {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
        };
        // Writing into a text does not fail.
        let _ = write!(self.text, "# HELP tapeline_{name} {help}\n# TYPE tapeline_{name} {kind}\n");
    }

    fn line(&mut self, name: &str, label: Option<(&str, &str)>, value: f64) {
        let value = match value {
            value if value.is_nan() => "NaN".into(),
            f64::INFINITY => "+Inf".into(),
            f64::NEG_INFINITY => "-Inf".into(),
            value => value.to_string(),
        };
        let more = label.map_or_else(String::new, |(label, of)| format!(",{label}=\"{}\"", escaped(of)));
        let _ = writeln!(self.text, "tapeline_{name}{{run=\"{}\"{more}}} {value}", escaped(&self.run));
    }
}

fn escaped(label: &str) -> String {
    label.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// A name that Prometheus takes.
fn clean(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}
