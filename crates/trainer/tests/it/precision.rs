//! Runs in half precision: nearly the same run; what overflows is skipped, and moves nothing but the scale.

use tapeline_artefact::tensors_from_bytes;
use tapeline_events::Event;
use tapeline_trainer::{PrecisionSpec, Start, State};

use crate::small_run::{Heard, SmallRun, tasks_spec};

struct Step {
    rate: f64,
    norm: f64,
    scale: Option<f64>,
    skipped: bool,
}

struct Told {
    state: State,
    steps: Vec<Step>,
    folder: tempfile::TempDir,
}

fn go(run: &SmallRun) -> Told {
    tch::set_num_threads(1);
    let folder = tempfile::tempdir().unwrap();
    let mut heard = Heard::default();
    let (ending, _) = run.fit(folder.path(), Start::Fresh, &|| false, &mut heard).unwrap();
    let steps = heard.0.iter().filter_map(|event| match *event {
        Event::Step { learning_rate: rate, gradient_norm: norm, loss_scale: scale, skipped, .. } => {
            Some(Step { rate, norm, scale, skipped })
        }
        _ => None,
    });
    Told { steps: steps.collect(), state: ending.state, folder }
}

#[test]
fn half_precision_is_nearly_the_same_run() {
    let loss = |precision| {
        let mut run = SmallRun::new();
        run.training.precision = precision;
        let told = go(&run);
        assert!(told.steps.iter().all(|step| (step.scale.is_some()) == (precision == PrecisionSpec::Fp16)));
        told.state.history.last().unwrap().metrics["validation/loss"].unwrap()
    };
    let single = loss(PrecisionSpec::Fp32);
    assert_eq!(loss(PrecisionSpec::Auto), single, "auto is single precision on a CPU");
    for precision in [PrecisionSpec::Bf16, PrecisionSpec::Fp16] {
        let half = loss(precision);
        assert!(half != single && (half / single - 1.0).abs() < 0.02, "{precision:?}: {half} and {single}");
    }
}

/// A run in `float16` whose loss is so large that its first steps overflow.
pub(crate) fn overflowing() -> SmallRun {
    let mut tasks = tasks_spec();
    tasks.price_prediction.as_mut().unwrap().weight = 1e4;
    let mut run = SmallRun::of(tasks);
    run.training.precision = PrecisionSpec::Fp16;
    run
}

#[test]
fn what_overflows_is_skipped_and_the_schedule_waits() {
    let told = go(&overflowing());
    let first_good = told.steps.iter().position(|step| !step.skipped).unwrap();
    assert!(first_good >= 3, "only {first_good} steps overflowed");
    for (number, step) in told.steps[..=first_good].iter().enumerate() {
        assert_eq!(step.scale, Some(65_536.0 / 2f64.powi(number as i32)));
        assert_eq!(step.rate, told.steps[0].rate, "the schedule moved at step {number}");
        assert_eq!(step.norm.is_finite(), number == first_good);
    }
    // The warm-up goes on from there.
    assert!(told.steps[first_good + 1].rate > told.steps[0].rate);
    let skipped: Vec<usize> =
        (1..).zip(&told.steps).filter(|(_, step)| step.skipped).map(|(n, _)| n).collect();
    assert_eq!(told.state.skipped_steps, skipped);
    let metrics = &told.state.history.last().unwrap().metrics;
    assert_eq!(metrics["train/skipped_steps"], Some(skipped.len() as f64));
    assert_eq!(metrics["train/loss_scale"], told.steps.last().unwrap().scale);

    // Adam has counted the others alone.
    let last = told.folder.path().join(format!("step-{:08}", told.state.step));
    let tensors = tensors_from_bytes(&std::fs::read(last.join("optimizer.safetensors")).unwrap()).unwrap();
    let counted = tensors.iter().find(|(name, _)| name.starts_with("step/")).unwrap().1.double_value(&[]);
    assert_eq!(counted as usize, told.steps.len() - skipped.len());
}

#[test]
fn the_norm_that_is_told_is_that_of_single_precision() {
    let first = |precision| {
        let mut run = SmallRun::new();
        run.training.precision = precision;
        run.training.num_epochs = 1;
        go(&run).steps[0].norm
    };
    let single = first(PrecisionSpec::Fp32);
    for precision in [PrecisionSpec::Bf16, PrecisionSpec::Fp16] {
        let half = first(precision);
        let tolerance = if precision == PrecisionSpec::Fp16 { 0.01 } else { 0.03 };
        assert!((half / single - 1.0).abs() < tolerance, "{precision:?}: {half} and {single}");
    }
}
