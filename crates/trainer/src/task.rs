//! Tasks: what is asked of the network, translated into labels (for the data) and heads (for the network).

use std::ops::Range;

use tapeline_data_pipeline::{FittedLabel, LabelSpec};
use tapeline_models::{HeadKind, HeadSpec};

use crate::spec::{ClassWeightsSpec, ClassificationLoss, RegressionLoss, TasksSpec};

/// Classes of the regime task.
pub const REGIME_CLASSES: usize = 4;

/// What a task forecasts and how a miss is counted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TaskKind {
    /// Log returns.
    Price {
        /// How a miss is counted.
        loss: RegressionLoss,
    },
    /// Logs of realised variance.
    Volatility {
        /// How a miss is counted.
        loss: RegressionLoss,
    },
    /// Classes of market.
    Regime {
        /// How many classes there are.
        classes: usize,
        /// How a miss is counted.
        loss: ClassificationLoss,
        /// Share of the truth that is given to all classes alike in training.
        label_smoothing: f64,
        /// What a sample of each counts for in training.
        class_weights: ClassWeightsSpec,
    },
}

/// One task over its horizons.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    /// The name under which its head's weights and its metrics are kept.
    pub name: &'static str,
    /// What it forecasts.
    pub kind: TaskKind,
    /// Base bars ahead, one head output (or one group of class scores) each.
    pub horizons: Vec<usize>,
    /// Its weight in the loss.
    pub weight: f64,
    /// Its columns among the dataset's labels, one per horizon.
    pub labels: Range<usize>,
}

/// Checked tasks, in the order of the heads.
#[derive(Clone, Debug, PartialEq)]
pub struct Tasks {
    tasks: Vec<Task>,
    labels: Vec<LabelSpec>,
}

impl TasksSpec {
    /// Checks the section and lays out labels and heads.
    ///
    /// # Errors
    /// Every fault at once, with paths relative to `tasks`.
    pub fn check(&self) -> Result<Tasks, garde::Report> {
        let mut report = garde::Report::new();
        let mut tasks = Tasks { tasks: Vec::new(), labels: Vec::new() };
        if let Some(spec) = &self.price_prediction {
            check_task(&mut report, "price_prediction", &spec.horizons, spec.weight);
            let label = |horizon| LabelSpec::LogReturn { horizon, lag: spec.lag };
            check_quantiles(&mut report, "price_prediction", spec.loss);
            tasks.push(
                "price_prediction",
                TaskKind::Price { loss: spec.loss },
                &spec.horizons,
                spec.weight,
                label,
            );
        }
        if let Some(spec) = &self.volatility_estimation {
            check_task(&mut report, "volatility_estimation", &spec.horizons, spec.weight);
            let label = |horizon| LabelSpec::LogRealizedVariance { horizon };
            let kind = TaskKind::Volatility { loss: spec.loss };
            if spec.loss.is_of_a_distribution() {
                let message = "is for price_prediction; give huber or mse";
                report.append(
                    garde::Path::new("volatility_estimation").join("loss"),
                    garde::Error::new(message),
                );
            }
            tasks.push("volatility_estimation", kind, &spec.horizons, spec.weight, label);
        }
        if let Some(spec) = &self.regime_detection {
            check_task(&mut report, "regime_detection", &spec.horizons, spec.weight);
            let label = |horizon| LabelSpec::BullBearSidewaysVolatile { horizon };
            check_class_weights(&mut report, "regime_detection", spec.class_weights);
            check_class_loss(&mut report, "regime_detection", spec.loss, spec.label_smoothing);
            let kind = TaskKind::Regime {
                classes: REGIME_CLASSES,
                loss: spec.loss,
                label_smoothing: spec.label_smoothing,
                class_weights: spec.class_weights,
            };
            tasks.push("regime_detection", kind, &spec.horizons, spec.weight, label);
        }
        if tasks.tasks.is_empty() {
            report.append(garde::Path::empty(), garde::Error::new("no task is given; keep at least one"));
        } else if tasks.tasks.iter().all(|task| task.weight == 0.0) {
            report.append(
                garde::Path::empty(),
                garde::Error::new("every weight is 0: there is nothing to learn"),
            );
        }
        if report.is_empty() { Ok(tasks) } else { Err(report) }
    }
}

fn check_task(report: &mut garde::Report, task: &str, horizons: &[usize], weight: f64) {
    let horizons_path = garde::Path::new(task).join("horizons");
    if horizons.is_empty() {
        report.append(horizons_path.clone(), garde::Error::new("at least one horizon is needed"));
    }
    for (position, horizon) in horizons.iter().enumerate() {
        if *horizon == 0 {
            report
                .append(horizons_path.join(position), garde::Error::new("a horizon is at least 1 base bar"));
        }
        if horizons[..position].contains(horizon) {
            let message = format!("the horizon {horizon} is there twice");
            report.append(horizons_path.join(position), garde::Error::new(message));
        }
    }
    if !weight.is_finite() || weight < 0.0 {
        let message = format!("{weight} is not a weight; give a finite number that is at least 0");
        report.append(garde::Path::new(task).join("weight"), garde::Error::new(message));
    }
}

fn check_quantiles(report: &mut garde::Report, task: &str, loss: RegressionLoss) {
    if let RegressionLoss::Quantile { tail } = loss
        && !(tail > 0.0 && tail < 0.5)
    {
        let path = garde::Path::new(task).join("loss").join("quantile").join("tail");
        let message = format!("{tail} cannot be used; give a number above 0 and below 0.5");
        report.append(path, garde::Error::new(message));
    }
}

fn check_class_loss(report: &mut garde::Report, task: &str, loss: ClassificationLoss, smoothing: f64) {
    if let ClassificationLoss::Focal { gamma } = loss
        && !(gamma.is_finite() && gamma >= 0.0)
    {
        let path = garde::Path::new(task).join("loss").join("focal").join("gamma");
        let message = format!("{gamma} cannot be used; give a finite number that is at least 0");
        report.append(path, garde::Error::new(message));
    }
    if !(0.0..1.0).contains(&smoothing) {
        let message = format!("{smoothing} cannot be used; give a number in [0, 1)");
        report.append(garde::Path::new(task).join("label_smoothing"), garde::Error::new(message));
    }
}

fn check_class_weights(report: &mut garde::Report, task: &str, weights: ClassWeightsSpec) {
    if let ClassWeightsSpec::EffectiveNumber { beta } = weights
        && !(0.0..1.0).contains(&beta)
    {
        let path = garde::Path::new(task).join("class_weights").join("effective_number").join("beta");
        report.append(path, garde::Error::new(format!("{beta} cannot be used; give a number in [0, 1)")));
    }
}

impl Tasks {
    fn push(
        &mut self,
        name: &'static str,
        kind: TaskKind,
        horizons: &[usize],
        weight: f64,
        label: impl Fn(usize) -> LabelSpec,
    ) {
        let first = self.labels.len();
        self.labels.extend(horizons.iter().copied().map(label));
        self.tasks.push(Task {
            name,
            kind,
            horizons: horizons.to_vec(),
            weight,
            labels: first..self.labels.len(),
        });
    }

    /// The tasks, in the order of the heads.
    pub fn iter(&self) -> std::slice::Iter<'_, Task> {
        self.tasks.iter()
    }

    /// Task `number` alone. Its labels keep their places.
    pub(crate) fn only(&self, number: usize) -> Self {
        Self { tasks: vec![self.tasks[number].clone()], labels: self.labels.clone() }
    }

    /// What the data must be labelled with, in the order of [`Task::labels`].
    #[must_use]
    pub fn labels(&self) -> &[LabelSpec] {
        &self.labels
    }

    /// One head for each task.
    #[must_use]
    pub fn heads(&self) -> Vec<HeadSpec> {
        self.iter().map(|task| HeadSpec { name: task.name.into(), kind: task.head() }).collect()
    }
}

impl Task {
    fn head(&self) -> HeadKind {
        let horizons = self.horizons.len();
        match self.kind {
            TaskKind::Price { loss } | TaskKind::Volatility { loss } => {
                HeadKind::Regression { outputs: horizons * loss.outputs() }
            }
            TaskKind::Regime { classes, .. } => HeadKind::Classification { horizons, classes },
        }
    }

    /// What a sample of each class of a label counts for in training, from what was `fitted` on train rows. None for a task
    /// without classes, and where all count alike.
    #[must_use]
    pub fn class_weights(&self, fitted: &FittedLabel) -> Option<Vec<f64>> {
        match (self.kind, fitted) {
            (TaskKind::Regime { class_weights: ClassWeightsSpec::None, .. }, _) => None,
            (TaskKind::Regime { class_weights, .. }, FittedLabel::Regime { class_counts, .. }) => {
                Some(class_weights.weights(class_counts))
            }
            _ => None,
        }
    }

    /// Divides the loss, so that 1 means as good as naive: 1 for standardised targets, what a standard normal has for normal
    /// distributions, what a uniform forecast has for classes.
    #[must_use]
    pub fn loss_scale(&self) -> f64 {
        match self.kind {
            TaskKind::Price { loss } | TaskKind::Volatility { loss } => match loss {
                RegressionLoss::Gaussian => 0.5 * (1.0 + (2.0 * std::f64::consts::PI).ln()),
                RegressionLoss::Huber | RegressionLoss::Mse | RegressionLoss::Quantile { .. } => 1.0,
            },
            TaskKind::Regime { classes, loss, .. } => {
                let classes = classes as f64;
                match loss {
                    ClassificationLoss::CrossEntropy => classes.ln(),
                    ClassificationLoss::Focal { gamma } => (1.0 - classes.recip()).powf(gamma) * classes.ln(),
                }
            }
        }
    }
}
