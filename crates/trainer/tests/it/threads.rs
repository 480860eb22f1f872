//! Threads that share a batch: the same run for the same number, nearly the same for another.

use std::cell::Cell;

use tapeline_events::Outcome;
use tapeline_models::{Network, weights_to_bytes};
use tapeline_trainer::Start;
use tch::{Kind, Tensor};

use crate::small_run::{Heard, SmallRun};

fn run_on(threads: usize) -> SmallRun {
    SmallRun { threads, ..SmallRun::new() }
}

fn bytes(network: &dyn Network) -> Vec<u8> {
    weights_to_bytes(network.parameters()).unwrap()
}

/// The weights after so many steps.
fn after(steps: usize, run: &SmallRun) -> Tensor {
    let folder = tempfile::tempdir().unwrap();
    let done = Cell::new(0);
    let enough = || {
        done.set(done.get() + 1);
        done.get() == steps
    };
    let (_, network) = run.fit(folder.path(), Start::Fresh, &enough, &mut Heard::default()).unwrap();
    let flat: Vec<Tensor> =
        network.parameters().tensors().iter().map(|tensor| tensor.detach().reshape([-1])).collect();
    Tensor::cat(&flat, 0)
}

#[test]
fn a_run_on_two_threads_repeats_itself_and_survives_being_stopped() {
    tch::set_num_threads(1);
    let run = run_on(2);
    let folders = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let [one, other] = [0, 1].map(|number| {
        let (_, network) =
            run.fit(folders[number].path(), Start::Fresh, &|| false, &mut Heard::default()).unwrap();
        bytes(network.as_ref())
    });
    assert_eq!(one, other, "two runs differ");
    let steps = Cell::new(0);
    let third = || {
        steps.set(steps.get() + 1);
        steps.get() == 3
    };
    let (ending, _) = run.fit(folders[2].path(), Start::Fresh, &third, &mut Heard::default()).unwrap();
    assert_eq!(ending.outcome, Outcome::Interrupted);
    let (_, network) = run.fit(folders[2].path(), Start::Resume, &|| false, &mut Heard::default()).unwrap();
    assert_eq!(bytes(network.as_ref()), one, "the resumed run differs");
}

#[test]
fn two_threads_and_three_learn_what_one_learns() {
    tch::set_num_threads(1);
    let one = after(3, &run_on(1));
    let way = (&one - after(1, &run_on(1))).norm().double_value(&[]);
    for threads in [2, 3] {
        // Dropout's masks are the same; AdamW's first steps turn rounding into small steps where a gradient is next to 0.
        let off = (after(3, &run_on(threads)) - &one).norm().double_value(&[]);
        assert!(off <= 1e-2 * way, "{threads} threads are off by {off:e} of a way of {way:e}");
    }
    assert!(way > 0.0 && one.isfinite().all().to_kind(Kind::Int64).int64_value(&[]) == 1);
}
