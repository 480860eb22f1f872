use std::collections::BTreeSet;

use tapeline_data_pipeline::feature::LogReturn;
use tapeline_data_pipeline::{
    DataSpec, Dataset, Difficulty, SequenceLengthSpec, SourceSpec, Span, Split, SyntheticSpec,
    built_in_market,
};
use tch::{Device, Kind, Tensor};

use super::{Curriculum, CurriculumSpec, LabelMagnitudeSpec, PaceSpec, Pacing};
use crate::error::TrainError;
use crate::small_network::tasks;
use crate::spec::TrainingSpec;
use crate::task::Tasks;

const SEED: u64 = 5;
const PACE: PaceSpec = PaceSpec { start: 0.25, epochs: 4, pacing: Pacing::Linear };

fn data(tasks: &Tasks) -> Dataset {
    let market = SyntheticSpec { seed: 3, symbols: 3, days: 2, best_ic: 0.4 };
    let spec = DataSpec {
        source: SourceSpec { synthetic: Some(market.clone()), ..SourceSpec::default() },
        timeframes: vec!["1m".parse().unwrap()],
        sequence_length: SequenceLengthSpec::Same(12),
        features: vec![LogReturn.into()],
        stride: 3,
        ..DataSpec::default()
    };
    spec.check().unwrap().prepare(built_in_market(&market, Span::ZERO), tasks.labels()).unwrap()
}

fn training(curriculum: CurriculumSpec) -> TrainingSpec {
    TrainingSpec { num_epochs: 6, curriculum: Some(curriculum), ..TrainingSpec::default() }
}

fn by_samples() -> [CurriculumSpec; 3] {
    let PaceSpec { start, epochs, pacing } = PACE;
    let magnitude = LabelMagnitudeSpec { horizon: Some(2), start, epochs, pacing };
    [
        CurriculumSpec::Volatility(PACE),
        CurriculumSpec::LabelMagnitude(magnitude),
        CurriculumSpec::Random(PACE),
    ]
}

#[test]
fn shares_follow_their_formulas() {
    let shares = |pacing, epochs| {
        let pace = PaceSpec { start: 0.2, epochs, pacing };
        (0..epochs + 2).map(|epoch| pace.share(epoch)).collect::<Vec<_>>()
    };
    for (pacing, epochs, expected) in [
        (Pacing::Linear, 4, &[0.2, 0.4, 0.6, 0.8, 1.0, 1.0][..]),
        (Pacing::Root, 4, &[0.2, 0.6, 0.765_685_424_949_238, 0.892_820_323_027_551, 1.0, 1.0]),
        (Pacing::Step, 8, &[0.2, 0.2, 0.4, 0.4, 0.6, 0.6, 0.8, 0.8, 1.0, 1.0]),
        (Pacing::Step, 3, &[0.2, 0.4, 0.6, 1.0, 1.0]),
        (Pacing::Linear, 1, &[0.2, 1.0, 1.0]),
    ] {
        let found = shares(pacing, epochs);
        let close = found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-12);
        assert!(close && found.len() == expected.len(), "{pacing:?}: {found:?}");
    }
}

#[test]
fn what_was_learned_from_stays_and_at_last_it_is_everything() {
    let tasks = tasks();
    let data = data(&tasks);
    let everything = data.samples(Split::Train);
    for spec in by_samples() {
        let training = training(spec);
        let curriculum = Curriculum::new(&data, &tasks, &training, SEED).unwrap();
        let mut before = BTreeSet::new();
        for epoch in 0..6 {
            let samples = curriculum.samples(epoch);
            assert!(samples.is_sorted(), "{spec:?}");
            let now: BTreeSet<u32> = samples.iter().copied().collect();
            assert!(now.is_superset(&before) && now.len() == samples.len(), "{spec:?}, epoch {epoch}");
            assert!(now.iter().all(|sample| everything.binary_search(sample).is_ok()), "{spec:?}");
            assert_eq!(curriculum.batches(epoch), samples.len().div_ceil(training.batch_size));
            let share = samples.len() as f64 / everything.len() as f64;
            assert!(share >= PACE.share(epoch) && share < PACE.share(epoch) + 0.02, "{spec:?}: {share}");
            before = now;
        }
        for epoch in [4, 5, 900] {
            assert_eq!(*curriculum.samples(epoch), *everything, "{spec:?}, epoch {epoch}");
        }
    }
}

#[test]
fn the_easiest_of_each_symbol_and_regime_come_first() {
    let tasks = tasks();
    let data = data(&tasks);
    let regime_label = tasks.iter().last().unwrap().labels.start;
    let (volatility, magnitude) = (Difficulty::TrailingVolatility, Difficulty::LabelMagnitude { label: 1 });
    let [by_volatility, by_magnitude, _] = by_samples();
    for (spec, measure) in [(by_volatility, volatility), (by_magnitude, magnitude)] {
        let training = training(spec);
        let curriculum = Curriculum::new(&data, &tasks, &training, SEED).unwrap();
        let chosen = curriculum.samples(1);
        let stratum = |sample: u32| {
            (data.windows().symbols()[sample as usize], data.known_regime(sample, regime_label))
        };
        let difficulty = |sample| data.difficulty(sample, measure).unwrap_or(f64::INFINITY);
        let strata: BTreeSet<_> = data.samples(Split::Train).iter().map(|&sample| stratum(sample)).collect();
        assert!(strata.len() > 3 * 4, "regimes that are not known yet are a stratum of their own");
        for of in strata {
            let all = data.samples(Split::Train).iter().copied().filter(|&sample| stratum(sample) == of);
            let (inside, outside): (Vec<u32>, Vec<u32>) =
                all.partition(|it| chosen.binary_search(it).is_ok());
            let share = 0.25 + 0.75 / 4.0;
            assert_eq!(inside.len(), (share * (inside.len() + outside.len()) as f64).ceil() as usize);
            let hardest = inside.iter().map(|&sample| difficulty(sample)).fold(0.0, f64::max);
            assert!(outside.iter().all(|&sample| difficulty(sample) >= hardest), "{spec:?}, {of:?}");
        }
    }
}

#[test]
fn a_random_curriculum_is_drawn_from_the_seed() {
    let tasks = tasks();
    let data = data(&tasks);
    let training = training(CurriculumSpec::Random(PACE));
    let first = |seed| Curriculum::new(&data, &tasks, &training, seed).unwrap().samples(0).into_owned();
    assert_eq!(first(SEED), first(SEED));
    assert_ne!(first(SEED), first(SEED + 1));
}

#[test]
fn short_windows_are_the_ends_of_long_ones() {
    let tasks = tasks();
    let data = data(&tasks);
    let training = training(CurriculumSpec::SequenceLength(PACE));
    let curriculum = Curriculum::new(&data, &tasks, &training, SEED).unwrap();
    let window = || Tensor::arange(2 * 12 * 3, (Kind::Float, Device::Cpu)).reshape([2, 12, 3]);
    for (epoch, bars) in [(0, 3), (1, 6), (2, 8), (3, 10), (4, 12), (5, 12)] {
        let short = curriculum.newest_bars(vec![window()], epoch).unwrap().remove(0);
        assert_eq!(short, window().narrow(1, 12 - bars, bars), "epoch {epoch}");
        assert_eq!(*curriculum.samples(epoch), *data.samples(Split::Train));
    }
    assert_eq!(curriculum.coverage(2)["curriculum/window_share"], Some(0.625));
}

#[test]
fn coverage_counts_what_is_learned_from() {
    let tasks = tasks();
    let data = data(&tasks);
    let training = training(CurriculumSpec::Volatility(PACE));
    let curriculum = Curriculum::new(&data, &tasks, &training, SEED).unwrap();
    for epoch in [0, 3, 4] {
        let coverage = curriculum.coverage(epoch);
        let count = curriculum.samples(epoch).len() as f64;
        let all = data.samples(Split::Train).len() as f64;
        assert_eq!(coverage["curriculum/sample_share"], Some(count / all));
        let shares: Vec<f64> = ["bull", "bear", "sideways", "volatile"]
            .map(|regime| coverage[&format!("curriculum/regime_detection/h1/{regime}_share")].unwrap())
            .into();
        assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{shares:?}");
        assert!(shares.iter().all(|share| *share > 0.0), "a regime is not covered: {shares:?}");
    }
    let plain = TrainingSpec::default();
    assert!(Curriculum::new(&data, &tasks, &plain, SEED).unwrap().coverage(0).is_empty());
}

#[test]
fn an_epoch_has_as_many_steps_as_its_samples_fill() {
    let tasks = tasks();
    let data = data(&tasks);
    let training = TrainingSpec { gradient_accumulation: 3, ..training(CurriculumSpec::Random(PACE)) };
    let curriculum = Curriculum::new(&data, &tasks, &training, SEED).unwrap();
    for epoch in 0..6 {
        let samples = curriculum.samples(epoch).len();
        assert_eq!(curriculum.batches(epoch), samples.div_ceil(training.batch_size));
        assert_eq!(curriculum.steps(epoch), samples.div_ceil(3 * training.batch_size));
    }
    assert!(curriculum.steps(0) < curriculum.full_steps());
    assert_eq!(curriculum.steps(5), curriculum.full_steps());
}

#[test]
fn a_return_that_is_not_forecast_is_no_difficulty() {
    let tasks = tasks();
    let data = data(&tasks);
    let spec = LabelMagnitudeSpec { horizon: Some(7), ..LabelMagnitudeSpec::default() };
    let training = training(CurriculumSpec::LabelMagnitude(spec));
    let refused = Curriculum::new(&data, &tasks, &training, SEED).unwrap_err();
    assert!(matches!(refused, TrainError::CurriculumLabel { horizon: Some(7), .. }));
    assert_eq!(
        refused.to_string(),
        "training.curriculum goes by the size of the return over 7 bars; tasks.price_prediction.horizons are 1, 2, 3"
    );
}

#[test]
fn an_impossible_pace_is_refused() {
    let faults = |spec: CurriculumSpec| training(spec).check().map_err(|report| report.to_string());
    assert!(faults(CurriculumSpec::Random(PACE)).is_ok());
    for start in [0.0, -0.5, 1.5, f64::NAN] {
        let report = faults(CurriculumSpec::Volatility(PaceSpec { start, ..PACE })).unwrap_err();
        assert!(report.contains("curriculum.start"), "{report}");
    }
    for (epochs, words) in [(0, "0 is too few"), (6, "none of 6 is left"), (9, "none of 6 is left")] {
        let report = faults(CurriculumSpec::SequenceLength(PaceSpec { epochs, ..PACE })).unwrap_err();
        assert!(report.contains(words), "{report}");
    }
    let none_ahead = LabelMagnitudeSpec { horizon: Some(0), epochs: 2, ..LabelMagnitudeSpec::default() };
    let report = faults(CurriculumSpec::LabelMagnitude(none_ahead)).unwrap_err();
    assert!(report.contains("curriculum.horizon"), "{report}");
}
