//! Checkpoints of every release are read by every later one, and lead to where they led then.
//!
//! `tests/golden/checkpoints/<release>/<case>/` holds a checkpoint from inside a run and what became of the run:
//! `weights.safetensors` and `history.json`. Everything else that is needed stands in the checkpoint's lineage.
//! `UPDATE_EXPECT=1` adds the folder of this release where it is missing, and changes none that is there.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tapeline_artefact::tensors_from_bytes;
use tapeline_data_pipeline::{
    AugmentationSpec, DataSpec, Span, TemporalJitterSpec, built_in_market, feature::LogReturn,
};
use tapeline_models::{
    CnnSpec, FusionSpec, HybridSpec, LstmSpec, ModelSpec, Network, build, weights_from_bytes,
    weights_to_bytes,
};
use tapeline_trainer::{
    BalancingSpec, Checkpoint, Checkpoints, CurriculumSpec, EpochRecord, Lineage, OptimizerSpec, PaceSpec,
    PlateauSpec, Run, SchedulerSpec, SgdSpec, Start, State, TrainingSpec, fit,
};
use tch::{Device, Tensor};

use crate::small_run::{Heard, SmallRun, data_spec, tasks_spec};

/// How far the weights may end from the recorded ones, as a share of the way from the checkpoint to them; and a metric, as a
/// share of its size. Another processor rounds otherwise, and `AdamW` makes small steps of rounding where a gradient is next
/// to 0; a moment or a place that is lost leads elsewhere by tens of percent.
const TOLERANCE: f64 = 0.02;

/// The files of a case beside its checkpoint.
const WEIGHTS: &str = "weights.safetensors";
const HISTORY: &str = "history.json";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/checkpoints")
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for name in names(from) {
        fs::copy(from.join(&name), to.join(&name)).unwrap();
    }
}

/// Goes on with the run whose checkpoint is in `folder`, knowing nothing but what the checkpoint says.
fn go_on(folder: &Path) -> (State, Box<dyn Network>) {
    let checkpoints = Checkpoints::at(folder);
    let lineage = checkpoints.newest().unwrap().state.lineage;
    let tasks = lineage.tasks.check().unwrap();
    let bars = built_in_market(lineage.pipeline.source.synthetic.as_ref().unwrap(), Span::ZERO);
    let data = lineage.pipeline.check().unwrap().prepare(bars, tasks.labels()).unwrap();
    assert_eq!(data.fitted().split, lineage.split, "the built-in market or its split is another one");
    let network = build(&lineage.network, 0, Device::Cpu).unwrap();
    let run = Run {
        data: &data,
        network: network.as_ref(),
        tasks: &tasks,
        training: &lineage.training.clone(),
        lineage,
        checkpoints: &checkpoints,
        device: Device::Cpu,
        clock: || Duration::ZERO,
        histograms: false,
    };
    let state = fit(&run, Start::Resume, &|| false, &mut Heard::default()).unwrap().state;
    (state, network)
}

fn flat(weights: &[u8]) -> Tensor {
    let tensors = tensors_from_bytes(weights).unwrap();
    Tensor::cat(&tensors.iter().map(|(_, tensor)| tensor.reshape([-1])).collect::<Vec<_>>(), 0)
}

fn weights_of(checkpoint: &Checkpoint, lineage: &Lineage) -> Vec<u8> {
    let network = build(&lineage.network, 0, Device::Cpu).unwrap();
    checkpoint.restore_weights(network.as_ref()).unwrap();
    weights_to_bytes(network.parameters()).unwrap()
}

fn length(tensor: &Tensor) -> f64 {
    tensor.norm().double_value(&[])
}

#[test]
#[expect(clippy::disallowed_methods, reason = "who adds a release says so in the environment")]
fn every_release_can_be_gone_on_from() {
    tch::set_num_threads(1);
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        add_this_release();
    }
    let releases = names(&folder());
    let this = env!("CARGO_PKG_VERSION");
    assert!(releases.iter().any(|release| release == this), "UPDATE_EXPECT=1 adds the checkpoints of {this}");
    println!("release  case  of the way  worst metric");
    for (release, case) in releases
        .iter()
        .flat_map(|release| names(&folder().join(release)).into_iter().map(move |case| (release, case)))
    {
        let golden = folder().join(release).join(&case);
        let scratch = tempfile::tempdir().unwrap();
        let step = names(&golden).into_iter().find(|name| name.starts_with("step-")).unwrap();
        copy(&golden.join(&step), &scratch.path().join(&step));
        let checkpoint = Checkpoints::at(scratch.path()).newest().unwrap();
        assert!(checkpoint.damaged.is_empty());
        let begun = flat(&weights_of(&checkpoint, &checkpoint.state.lineage));

        let (state, network) = go_on(scratch.path());
        let recorded = fs::read(golden.join(WEIGHTS)).unwrap();
        let expected = flat(&recorded);
        let off = length(&(flat(&weights_to_bytes(network.parameters()).unwrap()) - &expected));
        let way = length(&(&expected - begun));
        assert!(way > 0.0 && off <= TOLERANCE * way, "{release}/{case}: off by {off:e} of a way of {way:e}");

        let history: Vec<EpochRecord> =
            serde_json::from_slice(&fs::read(golden.join(HISTORY)).unwrap()).unwrap();
        let worst = worst_metric(&state.history, &history);
        println!("{release}  {case}  {:.1e}  {:.1e} ({})", off / way, worst.0, worst.1);
        assert!(worst.0 <= TOLERANCE, "{release}/{case}: {} is off by {:e}", worst.1, worst.0);

        // The artefact's way to weights, with nothing of the loop around it.
        weights_from_bytes(network.parameters(), &recorded).unwrap();
    }
}

/// The loss that is farthest from the recorded one, as a share of it. A metric that a later release adds is its own matter.
fn worst_metric(found: &[EpochRecord], recorded: &[EpochRecord]) -> (f64, String) {
    assert_eq!(found.len(), recorded.len(), "another number of epochs");
    let mut worst = (0.0, String::new());
    for (found, recorded) in found.iter().zip(recorded) {
        assert_eq!((found.epoch, found.step), (recorded.epoch, recorded.step));
        for (name, value) in recorded.metrics.iter().filter(|(name, _)| name.ends_with("loss")) {
            let (Some(found), Some(value)) = (found.metrics[name], value) else {
                panic!("{name} is undefined");
            };
            let off = (found - value).abs() / value.abs();
            if off > worst.0 {
                worst = (off, name.clone());
            }
        }
    }
    worst
}

/// Two runs of some hundred weights that have between them all that a state can hold.
fn cases() -> BTreeMap<&'static str, (SmallRun, u64)> {
    let pipeline = DataSpec {
        timeframes: vec!["1m".parse().unwrap()],
        features: vec![LogReturn.into()],
        augmentation: Some(AugmentationSpec {
            noise_std: Some(0.05),
            temporal_jitter: Some(TemporalJitterSpec { probability: 0.5, max_shift: 2 }),
            price_scaling: None,
        }),
        stride: 11,
        ..data_spec()
    };
    let mut adamw = SmallRun::on(pipeline.clone(), tasks_spec());
    adamw.training = TrainingSpec {
        num_epochs: 3,
        batch_size: 16,
        gradient_accumulation: 3,
        balancing: BalancingSpec::Uncertainty,
        curriculum: Some(CurriculumSpec::Volatility(PaceSpec { epochs: 1, ..PaceSpec::default() })),
        ..adamw.training
    };
    let mut sgd = SmallRun::on(DataSpec { augmentation: None, ..pipeline }, tasks_spec());
    sgd.training = TrainingSpec {
        num_epochs: 4,
        optimizer: OptimizerSpec::Sgd(SgdSpec { momentum: 0.9, nesterov: true, ..SgdSpec::default() }),
        // Nothing improves by so much: the rate falls after each epoch.
        scheduler: SchedulerSpec::Plateau(PlateauSpec {
            patience: 0,
            min_delta: 1e9,
            ..PlateauSpec::default()
        }),
        ..sgd.training
    };
    BTreeMap::from([("adamw-inside-an-epoch", (adamw, 9)), ("sgd-plateau", (sgd, 17))])
}

fn tiny() -> ModelSpec {
    let dropout = 0.1;
    let cnn = CnnSpec { channels: 4, kernel_sizes: vec![3], dilations: vec![1], attention_heads: 2, dropout };
    let lstm = LstmSpec {
        hidden_size: 4,
        num_layers: 1,
        bidirectional: false,
        attention_heads: 2,
        dropout,
        recurrent_dropout: 0.0,
    };
    ModelSpec::Hybrid(HybridSpec {
        cnn,
        lstm,
        fusion: FusionSpec { output_size: 6, dropout, ..FusionSpec::default() },
    })
}

fn add_this_release() {
    let release = folder().join(env!("CARGO_PKG_VERSION"));
    if release.exists() {
        return;
    }
    for (name, (mut run, stop)) in cases() {
        run.model = Some(tiny());
        let (scratch, golden) = (tempfile::tempdir().unwrap(), release.join(name));
        let done = Cell::new(0);
        let enough = || {
            done.set(done.get() + 1);
            done.get() == stop
        };
        run.fit(scratch.path(), Start::Fresh, &enough, &mut Heard::default()).unwrap();
        let step = Checkpoints::at(scratch.path()).newest().unwrap().name;
        copy(&scratch.path().join(&step), &golden.join(&step));
        let (state, network) = go_on(scratch.path());
        fs::write(golden.join(WEIGHTS), weights_to_bytes(network.parameters()).unwrap()).unwrap();
        fs::write(golden.join(HISTORY), serde_json::to_vec_pretty(&state.history).unwrap()).unwrap();
    }
}
