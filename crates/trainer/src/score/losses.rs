//! The fixed-weight loss of a whole span, in exact sums: it does not depend on any batch.

use std::collections::BTreeMap;

use super::Span;
use super::rows::scaling;
use crate::forecast::Forecast;
use crate::loss::LossSum;
use crate::task::{Task, TaskKind, Tasks};

/// The losses of a span as sums, by task.
pub(super) struct Losses(Vec<TaskLoss>);

struct TaskLoss {
    name: &'static str,
    weight: f64,
    scale: f64,
    sum: LossSum,
}

impl Losses {
    pub(super) fn of(span: &Span<'_>, tasks: &Tasks) -> Self {
        let task_loss = |(head, task): (usize, &Task)| TaskLoss {
            name: task.name,
            weight: task.weight,
            scale: task.loss_scale(),
            sum: task_loss(span, task, head),
        };
        Self(tasks.iter().enumerate().map(task_loss).collect())
    }

    /// Adds the losses of another fold, each against its own target scaling.
    pub(super) fn join(&mut self, later: &Self) {
        self.0.iter_mut().zip(&later.0).for_each(|(mine, later)| mine.sum.join(&later.sum));
    }

    /// `<split>/loss` and each task's `<split>/<task>/loss`.
    pub(super) fn named(&self, split: &str) -> BTreeMap<String, Option<f64>> {
        let mut total = None;
        let mut metrics = BTreeMap::new();
        for task in &self.0 {
            let loss = task.sum.mean(task.scale);
            if let Some(loss) = loss {
                *total.get_or_insert(0.0) += task.weight * loss;
            }
            metrics.insert(format!("{split}/{}/loss", task.name), loss);
        }
        metrics.insert(format!("{split}/loss"), total);
        metrics
    }
}

fn task_loss(span: &Span<'_>, task: &Task, head: usize) -> LossSum {
    let outputs = &span.predictions.heads[head];
    let mut sum = LossSum::default();
    for (position, label) in task.labels.clone().enumerate() {
        let column = &span.data.labels()[label];
        let (mean, std) = scaling(&column.fitted);
        for (row, &sample) in span.samples.iter().enumerate() {
            let value = column.values[sample as usize];
            if value.is_nan() {
                continue;
            }
            let output = outputs.row(row);
            match task.kind {
                TaskKind::Price { loss } | TaskKind::Volatility { loss } => {
                    let said = Forecast::of(loss, output, task.horizons.len(), position);
                    sum.add_regression(loss, &said, (f64::from(value) - mean) / std);
                }
                TaskKind::Regime { classes, loss, .. } => {
                    sum.add_class(
                        loss,
                        &output[position * classes..(position + 1) * classes],
                        value as usize,
                    );
                }
            }
        }
    }
    sum
}
