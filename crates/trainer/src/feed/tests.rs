//! What a target counts for, and that a device makes the same batches as the host.

use tapeline_artefact::Windows;
use tapeline_data_pipeline::{
    DataSpec, Dataset, FittedLabel, SequenceLengthSpec, SourceSpec, Span, Split, SyntheticSpec,
    built_in_market,
};
use tch::{Device, Tensor};

use super::{Batch, Feed};
use crate::loss::Denominators;
use crate::spec::{ClassWeightsSpec, RegimeTaskSpec, TasksSpec};
use crate::task::Tasks;

fn tasks(class_weights: ClassWeightsSpec) -> Tasks {
    let regime = RegimeTaskSpec { horizons: vec![3, 5], class_weights, ..RegimeTaskSpec::default() };
    TasksSpec { regime_detection: Some(regime), ..TasksSpec::default() }.check().unwrap()
}

fn data(tasks: &Tasks) -> Dataset {
    let market = SyntheticSpec { seed: 3, symbols: 2, days: 2, best_ic: 0.4 };
    let spec = DataSpec {
        source: SourceSpec { synthetic: Some(market.clone()), ..SourceSpec::default() },
        timeframes: vec!["1m".parse().unwrap()],
        sequence_length: SequenceLengthSpec::Same(4),
        stride: 5,
        ..DataSpec::default()
    };
    spec.check().unwrap().prepare(built_in_market(&market, Span::ZERO), tasks.labels()).unwrap()
}

fn rows(tensor: &Tensor) -> Vec<Vec<f32>> {
    tensor.split(1, 0).iter().map(|row| Vec::try_from(row.flatten(0, -1)).unwrap()).collect()
}

#[test]
fn a_target_counts_for_as_much_as_its_class() {
    let spec = ClassWeightsSpec::Balanced;
    let (tasks, plain) = (tasks(spec), tasks(ClassWeightsSpec::None));
    let data = data(&tasks);
    let samples: Vec<u32> = data.samples(Split::Train).iter().copied().take(64).collect();
    let mut feed = Feed::new(&data, &tasks, Device::Cpu).unwrap();
    let weighted = feed.batch(&samples).unwrap().targets;
    let alike = Feed::new(&data, &plain, Device::Cpu).unwrap().batch(&samples).unwrap().targets;

    let mut seen = std::collections::BTreeSet::new();
    for (number, task) in tasks.iter().enumerate() {
        let (values, weights) = (rows(&weighted[number].values), rows(&weighted[number].weights));
        for ((row, valid), weights) in values.iter().zip(rows(&alike[number].weights)).zip(&weights) {
            for (position, label) in task.labels.clone().enumerate() {
                let expected = match &data.labels()[label].fitted {
                    FittedLabel::Regression { .. } => 1.0,
                    FittedLabel::Regime { class_counts, .. } => {
                        seen.insert(row[position] as usize);
                        spec.weights(class_counts)[row[position] as usize] as f32
                    }
                };
                assert_eq!(weights[position], valid[position] * expected);
            }
        }
    }
    assert!(seen.len() >= 3, "only the classes {seen:?}");

    let sums = weighted.iter().map(|target| target.weights.sum(tch::Kind::Double).double_value(&[]));
    let (found, expected) = (feed.denominators(&samples).unwrap(), sums.collect::<Vec<_>>());
    assert_eq!(found, Denominators::new(expected));
}

/// Inputs, values and weights of a batch.
fn figures(batch: &Batch) -> Vec<Vec<Vec<f32>>> {
    let targets = batch.targets.iter().flat_map(|target| [&target.values, &target.weights]);
    batch.inputs.iter().chain(targets).map(rows).collect()
}

#[test]
fn batches_made_on_a_device_are_those_of_the_host() {
    let tasks = tasks(ClassWeightsSpec::Balanced);
    let data = data(&tasks);
    let train = data.samples(Split::Train);
    let order: Vec<u32> = train.iter().rev().copied().collect();
    let mut host = Feed::new(&data, &tasks, Device::Cpu).unwrap();
    let mut device = Feed::of(Windows::on_device(&data, Device::Cpu).unwrap(), &tasks).unwrap();
    assert!(host.resident.is_none() && device.resident.is_some());

    // In the order that was told, then out of it, then in the order of another epoch.
    for epoch in [&order[..], train] {
        device.follow(epoch).unwrap();
        let batches = epoch.chunks(48).chain([&order[5..9], &order[9..10]]);
        for samples in batches {
            let (found, expected) = (device.batch(samples).unwrap(), host.batch(samples).unwrap());
            assert_eq!(figures(&found), figures(&expected));
        }
    }
}
