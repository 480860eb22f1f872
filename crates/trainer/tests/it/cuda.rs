//! Runs on a GPU, where there is one: the same run as on the CPU up to rounding, exact where exactness was asked for, and
//! unharmed by overflows. `cargo xtask gpu-bundle` takes these tests to a machine that has one.

use tapeline_events::Event;
use tapeline_models::weights_to_bytes;
use tapeline_trainer::{PrecisionSpec, Start};
use tch::{Cuda, Device};

use crate::precision::overflowing;
use crate::small_run::{Heard, SmallRun};

/// Losses of the first steps may differ by so much, relative: sums are taken in another order, and steps add up.
const ROUNDING: f64 = 2e-3;
const FIRST_STEPS: usize = 10;

#[expect(clippy::disallowed_methods, reason = "whoever runs the tests says whether they may be skipped")]
/// False, with the reason printed, where there is no GPU and nobody insists by `TAPELINE_GPU=required`.
fn has_gpu() -> bool {
    let found = Cuda::is_available();
    let insists = std::env::var_os("TAPELINE_GPU").is_some_and(|value| value == "required");
    assert!(found || !insists, "TAPELINE_GPU=required, and libtorch finds no GPU");
    if !found {
        println!("skipped: libtorch finds no GPU");
    }
    found
}

fn on_gpu(run: SmallRun) -> SmallRun {
    SmallRun { device: Device::Cuda(0), ..run }
}

/// What was heard of a whole run, and its weights at the end.
fn trained(run: &SmallRun) -> (Heard, Vec<u8>) {
    let folder = tempfile::tempdir().unwrap();
    let mut heard = Heard::default();
    let (_, network) = run.fit(folder.path(), Start::Fresh, &|| false, &mut heard).unwrap();
    (heard, weights_to_bytes(network.parameters()).unwrap())
}

fn losses(heard: &Heard) -> Vec<f64> {
    let loss = |event: &Event| match event {
        Event::Step { loss, .. } => Some(*loss),
        _ => None,
    };
    heard.0.iter().filter_map(loss).collect()
}

#[test]
fn a_run_on_a_gpu_learns_what_a_run_on_the_cpu_learns() {
    if !has_gpu() {
        return;
    }
    for precision in [PrecisionSpec::Fp32, PrecisionSpec::Bf16] {
        let with = |mut run: SmallRun| {
            run.training.precision = precision;
            run
        };
        let (here, there) = (trained(&with(SmallRun::new())).0, trained(&with(on_gpu(SmallRun::new()))).0);
        let (here, there) = (losses(&here), losses(&there));
        assert_eq!(here.len(), there.len());
        let bound = if precision == PrecisionSpec::Fp32 { ROUNDING } else { 1e-2 };
        for (step, (one, other)) in here.iter().zip(&there).take(FIRST_STEPS).enumerate() {
            assert!(
                (one - other).abs() <= bound * one.abs(),
                "{precision:?}, step {}: {one} and {other}",
                step + 1
            );
        }
    }
}

#[test]
fn a_deterministic_run_on_a_gpu_is_exact_and_so_is_its_resumption() {
    if !has_gpu() {
        return;
    }
    tapeline_torch_ext::use_deterministic_kernels().unwrap();
    let mut run = on_gpu(SmallRun::new());
    run.training.deterministic = true;
    let (_, whole) = trained(&run);
    assert_eq!(trained(&run).1, whole, "the same run twice");
    let folder = tempfile::tempdir().unwrap();
    let steps = std::cell::Cell::new(0);
    let third_step = || {
        steps.set(steps.get() + 1);
        steps.get() == 3
    };
    run.fit(folder.path(), Start::Fresh, &third_step, &mut Heard::default()).unwrap();
    let (_, network) = run.fit(folder.path(), Start::Resume, &|| false, &mut Heard::default()).unwrap();
    assert_eq!(weights_to_bytes(network.parameters()).unwrap(), whole, "interrupted after a step");
}

#[test]
fn a_step_that_overflows_on_a_gpu_is_skipped_there() {
    if !has_gpu() {
        return;
    }
    let run = on_gpu(overflowing());
    let (heard, weights) = trained(&run);
    let skipped = heard.0.iter().filter(|event| matches!(event, Event::Step { skipped: true, .. })).count();
    assert!(skipped > 0, "nothing overflowed");
    assert!(losses(&heard).iter().any(|loss| loss.is_finite()));
    assert!(!weights.is_empty());
}
