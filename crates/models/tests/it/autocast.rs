//! Losses under autocast against PyTorch's (`tests/golden/autocast.json`, made by `scripts/golden_networks.py`).

use std::collections::BTreeMap;
use std::path::Path;

use tapeline_models::{HeadKind, Mode, build};
use tapeline_torch_ext::{Autocast, CastCache};
use tch::{Device, Kind, Reduction, Tensor};

use crate::recorded::read;

/// bfloat16 has 8 significant bits; which kernel rounds where is each side's own.
const TOLERANCE: f64 = 1e-2;

type Golden = BTreeMap<String, BTreeMap<String, Vec<f64>>>;

#[test]
fn losses_under_autocast_are_those_of_pytorch() {
    tch::set_num_threads(1);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let golden: Golden =
        serde_json::from_slice(&std::fs::read(folder.join("autocast.json")).unwrap()).unwrap();
    assert_eq!(golden.len(), 5);
    let mut compared = 0;
    for (name, kinds) in &golden {
        let (spec, recorded) = read(&folder.join(format!("{name}.safetensors"))).unwrap();
        let network = build(&spec, 0, Device::Cpu).unwrap();
        for (name, parameter) in network.parameters().iter() {
            tch::no_grad(|| parameter.shallow_clone().copy_(&recorded[&format!("weight/{name}")]));
        }
        let inputs: Vec<Tensor> = (0..spec.inputs.len())
            .map(|timeframe| recorded[&format!("input/{timeframe}")].shallow_clone())
            .collect();
        for (word, kind) in [("fp32", None), ("bf16", Some(Kind::BFloat16)), ("fp16", Some(Kind::Half))] {
            let outputs = {
                let _guard = kind.map(|kind| Autocast::enter(Device::Cpu, kind, CastCache::Never).unwrap());
                network.forward(&inputs, Mode::Evaluate).unwrap()
            };
            // Without a golden number it must run all the same: PyTorch's own LSTM does not.
            let expected = kinds.get(word);
            assert!(expected.is_some() || word == "fp16");
            for (number, (head, output)) in spec.heads.iter().zip(&outputs.heads).enumerate() {
                assert_eq!(output.kind(), kind.unwrap_or(Kind::Float), "{name}: nothing was cast");
                let output = output.to_kind(Kind::Float);
                let upstream = &recorded[&format!("upstream/{}", head.name)];
                let loss = match head.kind {
                    HeadKind::Regression { .. } => {
                        output.huber_loss(&(upstream * upstream.numel() as f64), Reduction::Mean, 1.0)
                    }
                    HeadKind::Classification { classes, .. } => {
                        let labels = upstream.reshape([-1, classes as i64]).argmax(1, false);
                        let none: Option<Tensor> = None;
                        let scores = output.reshape([-1, classes as i64]);
                        scores.cross_entropy_loss(&labels, none, Reduction::Mean, -100, 0.0)
                    }
                };
                let loss = loss.double_value(&[]);
                let single = kinds["fp32"][number];
                let expected = expected.map_or(single, |losses| losses[number]);
                let off = (loss / expected - 1.0).abs();
                assert!(off <= TOLERANCE, "{name}, {word}: {loss} is not {expected}");
                assert!(kind.is_none() || loss != single, "{name}, {word}: as in single precision");
                compared += 1;
            }
        }
    }
    assert_eq!(compared, 27);
}
