//! The fixed-weight loss of a whole span, in exact sums: it does not depend on any batch.

use std::collections::BTreeMap;

use super::Span;
use super::rows::scaling;
use crate::forecast::Forecast;
use crate::loss::LossSum;
use crate::task::{Task, TaskKind, Tasks};

/// `<split>/loss` and each task's `<split>/<task>/loss`.
pub(super) fn losses(span: &Span<'_>, tasks: &Tasks) -> BTreeMap<String, Option<f64>> {
    let mut total = None;
    let mut metrics = BTreeMap::new();
    for (head, task) in tasks.iter().enumerate() {
        let loss = task_loss(span, task, head);
        if let Some(loss) = loss {
            *total.get_or_insert(0.0) += task.weight * loss;
        }
        metrics.insert(format!("{}/{}/loss", span.split, task.name), loss);
    }
    metrics.insert(format!("{}/loss", span.split), total);
    metrics
}

fn task_loss(span: &Span<'_>, task: &Task, head: usize) -> Option<f64> {
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
    sum.mean(task.loss_scale())
}
