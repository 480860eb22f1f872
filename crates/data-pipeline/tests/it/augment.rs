//! Augmentation: what is done to train samples, and that it is done to nothing else.

mod jitter;
mod noise;
mod price;

use rayon::ThreadPoolBuilder;
use tapeline_data_pipeline::feature::{Body, DayOfWeek, Volume};
use tapeline_data_pipeline::{
    Augmentation, AugmentationSpec, Bars, DataError, DataSpec, Dataset, LabelSpec, PriceScalingSpec,
    SequenceLengthSpec, Span, Split, TemporalJitterSpec, leak,
};

use crate::random_market::{timeframe, walk};

const LABELS: [LabelSpec; 3] = [
    LabelSpec::LogReturn { horizon: 3, lag: 1 },
    LabelSpec::LogRealizedVariance { horizon: 4 },
    LabelSpec::BullBearSidewaysVolatile { horizon: 2 },
];

const EVERYTHING: AugmentationSpec = AugmentationSpec {
    noise_std: Some(0.01),
    temporal_jitter: Some(TemporalJitterSpec { probability: 0.5, max_shift: 3 }),
    price_scaling: Some(PriceScalingSpec { low: 0.8, high: 1.25 }),
};

fn spec(augmentation: Option<AugmentationSpec>) -> DataSpec {
    let timeframes = ["5m", "15m", "1h"].map(timeframe).to_vec();
    DataSpec {
        timeframes,
        sequence_length: SequenceLengthSpec::Same(12),
        augmentation,
        ..DataSpec::default()
    }
}

fn bars() -> Vec<Bars> {
    vec![
        walk("A", timeframe("5m"), (0..2500).filter(|step| step % 97 != 0), Span::ZERO, 1),
        walk("B", timeframe("5m"), 300..2400, Span::ZERO, 2),
    ]
}

fn data(augmentation: Option<AugmentationSpec>) -> Dataset {
    spec(augmentation).check().unwrap().prepare(bars(), &LABELS).unwrap()
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

/// The windows of `samples` in one timeframe, augmented or, without an augmentation, as they are.
fn windows(
    data: &Dataset,
    augmentation: Option<&Augmentation>,
    timeframe: usize,
    samples: &[u32],
) -> Vec<f32> {
    let mut out = vec![f32::NAN; samples.len() * data.inputs()[timeframe].window_len()];
    match augmentation {
        Some(augmentation) => data.fill_augmented_inputs(augmentation, timeframe, samples, &mut out).unwrap(),
        None => data.fill_inputs(timeframe, samples, &mut out).unwrap(),
    }
    out
}

/// The targets of `samples` for one label and their masks.
fn targets(
    data: &Dataset,
    augmentation: Option<&Augmentation>,
    label: usize,
    samples: &[u32],
) -> (Vec<f32>, Vec<f32>) {
    let (mut values, mut mask) = (vec![f32::NAN; samples.len()], vec![f32::NAN; samples.len()]);
    match augmentation {
        Some(augmentation) => {
            data.fill_augmented_targets(augmentation, label, samples, &mut values, &mut mask).unwrap();
        }
        None => data.fill_targets(label, samples, &mut values, &mut mask).unwrap(),
    }
    (values, mask)
}

#[test]
fn a_plan_is_a_function_of_the_epochs_seed_and_the_sample() {
    let augmentation = Augmentation { spec: EVERYTHING, seed: 5 };
    let plans: Vec<_> = (0..4000).map(|sample| augmentation.plan(sample)).collect();
    assert!((0..4000).rev().all(|sample| augmentation.plan(sample) == plans[sample as usize]));
    let other = Augmentation { seed: 6, ..augmentation };
    assert!((0..4000).all(|sample| other.plan(sample).noise_key != plans[sample as usize].noise_key));

    let count = |test: fn(usize) -> bool| plans.iter().filter(|plan| test(plan.shift)).count();
    assert!((count(|shift| shift > 0) as f64 / 4000.0 - 0.5).abs() < 0.03);
    for shift in [count(|shift| shift == 1), count(|shift| shift == 2), count(|shift| shift == 3)] {
        assert!((shift as f64 / 4000.0 - 1.0 / 6.0).abs() < 0.03, "{shift}");
    }
    let factors = plans.iter().map(|plan| plan.price_factor);
    assert!(factors.clone().all(|factor| (0.8..1.25).contains(&factor)));
    assert!((factors.sum::<f64>() / 4000.0 - 1.025).abs() < 0.01);

    // Each figure is drawn whether it is used or not.
    let jitter_alone =
        AugmentationSpec { temporal_jitter: EVERYTHING.temporal_jitter, ..AugmentationSpec::default() };
    let alone = Augmentation { spec: jitter_alone, seed: 5 };
    for (sample, plan) in (0..).zip(&plans) {
        let expected = tapeline_data_pipeline::Plan { price_factor: 1.0, ..*plan };
        assert_eq!(alone.plan(sample), expected);
    }
}

#[test]
fn the_bytes_depend_on_neither_threads_nor_batches() {
    let data = data(Some(EVERYTHING));
    let augmentation = data.augmentation(3).unwrap();
    let samples: Vec<u32> = data.samples(Split::Train).iter().rev().step_by(2).copied().collect();
    for timeframe in 0..3 {
        let alone: Vec<f32> = samples
            .iter()
            .flat_map(|&sample| windows(&data, Some(&augmentation), timeframe, &[sample]))
            .collect();
        for threads in [1, 2, 5] {
            let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let together = pool.install(|| windows(&data, Some(&augmentation), timeframe, &samples));
            assert!(bits(&together) == bits(&alone), "{threads} threads, timeframe {timeframe}");
        }
    }
}

#[test]
fn without_it_nothing_changes_and_with_it_only_train_samples_do() {
    let (plain, augmented) = (data(None), data(Some(EVERYTHING)));
    assert!(plain.augmentation(1).is_none());
    assert_eq!(
        serde_json::to_string(plain.fitted()).unwrap(),
        serde_json::to_string(augmented.fitted()).unwrap()
    );
    let augmentation = augmented.augmentation(1).unwrap();
    let everyone: Vec<u32> = (0..plain.windows().len() as u32).collect();
    for timeframe in 0..3 {
        let as_they_are = windows(&plain, None, timeframe, &everyone);
        assert_eq!(bits(&as_they_are), bits(&windows(&augmented, None, timeframe, &everyone)));
        let train = augmented.samples(Split::Train);
        let changed = windows(&augmented, Some(&augmentation), timeframe, train);
        assert_ne!(bits(&changed), bits(&windows(&plain, None, timeframe, train)));
    }
    for label in 0..LABELS.len() {
        assert_eq!(targets(&plain, None, label, &everyone), targets(&augmented, None, label, &everyone));
    }
    let window = augmented.inputs()[0].window_len();
    for split in [Split::Validation, Split::Test] {
        let sample = augmented.samples(split)[0];
        let mut out = vec![7.0; window];
        let refused = augmented.fill_augmented_inputs(&augmentation, 0, &[sample], &mut out);
        assert!(matches!(refused, Err(DataError::AugmentSample { sample: named }) if named == sample));
        assert!(out.iter().all(|&value| value == 7.0));
        let refused = augmented.fill_augmented_targets(&augmentation, 0, &[sample], &mut [0.0], &mut [0.0]);
        assert!(matches!(refused, Err(DataError::AugmentSample { .. })));
    }
}

#[test]
fn nothing_leaks_with_it_on() {
    let certificate = leak::check(&spec(Some(EVERYTHING)).check().unwrap(), &bars(), &LABELS, 4, 1).unwrap();
    assert!(certificate.is_clean(), "{:?}", certificate.leaks);
}

#[test]
fn what_cannot_be_is_named_at_its_place() {
    let impossible = AugmentationSpec {
        noise_std: Some(-0.1),
        temporal_jitter: Some(TemporalJitterSpec { probability: 1.5, max_shift: 0 }),
        price_scaling: Some(PriceScalingSpec { low: 2.0, high: 0.0 }),
    };
    let faults = |augmentation, features: Option<Vec<_>>| {
        let mut spec = spec(Some(augmentation));
        spec.features = features.unwrap_or(spec.features);
        spec.check().unwrap_err().to_string()
    };
    assert_eq!(
        faults(impossible, None).lines().collect::<Vec<_>>(),
        [
            "augmentation.noise_std: must be a finite number of at least 0",
            "augmentation.temporal_jitter.probability: must be at least 0 and at most 1",
            "augmentation.temporal_jitter.max_shift: must be at least 1 and at most 10000 bars",
            "augmentation.price_scaling.high: must be a finite number above 0",
            "augmentation.price_scaling.low: must not be above `high`",
        ]
    );
    let nothing = faults(AugmentationSpec::default(), None);
    assert_eq!(nothing.trim(), "augmentation: names no augmentation; leave it out for none");
    let scaling = AugmentationSpec { price_scaling: EVERYTHING.price_scaling, ..AugmentationSpec::default() };
    let untouched = faults(scaling, Some(vec![Volume.into(), DayOfWeek.into()]));
    assert!(untouched.contains("augmentation.price_scaling: touches no channel"), "{untouched}");
    let touched = DataSpec { features: vec![Volume.into(), Body.into()], ..spec(Some(scaling)) };
    assert!(touched.check().is_ok());
}

#[test]
fn it_is_written_as_in_the_example_and_spelled_out() {
    let written = r#"{"noise_std": 0.01, "temporal_jitter": {"probability": 0.1}, "price_scaling": {}}"#;
    let read: AugmentationSpec = serde_json::from_str(written).unwrap();
    assert_eq!(
        serde_json::to_string(&read).unwrap(),
        r#"{"noise_std":0.01,"temporal_jitter":{"probability":0.1,"max_shift":2},"price_scaling":{"low":0.95,"high":1.05}}"#
    );
    assert!(!serde_json::to_string(&DataSpec::default()).unwrap().contains("augmentation"));
}
