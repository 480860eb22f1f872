//! The loss scaler against `torch.amp.GradScaler` on scripted gradients (`tests/golden/grad_scaler.json`, made by
//! `scripts/golden_trainer.py`), in the order unscale, clip, step, update.

use serde::Deserialize;
use tapeline_testkit::assert_close;
use tch::{Device, Tensor};

use super::{GradScaler, Precision};
use crate::error::TrainError;
use crate::optimizer::{Learned, Optimizer};
use crate::spec::{AdamSpec, OptimizerSpec, PrecisionSpec, SgdSpec};

/// Twelve steps in single precision.
const TOLERANCE: f64 = 1e-6;

#[derive(Deserialize)]
struct Case {
    kind: String,
    shapes: Vec<Vec<i64>>,
    start: Vec<Vec<f32>>,
    steps: Vec<Step>,
}

#[derive(Deserialize)]
struct Step {
    scale: f64,
    gradients: Vec<Vec<String>>,
    skipped: bool,
    norm: Option<f64>,
    next_scale: f64,
    growth_tracker: i64,
    parameters: Vec<Vec<f32>>,
}

#[test]
fn scale_skips_and_weights_are_those_of_pytorch() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("../../tests/golden/grad_scaler.json")).unwrap();
    assert_eq!(cases.len(), 2);
    for case in cases {
        let spec = match case.kind.as_str() {
            "adamw" => OptimizerSpec::Adamw(AdamSpec { weight_decay: 0.0, ..AdamSpec::default() }),
            _ => OptimizerSpec::Sgd(SgdSpec { weight_decay: 0.0, ..SgdSpec::default() }),
        };
        let shaped = |lists: &[Vec<f32>]| -> Vec<Tensor> {
            lists
                .iter()
                .zip(&case.shapes)
                .map(|(list, shape)| Tensor::from_slice(list).reshape(shape))
                .collect()
        };
        let parameters = shaped(&case.start);
        let learned =
            parameters.iter().map(|tensor| Learned { name: "", tensor, decays: true, rate_factor: 1.0 });
        let mut optimizer = Optimizer::new(&spec, &learned.collect::<Vec<_>>()).unwrap();
        let mut scaler = GradScaler::new(Device::Cpu).unwrap();
        scaler.growth.interval = 3;
        for (number, step) in case.steps.iter().enumerate() {
            assert_eq!(f64::try_from(scaler.scale()).unwrap(), step.scale, "before step {number}");
            let numbers = |list: &Vec<String>| list.iter().map(|text| text.parse().unwrap()).collect();
            let gradients = shaped(&step.gradients.iter().map(numbers).collect::<Vec<Vec<f32>>>());
            let gradients: Vec<&Tensor> = gradients.iter().collect();
            let found = scaler.unscale(&gradients).unwrap();
            let norm = tapeline_torch_ext::clip_gradient_norm(&gradients, 1.0).unwrap();
            assert_eq!(f64::try_from(&found).unwrap() > 0.0, step.skipped, "step {number}");
            if let Some(expected) = step.norm {
                assert_close(&[f64::try_from(&norm).unwrap()], &[expected], TOLERANCE);
            }
            // As on a device, where nobody knows yet whether it is skipped.
            let moved: Vec<&Tensor> = parameters.iter().collect();
            optimizer.step(&moved, &gradients, 1e-2, Some(&found)).unwrap();
            scaler.update(&found).unwrap();
            assert_eq!(f64::try_from(scaler.scale()).unwrap(), step.next_scale, "after step {number}");
            assert_eq!(
                scaler.growth_tracker.double_value(&[]) as i64,
                step.growth_tracker,
                "after step {number}"
            );
            for (parameter, expected) in parameters.iter().zip(&step.parameters) {
                let found = Vec::<f32>::try_from(parameter.reshape([-1])).unwrap();
                assert_close(&found, expected, TOLERANCE);
            }
        }
    }
}

#[test]
fn auto_is_single_precision_on_a_cpu_and_tf32_is_of_gpus_alone() {
    assert_eq!(PrecisionSpec::Auto.on(Device::Cpu).unwrap(), Precision::Fp32);
    assert!(matches!(PrecisionSpec::Tf32.on(Device::Cpu), Err(TrainError::Precision { .. })));
    assert_eq!(PrecisionSpec::Bf16.on(Device::Cpu).unwrap(), Precision::Bf16);
    for precision in [Precision::Fp32, Precision::Bf16, Precision::Fp16] {
        assert_eq!(PrecisionSpec::from(precision).on(Device::Cpu).unwrap(), precision);
        assert_eq!(precision.scaler(Device::Cpu).unwrap().is_some(), precision == Precision::Fp16);
    }
}
