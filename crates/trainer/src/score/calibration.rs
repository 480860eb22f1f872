//! What is measured on the validation span to read forecasts by: how far off log forecasts are, and how sure class scores.

use tapeline_artefact::Predictions;
use tapeline_data_pipeline::{Dataset, Split};

use super::regime::ClassScores;
use super::rows::{Rows, head_output};
use super::{Detail, Span, temperature};
use crate::task::{TaskKind, Tasks};

/// The mean squared residual of each log-variance forecast on the validation span, by label. A log forecast μ stands for the
/// variance exp(μ + s²/2); s² is measured on validation and carried over to the test span. So is the temperature that class scores are divided by.
#[derive(Clone, Debug, PartialEq)]
pub struct Calibration {
    residual_variance: Vec<f64>,
    temperature: Vec<Option<f64>>,
}

impl Calibration {
    /// Measured on what a network said of the validation samples, in their order.
    #[must_use]
    pub fn on_validation(data: &Dataset, tasks: &Tasks, predictions: &Predictions) -> Self {
        let samples = data.samples(Split::Validation);
        let span = Span { data, samples, predictions, detail: Detail::Scores };
        let mut residual_variance = vec![0.0; tasks.labels().len()];
        let mut temperatures = vec![None; tasks.labels().len()];
        for (head, task) in tasks.iter().enumerate() {
            for (position, label) in task.labels.clone().enumerate() {
                match task.kind {
                    TaskKind::Price { .. } => {}
                    TaskKind::Volatility { .. } => {
                        let rows = Rows::of(&span, label, head_output(&span, head, position));
                        residual_variance[label] = mean_squared_residual(&rows);
                    }
                    TaskKind::Regime { classes, .. } => {
                        let rows = ClassScores::of(&span, label, head, position, classes);
                        temperatures[label] = temperature::best(&rows.scores, &rows.actual, classes);
                    }
                }
            }
        }
        Self { residual_variance, temperature: temperatures }
    }

    /// The temperature of a label's class scores.
    pub(super) fn temperature(&self, label: usize) -> Option<f64> {
        self.temperature.get(label).copied().flatten()
    }

    /// s² of a label.
    pub(super) fn of(&self, label: usize) -> f64 {
        self.residual_variance.get(label).copied().unwrap_or_default()
    }
}

fn mean_squared_residual(rows: &Rows) -> f64 {
    let residuals =
        rows.forecast.iter().zip(&rows.realised).map(|(forecast, realised)| (forecast - realised).powi(2));
    residuals.sum::<f64>() / rows.forecast.len().max(1) as f64
}
