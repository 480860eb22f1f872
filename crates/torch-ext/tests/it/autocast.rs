//! Autocast holds as long as its guard, in its thread, and undoes itself.

use tapeline_torch_ext::{Autocast, CastCache, Error, Tf32, autocast_kind};
use tch::{Device, Kind, Tensor};

const CPU: Device = Device::Cpu;
const CACHES: [CastCache; 2] = [CastCache::UntilTheOutermostLeaves, CastCache::Never];

fn product() -> Tensor {
    let ones = Tensor::ones([8, 8], (Kind::Float, CPU));
    ones.matmul(&ones)
}

#[test]
fn products_are_cast_while_a_guard_lives() {
    for kind in [Kind::BFloat16, Kind::Half] {
        for cache in CACHES {
            assert_eq!(autocast_kind(CPU), None);
            {
                let _guard = Autocast::enter(CPU, kind, cache).unwrap();
                assert_eq!(autocast_kind(CPU), Some(kind));
                assert_eq!(product().kind(), kind);
            }
            assert_eq!(product().kind(), Kind::Float);
        }
    }
}

#[test]
fn guards_nest() {
    let outer = Autocast::enter(CPU, Kind::BFloat16, CastCache::Never).unwrap();
    {
        let _inner = Autocast::enter(CPU, Kind::Half, CastCache::UntilTheOutermostLeaves).unwrap();
        assert_eq!(product().kind(), Kind::Half);
    }
    assert_eq!(product().kind(), Kind::BFloat16);
    drop(outer);
    assert_eq!(product().kind(), Kind::Float);
}

#[test]
fn another_thread_casts_nothing() {
    let _guard = Autocast::enter(CPU, Kind::BFloat16, CastCache::Never).unwrap();
    let elsewhere = std::thread::spawn(|| (autocast_kind(CPU), product().kind()));
    assert_eq!(elsewhere.join().unwrap(), (None, Kind::Float));
}

/// A weight that changed in place between two outermost guards is cast anew: the cache was cleared in between.
#[test]
fn a_weight_that_has_moved_is_cast_again() {
    for cache in CACHES {
        let weight = Tensor::ones([4, 4], (Kind::Float, CPU)).set_requires_grad(true);
        let x = Tensor::ones([1, 4], (Kind::Float, CPU));
        let forward = || {
            let _guard = Autocast::enter(CPU, Kind::BFloat16, cache).unwrap();
            let twice = x.matmul(&weight) + x.matmul(&weight);
            twice.to_kind(Kind::Float).double_value(&[0, 0])
        };
        assert_eq!(forward(), 8.0);
        let _ = tch::no_grad(|| weight.shallow_clone().fill_(0.5));
        assert_eq!(forward(), 4.0);
    }
}

#[test]
fn gradients_are_those_of_the_weights_kind() {
    let weight = Tensor::ones([4, 4], (Kind::Float, CPU)).set_requires_grad(true);
    let out = {
        let _guard = Autocast::enter(CPU, Kind::BFloat16, CastCache::Never).unwrap();
        Tensor::ones([2, 4], (Kind::Float, CPU)).matmul(&weight)
    };
    assert_eq!(out.kind(), Kind::BFloat16);
    out.to_kind(Kind::Float).sum(Kind::Float).backward();
    let gradient = weight.grad();
    assert_eq!((gradient.kind(), gradient.double_value(&[0, 0])), (Kind::Float, 2.0));
}

#[test]
fn only_half_precision_can_be_cast_to() {
    let refused = Autocast::enter(CPU, Kind::Double, CastCache::Never).unwrap_err();
    assert!(matches!(refused, Error::Kind { found: Kind::Double, .. }), "{refused}");
    assert_eq!(autocast_kind(CPU), None);
}

#[test]
fn tf32_is_as_it_was_when_its_guard_goes() {
    let told = |allowed| format!("{:?}", Tf32::allow(allowed).unwrap());
    let before = told(true);
    assert_eq!(told(false), before);
    let outer = Tf32::allow(true).unwrap();
    assert_eq!(told(false), "Tf32 { before: [true, true] }");
    assert_eq!(told(false), "Tf32 { before: [true, true] }", "the inner guard has gone");
    drop(outer);
    assert_eq!(told(true), before);
}
