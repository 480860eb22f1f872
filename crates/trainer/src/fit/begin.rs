//! What is made and checked before the first step.

use tapeline_data_pipeline::Split;
use tapeline_evaluation::ic::MIN_CROSS_SECTION;
use tapeline_events::{Event, Observer};
use tch::Device;

use super::saving::{self, Saving};
use super::{Loop, Run, Start};
use crate::average::Average;
use crate::balance::Balance;
use crate::crew::Crew;
use crate::curriculum::Curriculum;
use crate::error::TrainError;
use crate::feed::Feed;
use crate::metric::{self, Metric};
use crate::optimizer::Optimizer;
use crate::schedule::Schedule;
use crate::seed::{Purpose, child_seed};
use crate::spec::PartRatesSpec;
use crate::stages::Stages;
use crate::state::State;
use crate::step::{Stepper, learned};
use crate::step_log::StepLog;

impl<'a> Loop<'a> {
    pub(super) fn begin(
        run: &'a Run<'a>,
        start: Start,
        observer: &mut dyn Observer,
    ) -> Result<Self, TrainError> {
        run.training.check().map_err(TrainError::Training)?;
        for split in [Split::Train, Split::Validation] {
            if run.data.samples(split).is_empty() {
                return Err(TrainError::EmptySpan { split });
            }
        }
        let watch = |policy, metric: &str| watched(policy, metric, run);
        let curriculum = Curriculum::new(run.data, run.tasks, run.training, run.lineage.seed)?;
        let balance = Balance::new(run.training.balancing, run.tasks, run.device)?;
        let best = watch("training.checkpointing.metric", &run.training.checkpointing.metric)?;
        let training = run.training;
        let precision = training.precision.on(run.device)?;
        let tf32 = precision.tf32(run.device)?;
        check_parts(run)?;
        let (spec, rates) = (&training.optimizer, &training.part_rates);
        let scaler = precision.scaler(run.device)?;
        let average = training.average.as_ref().map(|spec| Average::new(spec, run.network.parameters()));
        let mut begun = Self {
            run,
            log: StepLog::new(run.device, scaler.is_some()),
            stepper: Stepper {
                network: run.network,
                tasks: run.tasks,
                crew: crew_of(run, &balance)?,
                optimizer: Optimizer::new(spec, &learned(spec, rates, run.network, &balance))?,
                balance,
                part_rates: *rates,
                max_norm: training.gradient_clip.norm,
                precision,
                scaler,
                average: average.transpose()?,
                clock: run.clock,
                stages: Stages::default(),
                kept_gradients: Vec::new(),
            },
            feed: Feed::new(run.data, run.tasks, run.device)?,
            schedule: Schedule::new(run.training, |metric| watch("training.scheduler.metric", metric))?,
            stopping: watch("training.early_stopping.metric", &run.training.early_stopping.metric)?,
            saving: Saving::begin(run, best.direction)?,
            best,
            curriculum,
            dropout_seed: child_seed(run.lineage.seed, Purpose::Dropout, 0),
            stops_after_epoch: false,
            checkpoint_is_wanted: false,
            _tf32: tf32,
            state: State::fresh(run.lineage.clone()),
        };
        if start == Start::Resume {
            begun.resume(observer)?;
        }
        Ok(begun)
    }

    pub(super) fn resume(&mut self, observer: &mut dyn Observer) -> Result<(), TrainError> {
        let checkpoint = self.run.checkpoints.newest()?;
        self.run.lineage.ensure_is(&checkpoint.state.lineage)?;
        for damaged in &checkpoint.damaged {
            observer.observe(&Event::CheckpointDamaged {
                folder: damaged.name.clone(),
                reason: damaged.reason.clone(),
                used_instead: Some(checkpoint.name.clone()),
            });
        }
        checkpoint.restore_learned_weights(self.run.network)?;
        checkpoint.restore_optimizer(self.stepper.named_state())?;
        self.state = State { lineage: self.run.lineage.clone(), ..checkpoint.state };
        // The pointers are for people and are read by nothing here: what the disk refuses of them is no reason to stop.
        let settled = self.run.checkpoints.settle(
            self.state.step,
            &self.run.training.checkpointing,
            self.best.direction,
        );
        settled.map(drop).or_else(saving::go_on)?;
        observer.observe(&Event::ResumedFrom { step: self.state.step as u64, epoch: self.current_epoch() });
        Ok(())
    }
}

/// The metric that `policy` watches, if this run will have it.
fn watched(policy: &'static str, metric: &str, run: &Run<'_>) -> Result<Metric, TrainError> {
    let found = metric::find(metric, run.tasks).map_err(|nearest| TrainError::UnknownMetric {
        policy,
        metric: metric.into(),
        nearest,
    })?;
    let symbols = run.data.symbols().len();
    if found.is_cross_section() && symbols < MIN_CROSS_SECTION {
        return Err(TrainError::UndefinedMetric { policy, metric: metric.into(), symbols });
    }
    Ok(found)
}

/// Refuses a rate for a part that the network does not have.
fn check_parts(run: &Run<'_>) -> Result<(), TrainError> {
    let has = |part: &str| {
        let mut names = run.network.parameters().iter().map(|(name, _)| name);
        names.any(|name| PartRatesSpec::part_of(name) == part)
    };
    let absent = |(part, factor): &(&'static str, f64)| *factor != 1.0 && !has(part);
    match run.training.part_rates.factors().into_iter().find(absent) {
        Some((part, factor)) => Err(TrainError::NoSuchPart { part, factor }),
        None => Ok(()),
    }
}

/// Who shares the batches of `run`: on the CPU its threads, on another device that device alone.
fn crew_of(run: &Run<'_>, balance: &Balance) -> Result<Option<Crew>, TrainError> {
    let threads = run.lineage.threads;
    let is_shared = run.device == Device::Cpu && threads > 1;
    is_shared.then(|| Crew::new(run.network, run.tasks, balance, threads)).transpose()
}
