use proptest::prelude::*;
use tapeline_data_pipeline::feature::Body;
use tapeline_data_pipeline::{
    DataError, DataSpec, Dataset, LabelSpec, Pipeline, SequenceLengthSpec, Span, Split,
};

use crate::random_market::{timeframe, walk};

/// One timeframe, windows of two bars, no warm-up: sample i is decided on bar i + 1.
fn plain(train: f64, validation: f64) -> Pipeline {
    let mut spec = DataSpec {
        timeframes: vec![timeframe("5m")],
        sequence_length: SequenceLengthSpec::Same(2),
        features: vec![Body.into()],
        ..DataSpec::default()
    };
    spec.split.train = train;
    spec.split.validation = validation;
    spec.split.test = 1.0 - train - validation;
    spec.check().unwrap()
}

#[test]
fn labels_that_reach_into_the_next_block_are_purged() {
    // 21 bars, 20 samples: blocks of 12, 4 and 4 decisions. A label of 2 bars with a lag of 1 ends 3 bars ahead, so the
    // last train sample that ends by decision 12 is sample 9, and the last validation sample that ends by 16 is 13.
    let bars = walk("A", timeframe("5m"), 0..21, Span::ZERO, 3);
    let labels = [LabelSpec::LogReturn { horizon: 2, lag: 1 }];
    let data = plain(0.6, 0.2).prepare(vec![bars], &labels).unwrap();
    assert_eq!(data.samples(Split::Train), (0..=9).collect::<Vec<u32>>());
    assert_eq!(data.samples(Split::Validation), [12, 13]);
    assert_eq!(data.samples(Split::Test), [16, 17, 18, 19]);
    assert_eq!((data.purged().train, data.purged().validation), (2, 2));
    let split = data.fitted().split;
    let decisions = data.windows().decisions();
    assert_eq!(split.last_train_decision, decisions[9]);
    assert_eq!(split.validation_from, decisions[12]);
    assert_eq!(split.test_from, decisions[16]);
    assert_eq!(
        data.labels()[0].end[9],
        split.validation_from,
        "a label may end at the next block's first decision"
    );
}

#[test]
fn the_longest_label_decides() {
    let bars = walk("A", timeframe("5m"), 0..101, Span::ZERO, 3);
    let short = LabelSpec::LogReturn { horizon: 1, lag: 0 };
    let long = LabelSpec::LogRealizedVariance { horizon: 7 };
    let data = plain(0.6, 0.2).prepare(vec![bars], &[short, long]).unwrap();
    assert_eq!((data.purged().train, data.purged().validation), (6, 6));
}

#[test]
fn an_empty_block_is_an_error() {
    let labels = [LabelSpec::LogReturn { horizon: 10, lag: 0 }];
    let prepare = |pipeline: Pipeline, bars| {
        pipeline.prepare(vec![walk("A", timeframe("5m"), 0..bars, Span::ZERO, 3)], &labels)
    };
    let purged_away = prepare(plain(0.8, 0.05), 101).unwrap_err();
    assert!(matches!(purged_away, DataError::EmptySplit { split: Split::Validation, .. }), "{purged_away}");
    let one_decision = prepare(plain(0.6, 0.2), 2).unwrap_err();
    assert!(matches!(one_decision, DataError::EmptySplit { decisions: 1, .. }), "{one_decision}");
    let no_label = prepare(plain(0.6, 0.2), 9).unwrap_err();
    assert!(matches!(no_label, DataError::FitLabel { .. }), "{no_label}");
    let no_window = prepare(plain(0.6, 0.2), 1).unwrap_err();
    assert!(matches!(no_window, DataError::FindWindows { bars: 1, .. }), "{no_window}");
}

/// The first decision of a block, whatever the instants say.
fn first_decision(data: &Dataset, split: Split) -> i64 {
    data.windows().decisions()[data.samples(split)[0] as usize].nanos()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_label_meets_a_later_block(
        seed: u64,
        starts in prop::collection::vec(0_i64..150, 1..4),
        holes in 2_i64..40,
        horizon in 1_usize..12,
        lag in 0_usize..4,
    ) {
        let bars: Vec<_> = (0_u64..).zip(&starts).map(|(index, &start)| {
            let steps = (start..start + 300).filter(move |step| (step + 3 * index as i64) % holes != 0);
            walk(&format!("S{index}"), timeframe("5m"), steps, Span::ZERO, seed ^ index)
        }).collect();
        let labels = [LabelSpec::LogReturn { horizon, lag }, LabelSpec::LogRealizedVariance { horizon: 2 }];
        let data = plain(0.5, 0.25).prepare(bars, &labels).unwrap();
        for (block, next) in [(Split::Train, Split::Validation), (Split::Validation, Split::Test)] {
            let next_from = first_decision(&data, next);
            for &sample in data.samples(block) {
                for column in data.labels() {
                    prop_assert!(column.end[sample as usize].nanos() <= next_from);
                }
            }
        }
    }
}
