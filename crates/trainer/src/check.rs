//! The `training:` section, checked: every fault at once, each with its path.

use garde::{Error, Path, Report};

use crate::spec::{OptimizerSpec, SchedulerSpec, TrainingSpec};

impl TrainingSpec {
    /// Checks every value by itself. Whether a metric exists depends on the tasks; [`fit`](crate::fit()) checks that.
    ///
    /// # Errors
    /// Every fault at once, with paths relative to `training`.
    pub fn check(&self) -> Result<(), Report> {
        let mut report = Report::new();
        let mut fault = |path: Path, message: String| report.append(path, Error::new(message));
        let counts = [
            (Path::new("num_epochs"), self.num_epochs),
            (Path::new("batch_size"), self.batch_size),
            (Path::new("gradient_accumulation"), self.gradient_accumulation),
            (Path::new("early_stopping").join("patience"), self.early_stopping.patience),
            (Path::new("guards").join("non_finite_steps"), self.guards.non_finite_steps),
            (Path::new("guards").join("no_learning_epochs"), self.guards.no_learning_epochs),
            (Path::new("checkpointing").join("every_n_epochs"), self.checkpointing.every_n_epochs),
            (Path::new("checkpointing").join("keep_last"), self.checkpointing.keep_last),
            (Path::new("checkpointing").join("keep_best"), self.checkpointing.keep_best),
        ];
        for (path, count) in counts {
            if count == 0 {
                fault(path, "0 is too few; give at least 1".into());
            }
        }
        if self.checkpointing.every_n_steps == Some(0) {
            let path = Path::new("checkpointing").join("every_n_steps");
            fault(path, "0 is too few; give at least 1, or leave the key out".into());
        }
        if let Some(minutes) = self.checkpointing.every_n_minutes
            && !(minutes.is_finite() && minutes > 0.0)
        {
            let path = Path::new("checkpointing").join("every_n_minutes");
            fault(
                path,
                format!("{minutes} cannot be used; give a finite number above 0, or leave the key out"),
            );
        }
        let above_zero = [
            (Path::new("optimizer").join("learning_rate"), self.optimizer.learning_rate()),
            (Path::new("gradient_clip").join("norm"), self.gradient_clip.norm),
            (Path::new("guards").join("loss_spike"), self.guards.loss_spike),
            (Path::new("guards").join("exploding_norm"), self.guards.exploding_norm),
        ];
        for (path, value) in above_zero {
            if !(value.is_finite() && value > 0.0) {
                fault(path, format!("{value} cannot be used; give a finite number above 0"));
            }
        }
        let not_negative = [
            (Path::new("optimizer").join("weight_decay"), self.optimizer.weight_decay()),
            (Path::new("scheduler").join("warmup_epochs"), self.scheduler.warmup_epochs()),
            (Path::new("early_stopping").join("min_delta"), self.early_stopping.min_delta),
            (Path::new("guards").join("no_learning_fall"), self.guards.no_learning_fall),
        ];
        let part_rates =
            self.part_rates.factors().map(|(part, factor)| (Path::new("part_rates").join(part), factor));
        for (path, value) in not_negative.into_iter().chain(part_rates) {
            if !(value.is_finite() && value >= 0.0) {
                fault(path, format!("{value} cannot be used; give a finite number that is at least 0"));
            }
        }
        if let Some(average) = self.average.filter(|average| !(0.0..1.0).contains(&average.decay)) {
            let message = format!("{} cannot be used; give a number in [0, 1)", average.decay);
            fault(Path::new("average").join("decay"), message);
        }
        if !(0.0..=1.0).contains(&self.guards.dead_units) {
            let message = format!("{} is not a share; give a number in [0, 1]", self.guards.dead_units);
            fault(Path::new("guards").join("dead_units"), message);
        }
        if self.part_rates.factors().iter().all(|(_, factor)| *factor == 0.0) {
            fault(Path::new("part_rates"), "every part has 0: there is nothing to learn".into());
        }
        for (key, message) in optimizer_faults(&self.optimizer) {
            fault(Path::new("optimizer").join(key), message);
        }
        for (key, message) in scheduler_faults(&self.scheduler, self.optimizer.learning_rate()) {
            fault(Path::new("scheduler").join(key), message);
        }
        if self.scheduler.warmup_epochs() > self.num_epochs as f64 {
            let message = format!(
                "{} epochs of warm-up do not fit into {} epochs of training",
                self.scheduler.warmup_epochs(),
                self.num_epochs
            );
            fault(Path::new("scheduler").join("warmup_epochs"), message);
        }
        for (key, message) in self.curriculum.iter().flat_map(|it| it.faults(self.num_epochs)) {
            fault(Path::new("curriculum").join(key), message);
        }
        if report.is_empty() { Ok(()) } else { Err(report) }
    }
}

/// Faults of what one kind of optimiser has and another has not: key and message.
fn optimizer_faults(spec: &OptimizerSpec) -> Vec<(&'static str, String)> {
    let is_share = |value: f64| (0.0..1.0).contains(&value);
    let mut faults = Vec::new();
    match spec {
        OptimizerSpec::Adamw(spec) | OptimizerSpec::Adam(spec) => {
            if let Some(beta) = spec.betas.into_iter().find(|beta| !is_share(*beta)) {
                faults.push(("betas", format!("{beta} cannot be used; give two numbers in [0, 1)")));
            }
            if !(spec.epsilon.is_finite() && spec.epsilon > 0.0) {
                let message = format!("{} cannot be used; give a finite number above 0", spec.epsilon);
                faults.push(("epsilon", message));
            }
        }
        OptimizerSpec::Sgd(spec) => {
            if !is_share(spec.momentum) {
                faults
                    .push(("momentum", format!("{} cannot be used; give a number in [0, 1)", spec.momentum)));
            } else if spec.nesterov && spec.momentum == 0.0 {
                let message = "there is no momentum to look ahead along; set it false or give a momentum";
                faults.push(("nesterov", message.into()));
            }
        }
    }
    faults
}

/// The same for schedules.
fn scheduler_faults(spec: &SchedulerSpec, peak: f64) -> Vec<(&'static str, String)> {
    let mut faults = Vec::new();
    let factor = match spec {
        SchedulerSpec::Step(spec) => Some(spec.factor),
        SchedulerSpec::Plateau(spec) => Some(spec.factor),
        SchedulerSpec::Cosine(_) | SchedulerSpec::Constant(_) => None,
    };
    if let Some(factor) = factor.filter(|factor| !(*factor > 0.0 && *factor < 1.0)) {
        faults.push(("factor", format!("{factor} cannot be used; give a number above 0 and below 1")));
    }
    match spec {
        SchedulerSpec::Step(spec) if spec.every_epochs == 0 => {
            faults.push(("every_epochs", "0 is too few; give at least 1".into()));
        }
        SchedulerSpec::Plateau(spec) if !(spec.min_delta.is_finite() && spec.min_delta >= 0.0) => {
            let message =
                format!("{} cannot be used; give a finite number that is at least 0", spec.min_delta);
            faults.push(("min_delta", message));
        }
        _ => {}
    }
    if let Some(rate) = spec.min_rate() {
        if !(rate.is_finite() && rate >= 0.0) {
            let message = format!("{rate} cannot be used; give a finite number that is at least 0");
            faults.push(("min_rate", message));
        } else if peak > 0.0 && rate > peak {
            faults.push(("min_rate", format!("{rate} is above optimizer.learning_rate, {peak}")));
        }
    }
    faults
}
