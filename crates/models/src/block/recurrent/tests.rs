//! The fused layers are the layers.

use tch::{Device, Kind, Tensor};

use super::LstmStack;
use crate::init::Nursery;
use crate::network::Mode;
use crate::spec::LstmSpec;

/// Two implementations in single precision.
const TOLERANCE: f64 = 1e-5;

#[test]
fn fused_and_by_operation_they_say_and_learn_the_same() {
    for bidirectional in [false, true] {
        let spec = LstmSpec { hidden_size: 21, num_layers: 2, bidirectional, ..LstmSpec::default() };
        let mut nursery = Nursery::new(5, Device::Cpu);
        let stack = LstmStack::new(nursery.part("lstm"), &spec, 6).unwrap();
        let parameters = nursery.into_parameters();
        let noise = |width: i64, phase: f64| {
            let steps = Tensor::arange(7 * 9 * width, (Kind::Float, Device::Cpu)) + phase;
            (steps.square() * 0.37).sin().reshape([7, 9, width])
        };
        let x = noise(6, 1.0).set_requires_grad(true);
        let learned = |out: &Tensor| {
            let tensors: Vec<&Tensor> = [&x].into_iter().chain(parameters.tensors()).collect();
            let loss = (out * noise(spec.width() as i64, 2.0)).sum(Kind::Float);
            Tensor::run_backward(&[loss], &tensors, false, false)
        };
        let mode = Mode::Train { seed: 3, cursor: 8, rank: 1, first: 0 };
        let fused = stack.forward(&x, mode).unwrap();
        let plain = stack.layers_by_operation(&x, mode).unwrap();
        let off = (&fused - &plain).abs().max().double_value(&[]);
        assert!(off <= TOLERANCE, "outputs are off by {off:e}");
        for (found, expected) in learned(&fused).iter().zip(&learned(&plain)) {
            let off = ((found - expected).norm() / expected.norm()).double_value(&[]);
            assert!(off <= TOLERANCE, "a gradient {:?} is off by {off:e}", found.size());
        }
    }
}
