//! From a configuration to data, network and lineage: what every command that trains or scores begins with.

use tapeline_data_pipeline::{AuditReport, Bars, DataError, Dataset, Fingerprint, Pipeline};
use tapeline_models::{InputShape, ModelError, Network, NetworkSpec, build};
use tapeline_trainer::{Checkpoints, LIBTORCH, Lineage, Purpose, Run, Tasks, child_seed};
use tch::Device;

use crate::clock;
use crate::config::{DeviceSpec, RunConfig, ThreadsSpec};
use crate::failure::Failure;

/// A configuration whose sections were checked.
pub(crate) struct Checked {
    pub(crate) pipeline: Pipeline,
    pub(crate) tasks: Tasks,
    pub(crate) device: Device,
    pub(crate) threads: usize,
}

/// Checks the sections and sets the number of threads, for libtorch and for the data.
pub(crate) fn check(config: &RunConfig) -> Result<Checked, Failure> {
    let mut checked = sections(config, 0, Device::Cpu)?;
    checked.threads = use_threads(config.threads)?;
    checked.device = device(config.device)?;
    use_deterministic_kernels(config, checked.device)?;
    Ok(checked)
}

/// The CPU's kernels are; those of another device where the configuration wants it.
fn use_deterministic_kernels(config: &RunConfig, device: Device) -> Result<(), Failure> {
    if config.training.deterministic && device != Device::Cpu {
        tapeline_torch_ext::use_deterministic_kernels().map_err(Failure::failed)?;
    }
    Ok(())
}

/// Checks the sections, in a process whose threads are set and whose device is known.
pub(crate) fn sections(config: &RunConfig, threads: usize, device: Device) -> Result<Checked, Failure> {
    let refuse =
        |section: &str, report: garde::Report| Failure::bad_input(anyhow::anyhow!("{section}: {report}"));
    let pipeline = config.data.check().map_err(|report| refuse("data", report))?;
    let tasks = config.tasks.check().map_err(|report| refuse("tasks", report))?;
    use_deterministic_kernels(config, device)?;
    Ok(Checked { pipeline, tasks, device, threads })
}

/// Sets the number of threads, once in a process; what `auto` came to.
pub(crate) fn use_threads(spec: ThreadsSpec) -> Result<usize, Failure> {
    let threads = match spec {
        ThreadsSpec::Auto => crate::host::cores(),
        ThreadsSpec::Count(threads) => threads,
    };
    tapeline_torch_ext::set_threads(threads).map_err(Failure::failed)?;
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global().map_err(Failure::failed)?;
    Ok(threads)
}

/// The device that is there, or what to do about one that is not.
pub(crate) fn device(spec: DeviceSpec) -> Result<Device, Failure> {
    let gpus = usize::try_from(tch::Cuda::device_count()).unwrap_or_default();
    match spec {
        DeviceSpec::Auto if gpus > 0 => Ok(Device::Cuda(0)),
        DeviceSpec::Auto | DeviceSpec::Cpu => Ok(Device::Cpu),
        DeviceSpec::Cuda(index) if index < gpus => Ok(Device::Cuda(index)),
        DeviceSpec::Cuda(index) => Err(Failure::bad_input(anyhow::anyhow!(
            "device: cuda:{index} is not there; libtorch sees {gpus} GPUs. Use `device: cpu`, or lay out libtorch with CUDA \
             (`cargo xtask libtorch --cuda`)"
        ))),
    }
}

/// Reads the bars of `pipeline`. When the audit stops them, its whole table is shown first.
pub(crate) fn read(pipeline: &Pipeline) -> Result<(Vec<Bars>, AuditReport, Fingerprint), Failure> {
    tracing::debug!("reading bars");
    let (bars, report) = pipeline.read().inspect_err(|error| {
        if let DataError::Audit { report } = error {
            eprintln!("{report}");
        }
    })?;
    let fingerprint = Fingerprint::of_bars(&bars);
    tracing::debug!(%fingerprint, symbols = bars.len(), "bars are read");
    Ok((bars, report, fingerprint))
}

impl Checked {
    /// Replaces `auto` by what it came to, so that a run goes on with the same threads and precision on the same kind of device.
    pub(crate) fn spell_out(&self, config: &mut RunConfig) -> Result<(), Failure> {
        config.threads = ThreadsSpec::Count(self.threads);
        config.device = match self.device {
            Device::Cuda(index) => DeviceSpec::Cuda(index),
            _ => DeviceSpec::Cpu,
        };
        config.training.precision = config.training.precision.on(self.device)?.into();
        Ok(())
    }

    /// The bars of the configuration.
    pub(crate) fn read(&self) -> Result<(Vec<Bars>, AuditReport, Fingerprint), Failure> {
        read(&self.pipeline)
    }

    /// The network that fits data and tasks.
    pub(crate) fn network(&self, config: &RunConfig) -> NetworkSpec {
        let inputs = self.pipeline.inputs().iter();
        NetworkSpec {
            model: config.model.clone(),
            inputs: inputs
                .map(|input| InputShape { length: input.length, features: input.width() })
                .collect(),
            heads: self.tasks.heads(),
        }
    }

    /// The network of a run, with the weights that its seed begins with.
    pub(crate) fn build_network(&self, lineage: &Lineage) -> Result<Box<dyn Network>, ModelError> {
        build(&lineage.network, child_seed(lineage.seed, Purpose::Initialisation, 0), self.device)
    }

    /// A run of `network` on `data`, which tells of histograms where somebody draws them.
    pub(crate) fn run<'a>(
        &'a self,
        config: &'a RunConfig,
        data: &'a Dataset,
        network: &'a dyn Network,
        lineage: &Lineage,
        checkpoints: &'a Checkpoints,
    ) -> Run<'a> {
        Run {
            data,
            network,
            tasks: &self.tasks,
            training: &config.training,
            lineage: lineage.clone(),
            checkpoints,
            device: self.device,
            clock: clock::running,
            histograms: config.tracking.draws_histograms(),
        }
    }

    /// Where a run on `data` comes from.
    pub(crate) fn lineage(&self, config: &RunConfig, data: &Dataset, fingerprint: &Fingerprint) -> Lineage {
        Lineage {
            tapeline: env!("CARGO_PKG_VERSION").into(),
            libtorch: LIBTORCH.into(),
            device: match self.device {
                Device::Cuda(index) => format!("cuda:{index}"),
                _ => "cpu".into(),
            },
            threads: self.threads,
            seed: config.seed,
            data: fingerprint.to_string(),
            pipeline: config.data.clone(),
            split: data.fitted().split,
            labels: self.tasks.labels().to_vec(),
            tasks: config.tasks.clone(),
            network: self.network(config),
            training: config.training.clone(),
        }
    }
}
