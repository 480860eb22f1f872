//! Averaged weights are those that are scored, kept and used.

use tapeline_artefact::predict;
use tapeline_data_pipeline::Split;
use tapeline_models::{Network, weights_from_bytes, weights_to_bytes};
use tapeline_trainer::{AverageSpec, Calibration, Checkpoints, EVALUATION_BATCH, Ending, Start, scorecard};
use tch::Device;

use crate::small_run::{Heard, SmallRun};

fn bytes(network: &dyn Network) -> Vec<u8> {
    weights_to_bytes(network.parameters()).unwrap()
}

#[test]
fn the_average_is_scored_and_what_a_checkpoint_gives() {
    tch::set_num_threads(1);
    let mut run = SmallRun::new();
    run.training.average = Some(AverageSpec { decay: 0.9 });
    let folder = tempfile::tempdir().unwrap();
    let (ending, network) = run.fit(folder.path(), Start::Fresh, &|| false, &mut Heard::default()).unwrap();
    let checkpoint = Checkpoints::at(folder.path()).newest().unwrap();
    let restored = run.network();
    checkpoint.restore_weights(restored.as_ref()).unwrap();
    assert_eq!(bytes(restored.as_ref()), bytes(network.as_ref()));

    let loss = |network: &dyn Network| {
        let samples = run.data.samples(Split::Validation);
        let said = predict(network, &run.data, samples, EVALUATION_BATCH, Device::Cpu).unwrap();
        let calibration = Calibration::on_validation(&run.data, &run.tasks, &said);
        let card = scorecard(&run.data, &run.tasks, Split::Validation, &said, &calibration, 1).unwrap();
        card.metrics["validation/loss"].unwrap()
    };
    let told = ending.state.history.last().unwrap().metrics["validation/loss"].unwrap();
    assert_eq!(loss(restored.as_ref()), told);

    // The weights that the next step would move are others, and learn as if there were no average.
    let learned = run.network();
    let file = folder.path().join(&checkpoint.name).join("model.safetensors");
    weights_from_bytes(learned.parameters(), &std::fs::read(file).unwrap()).unwrap();
    assert!((loss(learned.as_ref()) - told).abs() > 1e-6);
    run.training.average = None;
    let folder = tempfile::tempdir().unwrap();
    let (plain_ending, plain) =
        run.fit(folder.path(), Start::Fresh, &|| false, &mut Heard::default()).unwrap();
    assert_eq!(bytes(plain.as_ref()), bytes(learned.as_ref()));
    // Features are measured on the weights that are kept.
    let rank =
        |ending: &Ending| ending.state.history.last().unwrap().metrics["features/effective_rank"].unwrap();
    assert!((rank(&ending) - rank(&plain_ending)).abs() > 1e-9);
}
