//! What a curriculum does to a run: it orders what is learned from, and touches nothing else.

use tapeline_artefact::predict;
use tapeline_data_pipeline::{Bars, Dataset, Span, Split, built_in_market};
use tapeline_events::{Event, Outcome};
use tapeline_trainer::{
    Calibration, Curriculum, CurriculumSpec, EVALUATION_BATCH, LabelMagnitudeSpec, PaceSpec, Pacing, Start,
    scorecard,
};
use tch::Device;

use crate::small_run::{Heard, SEED, SmallRun, data_spec};

const PACE: PaceSpec = PaceSpec { start: 0.4, epochs: 1, pacing: Pacing::Linear };

fn all_kinds() -> [CurriculumSpec; 4] {
    let PaceSpec { start, epochs, pacing } = PACE;
    let magnitude = LabelMagnitudeSpec { horizon: None, start, epochs, pacing };
    [
        CurriculumSpec::Volatility(PACE),
        CurriculumSpec::LabelMagnitude(magnitude),
        CurriculumSpec::SequenceLength(PACE),
        CurriculumSpec::Random(PACE),
    ]
}

/// Prices after the last train decision times a thousand, times and volumes as they were.
fn poisoned(data: &Dataset, mut bars: Vec<Bars>) -> Vec<Bars> {
    let last = data.fitted().split.last_train_decision;
    for bars in &mut bars {
        let known = bars.available_at.partition_point(|&available| available <= last);
        for column in [&mut bars.open, &mut bars.high, &mut bars.low, &mut bars.close] {
            column[known..]
                .iter_mut()
                .enumerate()
                .for_each(|(row, price)| *price *= 1e3 * (1 + row % 5) as f64);
        }
    }
    bars
}

#[test]
fn the_order_is_the_same_when_everything_after_the_last_train_decision_is_garbage() {
    let mut run = SmallRun::new();
    let spec = data_spec();
    let bars = built_in_market(spec.source.synthetic.as_ref().unwrap(), Span::ZERO);
    let bars = poisoned(&run.data, bars);
    let labels = run.tasks.labels();
    let garbage = spec.check().unwrap().prepare_with(bars, labels, run.data.fitted()).unwrap();
    assert_ne!(garbage.fingerprint(), run.data.fingerprint());
    assert_eq!(garbage.samples(Split::Train), run.data.samples(Split::Train));
    for kind in all_kinds() {
        run.training.curriculum = Some(kind);
        let order = |data| -> Vec<Vec<u32>> {
            let curriculum = Curriculum::new(data, &run.tasks, &run.training, SEED).unwrap();
            (0..3).map(|epoch| curriculum.samples(epoch).into_owned()).collect()
        };
        assert!(order(&run.data) == order(&garbage), "{kind:?}");
    }
}

#[test]
fn an_epoch_learns_from_its_share_and_is_judged_by_all_of_validation() {
    tch::set_num_threads(1);
    let mut run = SmallRun::new();
    for kind in all_kinds() {
        run.training.curriculum = Some(kind);
        let curriculum = Curriculum::new(&run.data, &run.tasks, &run.training, SEED).unwrap();
        let first_epoch = curriculum.batches(0);
        let folder = tempfile::tempdir().unwrap();
        let mut heard = Heard::default();
        let steps = std::cell::Cell::new(0);
        let stop = || {
            steps.set(steps.get() + 1);
            steps.get() == first_epoch
        };
        let (ending, network) = run.fit(folder.path(), Start::Fresh, &stop, &mut heard).unwrap();
        assert_eq!((ending.outcome, ending.state.step), (Outcome::Interrupted, first_epoch));
        let ended = heard.0.iter().find_map(|event| match event {
            Event::EpochEnded { metrics, .. } => Some(metrics),
            _ => None,
        });
        let ended = ended.unwrap();

        let samples = run.data.samples(Split::Validation);
        let said = predict(network.as_ref(), &run.data, samples, EVALUATION_BATCH, Device::Cpu).unwrap();
        let calibration = Calibration::on_validation(&run.data, &run.tasks, &said);
        let card = scorecard(&run.data, &run.tasks, Split::Validation, &said, &calibration, 1).unwrap();
        for (name, value) in &card.metrics {
            assert_eq!(ended[name], *value, "{kind:?}: {name}");
        }
        assert!(ended.keys().any(|name| name.starts_with("curriculum/")), "{kind:?}");
    }
}

#[test]
fn patience_begins_when_everything_is_learned_from() {
    tch::set_num_threads(1);
    let mut run = SmallRun::new();
    run.training.num_epochs = 6;
    run.training.early_stopping.patience = 1;
    // Nothing is ever an improvement after the first epoch.
    run.training.early_stopping.min_delta = 1e9;
    for (curriculum, expected) in
        [(None, 2), (Some(CurriculumSpec::Random(PaceSpec { epochs: 3, ..PACE })), 4)]
    {
        run.training.curriculum = curriculum;
        let folder = tempfile::tempdir().unwrap();
        let (ending, _) = run.fit(folder.path(), Start::Fresh, &|| false, &mut Heard::default()).unwrap();
        assert_eq!((ending.outcome, ending.state.epoch), (Outcome::EarlyStopped, expected));
    }
}
