//! A program that brings its own loop around ours: bars in, a trained network out, events in its own hands. The program's
//! tests build it in a workspace of its own.
#![allow(clippy::print_stdout, reason = "a program's own output")]

use std::error::Error;

use tapeline_data_pipeline::{DataSpec, SequenceLengthSpec, Span, SyntheticSpec, built_in_market};
use tapeline_events::{Event, Observer, Outcome};
use tapeline_models::{CnnSpec, FusionSpec, HybridSpec, InputShape, LstmSpec, ModelSpec, NetworkSpec, build};
use tapeline_trainer::{
    Checkpoints, LIBTORCH, Lineage, PriceTaskSpec, Purpose, Run, Start, TasksSpec, TrainingSpec, child_seed,
    fit,
};
use tch::Device;

const SEED: u64 = 1;

/// The loss of every step.
struct Losses(Vec<f64>);

impl Observer for Losses {
    fn observe(&mut self, event: &Event) {
        if let Event::Step { loss, .. } = event {
            self.0.push(*loss);
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    tapeline_torch_ext::set_threads(1)?;
    let market = SyntheticSpec { seed: 3, symbols: 2, days: 3, best_ic: 0.4 };
    let spec = DataSpec {
        timeframes: vec!["1m".parse()?, "5m".parse()?],
        sequence_length: SequenceLengthSpec::Same(8),
        stride: 17,
        ..DataSpec::default()
    };
    let price = PriceTaskSpec { horizons: vec![1], ..PriceTaskSpec::default() };
    let asked =
        TasksSpec { price_prediction: Some(price), volatility_estimation: None, regime_detection: None };
    let tasks = asked.check()?;
    let data = spec.check()?.prepare(built_in_market(&market, Span::ZERO), tasks.labels())?;

    let training = TrainingSpec { num_epochs: 2, batch_size: 32, ..TrainingSpec::default() };
    let cnn =
        CnnSpec { channels: 4, kernel_sizes: vec![3], dilations: vec![1], attention_heads: 2, dropout: 0.1 };
    let lstm = LstmSpec {
        hidden_size: 4,
        num_layers: 1,
        bidirectional: false,
        attention_heads: 2,
        dropout: 0.1,
        ..LstmSpec::default()
    };
    let fusion = FusionSpec { output_size: 6, ..FusionSpec::default() };
    let inputs = data.inputs().iter();
    let network_spec = NetworkSpec {
        model: ModelSpec::Hybrid(HybridSpec { cnn, lstm, fusion }),
        inputs: inputs.map(|input| InputShape { length: input.length, features: input.width() }).collect(),
        heads: tasks.heads(),
    };
    let network = build(&network_spec, child_seed(SEED, Purpose::Initialisation, 0), Device::Cpu)?;

    let folder = tempfile::tempdir()?;
    let checkpoints = Checkpoints::at(folder.path());
    let run = Run {
        data: &data,
        network: network.as_ref(),
        tasks: &tasks,
        training: &training,
        lineage: Lineage {
            tapeline: env!("CARGO_PKG_VERSION").into(),
            libtorch: LIBTORCH.into(),
            device: "cpu".into(),
            threads: 1,
            seed: SEED,
            data: data.fingerprint().to_string(),
            pipeline: spec,
            split: data.fitted().split,
            labels: tasks.labels().to_vec(),
            tasks: asked,
            network: network_spec,
            training: training.clone(),
        },
        checkpoints: &checkpoints,
        device: Device::Cpu,
        clock: || std::time::Duration::ZERO,
        histograms: false,
    };
    let mut losses = Losses(Vec::new());
    let ending = fit(&run, Start::Fresh, &|| false, &mut losses)?;
    assert_eq!(ending.outcome, Outcome::Completed);
    assert_eq!(checkpoints.newest()?.state.step, losses.0.len());
    println!("trained {} steps, finite: {}", losses.0.len(), losses.0.iter().all(|loss| loss.is_finite()));
    Ok(())
}
