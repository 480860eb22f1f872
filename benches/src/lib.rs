//! What the benchmarks share: the run of `configs/bench/hybrid.yaml` as values of the libraries.
//!
//! It measures through public doors alone: what is timed here is what a user of the crates gets.

use anyhow::{Context as _, Result};
use serde::Deserialize;
use tapeline_data_pipeline::{Bars, DataSpec, Dataset, Span, built_in_market};
use tapeline_models::{InputShape, ModelSpec, Network, NetworkSpec, build};
use tapeline_trainer::{LIBTORCH, Lineage, Purpose, Tasks, TasksSpec, TrainingSpec, child_seed};
use tch::Device;

const HYBRID: &str = include_str!("../../configs/bench/hybrid.yaml");

/// The sections of a run's configuration that a library reads.
#[derive(Clone, Debug, Deserialize)]
pub struct RunFile {
    /// The root of all randomness.
    pub seed: u64,
    /// Bars and what is made of them.
    pub data: DataSpec,
    /// What is asked.
    pub tasks: TasksSpec,
    /// Which network.
    pub model: ModelSpec,
    /// How it is trained.
    pub training: TrainingSpec,
}

impl RunFile {
    /// `configs/bench/hybrid.yaml`.
    ///
    /// # Errors
    /// When it is not JSON below its comments.
    pub fn hybrid() -> Result<Self> {
        let json: String = HYBRID.lines().filter(|line| !line.starts_with('#')).collect();
        serde_json::from_str(&json).context("configs/bench/hybrid.yaml cannot be read as JSON")
    }

    /// The bars of the built-in market.
    ///
    /// # Errors
    /// When the data are not those of the built-in market.
    pub fn bars(&self) -> Result<Vec<Bars>> {
        let synthetic =
            self.data.source.synthetic.as_ref().context("the bars are not the built-in market")?;
        Ok(built_in_market(synthetic, Span::ZERO))
    }

    /// Checks the sections and prepares the data.
    ///
    /// # Errors
    /// When a section has faults.
    pub fn prepare(self) -> Result<Prepared> {
        let tasks = self.tasks.check()?;
        let data = self.data.check()?.prepare(self.bars()?, tasks.labels())?;
        Ok(Prepared { file: self, tasks, data })
    }
}

/// Data and tasks that are ready to be trained on.
pub struct Prepared {
    /// As written.
    pub file: RunFile,
    /// Checked.
    pub tasks: Tasks,
    /// Tables and windows.
    pub data: Dataset,
}

impl Prepared {
    /// A network that fits, on `device`.
    ///
    /// # Errors
    /// When the model's section has faults.
    pub fn network(&self, device: Device) -> Result<Box<dyn Network>> {
        let seed = child_seed(self.file.seed, Purpose::Initialisation, 0);
        Ok(build(&self.network_spec(), seed, device)?)
    }

    /// Where the run comes from, on so many threads or on a GPU.
    #[must_use]
    pub fn lineage(&self, threads: usize, device: Device) -> Lineage {
        Lineage {
            tapeline: env!("CARGO_PKG_VERSION").into(),
            libtorch: LIBTORCH.into(),
            device: match device {
                Device::Cuda(index) => format!("cuda:{index}"),
                _ => "cpu".into(),
            },
            threads,
            seed: self.file.seed,
            data: self.data.fingerprint().to_string(),
            pipeline: self.file.data.clone(),
            split: self.data.fitted().split,
            tasks: self.file.tasks.clone(),
            labels: self.tasks.labels().to_vec(),
            network: self.network_spec(),
            training: self.file.training.clone(),
        }
    }

    fn network_spec(&self) -> NetworkSpec {
        let shape = |input: &tapeline_data_pipeline::InputLayout| InputShape {
            length: input.length,
            features: input.width(),
        };
        NetworkSpec {
            model: self.file.model.clone(),
            inputs: self.data.inputs().iter().map(shape).collect(),
            heads: self.tasks.heads(),
        }
    }
}
