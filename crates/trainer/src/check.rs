//! The `training:` section, checked: every fault at once, each with its path.

use garde::{Error, Path, Report};

use crate::spec::TrainingSpec;

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
        let above_zero = [
            (Path::new("optimizer").join("learning_rate"), self.optimizer.learning_rate),
            (Path::new("gradient_clip").join("norm"), self.gradient_clip.norm),
        ];
        for (path, value) in above_zero {
            if !(value.is_finite() && value > 0.0) {
                fault(path, format!("{value} cannot be used; give a finite number above 0"));
            }
        }
        let not_negative = [
            (Path::new("optimizer").join("weight_decay"), self.optimizer.weight_decay),
            (Path::new("scheduler").join("warmup_epochs"), self.scheduler.warmup_epochs),
            (Path::new("early_stopping").join("min_delta"), self.early_stopping.min_delta),
        ];
        for (path, value) in not_negative {
            if !(value.is_finite() && value >= 0.0) {
                fault(path, format!("{value} cannot be used; give a finite number that is at least 0"));
            }
        }
        if self.scheduler.warmup_epochs > self.num_epochs as f64 {
            let message = format!(
                "{} epochs of warm-up do not fit into {} epochs of training",
                self.scheduler.warmup_epochs, self.num_epochs
            );
            fault(Path::new("scheduler").join("warmup_epochs"), message);
        }
        if report.is_empty() { Ok(()) } else { Err(report) }
    }
}
