//! The state of the default generator, and the settings of the process.

use tapeline_torch_ext::{Error, generator_state, keep_freed_memory, set_generator_state, set_threads};
use tch::{Device, Kind, Tensor};

// The default generator is shared by all tests of a process: only this test draws from it.
#[test]
fn a_state_that_is_set_again_repeats_the_numbers() {
    let draw = || Tensor::randn([1000], (Kind::Float, Device::Cpu));
    let state = generator_state(Device::Cpu).unwrap();
    assert_eq!(state.kind(), Kind::Uint8);
    let first = draw();
    assert_ne!(draw(), first);
    set_generator_state(Device::Cpu, &state).unwrap();
    assert_eq!(draw(), first);

    let error = set_generator_state(Device::Cpu, &Tensor::from_slice(&[1.0_f32])).unwrap_err();
    assert!(matches!(error, Error::Libtorch { operation: "set_generator_state", .. }), "{error}");
    assert!(matches!(generator_state(Device::Mps), Err(Error::Device { device: Device::Mps })));
}

#[test]
fn threads_are_counted_from_one() {
    assert!(matches!(set_threads(0), Err(Error::Number { name: "threads", .. })));
    set_threads(2).unwrap();
    set_threads(2).unwrap();
}

#[test]
fn memory_can_be_kept_at_any_time() {
    keep_freed_memory();
    keep_freed_memory();
    let sum = Tensor::ones([1 << 20], (Kind::Float, Device::Cpu)).sum(Kind::Double);
    assert_eq!(sum.double_value(&[]), f64::from(1 << 20));
}
