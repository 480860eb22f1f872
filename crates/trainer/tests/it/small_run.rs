//! A run small enough for a test: two symbols, three days, a network of a few thousand weights.

use std::path::Path;
use std::time::Duration;

use tapeline_data_pipeline::feature::{LogReturn, TimeOfDay, Volume};
use tapeline_data_pipeline::{
    AugmentationSpec, DataSpec, Dataset, PriceScalingSpec, SequenceLengthSpec, SourceSpec, Span,
    SyntheticSpec, TemporalJitterSpec, built_in_market,
};
use tapeline_events::{Event, Observer};
use tapeline_models::{
    CnnSpec, FusionSpec, HybridSpec, InputShape, LstmSpec, ModelSpec, Network, NetworkSpec, build,
};
use tapeline_trainer::{
    Checkpoints, Ending, LIBTORCH, Lineage, PriceTaskSpec, Purpose, RegimeTaskSpec, Run, Start, Tasks,
    TasksSpec, TrainError, TrainingSpec, VolatilityTaskSpec, Wish, child_seed, fit,
};
use tch::Device;

/// The run's seed.
pub(crate) const SEED: u64 = 11;

/// Everything that stands still while a run is trained.
pub(crate) struct SmallRun {
    pub(crate) pipeline: DataSpec,
    pub(crate) data: Dataset,
    pub(crate) asked: TasksSpec,
    pub(crate) tasks: Tasks,
    pub(crate) training: TrainingSpec,
    pub(crate) threads: usize,
    /// What the clock shows whenever it is looked at.
    pub(crate) clock: fn() -> Duration,
    pub(crate) histograms: bool,
    pub(crate) device: Device,
    /// Another network than the usual one.
    pub(crate) model: Option<ModelSpec>,
    /// Of the network.
    pub(crate) recurrent_dropout: f64,
}

pub(crate) fn data_spec() -> DataSpec {
    let synthetic = SyntheticSpec { seed: 3, symbols: 2, days: 3, best_ic: 0.4 };
    DataSpec {
        source: SourceSpec { synthetic: Some(synthetic), ..SourceSpec::default() },
        timeframes: ["1m", "5m"].iter().map(|text| text.parse().unwrap()).collect(),
        sequence_length: SequenceLengthSpec::Same(12),
        features: vec![LogReturn.into(), Volume.into(), TimeOfDay.into()],
        stride: 7,
        ..DataSpec::default()
    }
}

pub(crate) fn tasks_spec() -> TasksSpec {
    TasksSpec {
        price_prediction: Some(PriceTaskSpec { horizons: vec![1, 5], ..PriceTaskSpec::default() }),
        volatility_estimation: Some(VolatilityTaskSpec {
            horizons: vec![5],
            ..VolatilityTaskSpec::default()
        }),
        regime_detection: Some(RegimeTaskSpec { horizons: vec![5], ..RegimeTaskSpec::default() }),
    }
}

fn model(recurrent_dropout: f64) -> ModelSpec {
    ModelSpec::Hybrid(HybridSpec {
        cnn: CnnSpec {
            channels: 8,
            kernel_sizes: vec![3, 5],
            dilations: vec![1, 2],
            attention_heads: 2,
            dropout: 0.2,
        },
        lstm: LstmSpec {
            hidden_size: 8,
            num_layers: 2,
            bidirectional: false,
            attention_heads: 2,
            dropout: 0.2,
            recurrent_dropout,
        },
        fusion: FusionSpec { output_size: 12, dropout: 0.2, ..FusionSpec::default() },
    })
}

impl SmallRun {
    pub(crate) fn new() -> Self {
        Self::on(data_spec(), tasks_spec())
    }

    /// The same with other questions.
    pub(crate) fn of(asked: TasksSpec) -> Self {
        Self::on(data_spec(), asked)
    }

    /// Every augmentation that there is, at once.
    pub(crate) fn augmented() -> Self {
        let augmentation = AugmentationSpec {
            noise_std: Some(0.05),
            temporal_jitter: Some(TemporalJitterSpec { probability: 0.5, max_shift: 3 }),
            price_scaling: Some(PriceScalingSpec { low: 0.8, high: 1.25 }),
        };
        Self::on(DataSpec { augmentation: Some(augmentation), ..data_spec() }, tasks_spec())
    }

    /// On these data.
    pub(crate) fn on(spec: DataSpec, asked: TasksSpec) -> Self {
        let tasks = asked.check().unwrap();
        let bars = built_in_market(spec.source.synthetic.as_ref().unwrap(), Span::ZERO);
        let data = spec.check().unwrap().prepare(bars, tasks.labels()).unwrap();
        let mut training = TrainingSpec { num_epochs: 2, batch_size: 48, ..TrainingSpec::default() };
        training.scheduler = training.scheduler.with_warmup_epochs(0.5);
        training.checkpointing.every_n_epochs = 1;
        training.checkpointing.every_n_steps = Some(4);
        Self {
            pipeline: spec,
            data,
            asked,
            tasks,
            training,
            threads: 1,
            clock: || Duration::ZERO,
            histograms: false,
            device: Device::Cpu,
            model: None,
            recurrent_dropout: 0.0,
        }
    }

    pub(crate) fn network_spec(&self) -> NetworkSpec {
        let inputs = self.data.inputs().iter();
        NetworkSpec {
            model: self.model.clone().unwrap_or_else(|| model(self.recurrent_dropout)),
            inputs: inputs
                .map(|input| InputShape { length: input.length, features: input.width() })
                .collect(),
            heads: self.tasks.heads(),
        }
    }

    pub(crate) fn network(&self) -> Box<dyn Network> {
        let seed = child_seed(SEED, Purpose::Initialisation, 0);
        build(&self.network_spec(), seed, self.device).unwrap()
    }

    pub(crate) fn lineage(&self) -> Lineage {
        Lineage {
            tapeline: env!("CARGO_PKG_VERSION").into(),
            libtorch: LIBTORCH.into(),
            device: if self.device == Device::Cpu { "cpu".into() } else { "cuda:0".into() },
            threads: self.threads,
            seed: SEED,
            data: "the small market".into(),
            pipeline: self.pipeline.clone(),
            split: self.data.fitted().split,
            labels: self.tasks.labels().to_vec(),
            tasks: self.asked.clone(),
            network: self.network_spec(),
            training: self.training.clone(),
        }
    }

    /// Trains with checkpoints under `folder` until the end, or until `stop` says so after a step.
    pub(crate) fn fit(
        &self,
        folder: &Path,
        start: Start,
        stop: &dyn Fn() -> bool,
        heard: &mut Heard,
    ) -> Result<(Ending, Box<dyn Network>), TrainError> {
        self.fit_in(&Checkpoints::at(folder), start, &|| stop().into(), heard)
    }

    /// As [`fit`](Self::fit), for who wants more than an end.
    pub(crate) fn fit_in(
        &self,
        checkpoints: &Checkpoints,
        start: Start,
        asked: &dyn Fn() -> Wish,
        heard: &mut Heard,
    ) -> Result<(Ending, Box<dyn Network>), TrainError> {
        let network = self.network();
        let run = Run {
            data: &self.data,
            network: network.as_ref(),
            tasks: &self.tasks,
            training: &self.training,
            lineage: self.lineage(),
            checkpoints,
            device: self.device,
            clock: self.clock,
            histograms: self.histograms,
        };
        let ending = fit(&run, start, asked, heard)?;
        Ok((ending, network))
    }
}

/// Remembers every event.
#[derive(Default)]
pub(crate) struct Heard(pub(crate) Vec<Event>);

impl Observer for Heard {
    fn observe(&mut self, event: &Event) {
        self.0.push(event.clone());
    }
}
