//! Windows gathered from tables on a device are those that the host fills, byte for byte.

use std::collections::BTreeMap;

use tapeline_artefact::{ArtefactError, Windows, predict, predict_from};
use tapeline_data_pipeline::{DataSpec, Dataset, MASKED, SourceSpec, Split, SyntheticSpec};
use tch::{Device, Tensor};

use crate::small_extractor::{SmallExtractor, data_spec, prepared};

/// Three symbols, and windows of 5 minutes that are masked two times in five.
fn market() -> Dataset {
    let synthetic = SyntheticSpec { seed: 5, symbols: 3, days: 2, best_ic: 0.4 };
    prepared(&DataSpec {
        source: SourceSpec { synthetic: Some(synthetic), ..SourceSpec::default() },
        max_age: BTreeMap::from([("5m".parse().unwrap(), "2m".parse().unwrap())]),
        stride: 7,
        ..data_spec()
    })
}

fn bits(tensors: &[Tensor]) -> Vec<(Vec<i64>, Vec<u32>)> {
    let of = |tensor: &Tensor| Vec::<f32>::try_from(tensor.flatten(0, -1)).unwrap();
    tensors.iter().map(|it| (it.size(), of(it).into_iter().map(f32::to_bits).collect())).collect()
}

#[test]
fn a_window_gathered_from_tables_is_the_window_that_is_filled() {
    let data = market();
    let masked = data.windows().end_rows(1).iter().filter(|&&end| end == MASKED).count();
    assert!((1..data.windows().len()).contains(&masked), "{masked} windows are masked");
    let (host, device) =
        (Windows::on_host(&data, Device::Cpu), Windows::on_device(&data, Device::Cpu).unwrap());

    let all: Vec<u32> = (0..data.windows().len() as u32).collect();
    assert_eq!(bits(&device.of(&all).unwrap()), bits(&host.of(&all).unwrap()));
    let some: Vec<u32> = all.iter().rev().step_by(13).copied().collect();
    let numbers = device.numbers(&some).unwrap();
    assert_eq!(bits(&device.of_numbers(&numbers).unwrap().unwrap()), bits(&host.of(&some).unwrap()));
}

#[test]
fn a_network_says_the_same_of_either() {
    let small = SmallExtractor::new();
    let (network, data) = (small.network.as_ref(), &small.data);
    let samples = data.samples(Split::Validation);
    let device = Windows::on_device(data, Device::Cpu).unwrap();
    let expected = predict(network, data, samples, 32, Device::Cpu).unwrap();
    assert_eq!(predict_from(network, &device, samples, 32).unwrap(), expected);
}

#[test]
fn a_sample_that_is_not_there_is_named_before_the_device_is_asked() {
    let data = market();
    let beyond = data.windows().len() as u32;
    for windows in [Windows::on_host(&data, Device::Cpu), Windows::on_device(&data, Device::Cpu).unwrap()] {
        let refused = windows.of(&[0, beyond]).unwrap_err();
        assert!(
            matches!(&refused, ArtefactError::Data(error) if error.to_string().contains(&beyond.to_string()))
        );
    }
}
