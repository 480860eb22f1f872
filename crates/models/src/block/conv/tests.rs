//! The fused block is the block.

use tch::{Device, Kind, Tensor};

use super::ConvBlock;
use crate::init::Nursery;
use crate::network::Mode;
use crate::spec::CnnSpec;

/// Two implementations in single precision.
const TOLERANCE: f64 = 1e-5;

#[test]
fn fused_and_by_operation_it_says_and_learns_the_same() {
    let spec = CnnSpec { channels: 20, dropout: 0.3, ..CnnSpec::default() };
    let mut nursery = Nursery::new(5, Device::Cpu);
    let block = ConvBlock::new(nursery.part("block"), &spec, 2).unwrap();
    let parameters = nursery.into_parameters();
    let noise = |phase: f64| {
        let steps = Tensor::arange(3 * 11 * 20, (Kind::Float, Device::Cpu)) + phase;
        (steps.square() * 0.37).sin().reshape([3, 11, 20])
    };
    let x = noise(1.0).set_requires_grad(true);
    for mode in [Mode::Train { seed: 3, cursor: 8, rank: 1, first: 0 }, Mode::Evaluate] {
        let learned = |out: &Tensor| {
            let tensors: Vec<&Tensor> = [&x].into_iter().chain(parameters.tensors()).collect();
            Tensor::run_backward(&[(out * noise(2.0)).sum(Kind::Float)], &tensors, false, false)
        };
        let (fused, plain) = (block.fused(&x, mode).unwrap(), block.by_operation(&x, mode).unwrap());
        let off = (&fused - &plain).abs().max().double_value(&[]);
        assert!(off <= TOLERANCE, "{mode:?}: outputs are off by {off:e}");
        for (found, expected) in learned(&fused).iter().zip(&learned(&plain)) {
            let off = ((found - expected).norm() / expected.norm()).double_value(&[]);
            assert!(off <= TOLERANCE, "{mode:?}: a gradient {:?} is off by {off:e}", found.size());
        }
    }
}
