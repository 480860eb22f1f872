//! A sweep over learning rates leaves nothing behind.

use tapeline_models::weights_to_bytes;
use tapeline_trainer::{Checkpoints, LrFindSpec, LrSweep, Run, TrainError, lr_find};
use tch::Device;

use crate::small_run::SmallRun;

fn sweep(run: &SmallRun, spec: &LrFindSpec) -> Result<LrSweep, TrainError> {
    tch::set_num_threads(1);
    let folder = tempfile::tempdir().unwrap();
    let network = run.network();
    let before = weights_to_bytes(network.parameters()).unwrap();
    let checkpoints = Checkpoints::at(folder.path().join("checkpoints"));
    let swept = lr_find(
        &Run {
            data: &run.data,
            network: network.as_ref(),
            tasks: &run.tasks,
            training: &run.training,
            lineage: run.lineage(),
            checkpoints: &checkpoints,
            device: Device::Cpu,
            clock: || std::time::Duration::ZERO,
            histograms: false,
        },
        spec,
        &|| false,
    );
    assert_eq!(weights_to_bytes(network.parameters()).unwrap(), before, "the weights have moved");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "something was saved");
    swept
}

#[test]
fn the_loss_falls_somewhere_and_diverges_above() {
    let run = SmallRun::new();
    let spec = LrFindSpec { low: 1e-6, high: 1e3, steps: 90 };
    let swept = sweep(&run, &spec).unwrap();
    assert!(swept.diverged && swept.points.len() < 90, "{} steps", swept.points.len());
    let rates: Vec<f64> = swept.points.iter().map(|point| point.rate).collect();
    assert!(rates.windows(2).all(|pair| pair[1] > pair[0]));
    let suggested = swept.suggestion().unwrap();
    assert!((1e-5..1.0).contains(&suggested), "{suggested}");
    assert_eq!(sweep(&run, &spec).unwrap(), swept, "a sweep repeats itself");
}

#[test]
fn rates_that_do_not_grow_are_refused() {
    let run = SmallRun::new();
    for (low, high, steps) in [(0.0, 1.0, 9), (1.0, 1.0, 9), (1.0, f64::INFINITY, 9), (0.1, 1.0, 1)] {
        let refused = sweep(&run, &LrFindSpec { low, high, steps });
        assert!(matches!(refused, Err(TrainError::LrFind { .. })), "{low} to {high}");
    }
}
