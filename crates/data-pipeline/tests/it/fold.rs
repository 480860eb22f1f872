use proptest::prelude::*;
use tapeline_data_pipeline::feature::Body;
use tapeline_data_pipeline::{
    Bars, DataError, DataSpec, Dataset, Folds, FoldsSpec, HoldoutSpec, KFoldSpec, LabelSpec, Pipeline,
    SequenceLengthSpec, Span, Split, Timestamp, WalkForwardSpec,
};

use crate::random_market::{timeframe, walk};

const HOLDOUT: HoldoutSpec = HoldoutSpec::Closed;

/// Windows of two bars, no warm-up: sample i of one symbol is decided on bar i + 1. The newest fifth is held out.
fn plain(timeframes: &[&str]) -> Pipeline {
    let mut spec = DataSpec {
        timeframes: timeframes.iter().map(|text| timeframe(text)).collect(),
        sequence_length: SequenceLengthSpec::Same(2),
        features: vec![Body.into()],
        ..DataSpec::default()
    };
    (spec.split.train, spec.split.validation, spec.split.test) = (0.6, 0.2, 0.2);
    spec.check().unwrap()
}

fn anchored(folds: usize) -> FoldsSpec {
    FoldsSpec::Anchored(WalkForwardSpec { folds, train: 0.5, validation: 0.25, holdout: HOLDOUT })
}

fn rolling(folds: usize) -> FoldsSpec {
    FoldsSpec::Rolling(WalkForwardSpec { folds, train: 0.5, validation: 0.25, holdout: HOLDOUT })
}

fn k_fold(folds: usize, embargo: f64) -> FoldsSpec {
    FoldsSpec::PurgedKFold(KFoldSpec { folds, validation: 0.2, embargo, holdout: HOLDOUT })
}

fn numbers(data: &Dataset, split: Split) -> Vec<u32> {
    data.samples(split).to_vec()
}

#[test]
fn walk_forward_learns_from_what_came_before() {
    // 101 bars, 100 samples; the closed holdout begins with decision 80. A label of 2 bars ends 2 decisions ahead, so that
    // samples up to 78 end by then: folds are cut from 79 decisions, 40 of them before the first test block (39.5, rounded).
    let bars = vec![walk("A", timeframe("5m"), 0..101, Span::ZERO, 3)];
    let labels = [LabelSpec::LogReturn { horizon: 2, lag: 0 }];
    let folds = plain(&["5m"]).folds(bars.clone(), &labels, &anchored(3)).unwrap();
    let first = folds.dataset(0).unwrap();
    assert_eq!(numbers(&first, Split::Train), (0..=28).collect::<Vec<u32>>());
    assert_eq!(numbers(&first, Split::Validation), (30..=38).collect::<Vec<u32>>());
    assert_eq!(numbers(&first, Split::Test), (40..53).collect::<Vec<u32>>());
    assert_eq!((first.purged().train, first.purged().validation), (1, 1));
    let last = folds.dataset(2).unwrap();
    assert_eq!(numbers(&last, Split::Test), (66..79).collect::<Vec<u32>>());
    assert_eq!(last.samples(Split::Train)[0], 0);

    let folds = plain(&["5m"]).folds(bars, &labels, &rolling(3)).unwrap();
    let last = folds.dataset(2).unwrap();
    assert_eq!(last.samples(Split::Train)[0], 26, "as long as the first train block, 40 decisions");
    assert_eq!(numbers(&last, Split::Test), (66..79).collect::<Vec<u32>>());
    assert!(matches!(folds.dataset(3), Err(DataError::Lookup { what: "fold", index: 3, count: 3 })));
}

#[test]
fn k_fold_learns_from_both_sides_of_its_block() {
    let bars = vec![walk("A", timeframe("5m"), 0..101, Span::ZERO, 3)];
    let labels = [LabelSpec::LogReturn { horizon: 2, lag: 0 }];
    let folds = plain(&["5m"]).folds(bars, &labels, &k_fold(4, 0.0)).unwrap();
    // 79 decisions, blocks from 0, 19, 39 and 59.
    let second = folds.dataset(1).unwrap();
    assert_eq!(numbers(&second, Split::Test), (19..39).collect::<Vec<u32>>());
    // A fifth of 59 is 12, of which half of 19 are left: 9. A validation label ends by decision 19.
    assert_eq!(numbers(&second, Split::Validation), (10..=17).collect::<Vec<u32>>());
    // The block's last label ends with the bar of decision 40. Sample 42 sees the bars of decisions 41 and 42.
    let train: Vec<u32> = (0..=8).chain(42..79).collect();
    assert_eq!(numbers(&second, Split::Train), train);

    let first = folds.dataset(0).unwrap();
    assert_eq!(numbers(&first, Split::Test), (0..19).collect::<Vec<u32>>());
    assert_eq!(
        numbers(&first, Split::Train),
        (22..=65).collect::<Vec<u32>>(),
        "sample 65 ends by decision 67"
    );
    assert_eq!(numbers(&first, Split::Validation), (67..79).collect::<Vec<u32>>());

    let embargoed = plain(&["5m"]).folds(
        vec![walk("A", timeframe("5m"), 0..101, Span::ZERO, 3)],
        &labels,
        &k_fold(4, 0.1),
    );
    let second = embargoed.unwrap().dataset(1).unwrap();
    let train: Vec<u32> = (0..=8).chain(49..79).collect();
    assert_eq!(numbers(&second, Split::Train), train, "8 decisions after decision 40");
}

#[test]
fn an_open_holdout_is_part_of_the_folds() {
    let bars = vec![walk("A", timeframe("5m"), 0..101, Span::ZERO, 3)];
    let labels = [LabelSpec::LogReturn { horizon: 2, lag: 0 }];
    let open = FoldsSpec::Anchored(WalkForwardSpec {
        folds: 2,
        train: 0.5,
        validation: 0.25,
        holdout: HoldoutSpec::Open,
    });
    let folds = plain(&["5m"]).folds(bars, &labels, &open).unwrap();
    assert_eq!(numbers(&folds.dataset(1).unwrap(), Split::Test), (75..100).collect::<Vec<u32>>());
}

#[test]
fn a_fold_without_a_sample_is_an_error() {
    let labels = [LabelSpec::LogReturn { horizon: 10, lag: 0 }];
    let folds = |bars, spec: &FoldsSpec| {
        plain(&["5m"]).folds(vec![walk("A", timeframe("5m"), 0..bars, Span::ZERO, 3)], &labels, spec)
    };
    let purged_away = folds(41, &anchored(4)).unwrap_err();
    assert!(matches!(purged_away, DataError::EmptyFold { fold: 1, .. }), "{purged_away}");
    let nothing_left = folds(3, &k_fold(2, 0.0)).unwrap_err();
    assert!(matches!(nothing_left, DataError::EmptyFold { .. }), "{nothing_left}");
    let unlearned = folds(101, &k_fold(2, 0.9)).unwrap_err();
    assert!(matches!(unlearned, DataError::EmptyFold { split: Split::Train, .. }), "{unlearned}");
}

#[test]
fn impossible_folds_are_named() {
    let spec =
        FoldsSpec::PurgedKFold(KFoldSpec { folds: 1, validation: 1.0, embargo: -0.1, holdout: HOLDOUT });
    let faults = spec.check().unwrap_err().to_string();
    for key in ["folds", "validation", "embargo"] {
        assert!(faults.contains(key), "{faults}");
    }
    assert!(FoldsSpec::default().check().is_ok());
}

/// One to three symbols with holes, so that labels and windows are of many lengths in time.
fn market(seed: u64, starts: &[i64], holes: i64) -> Vec<Bars> {
    let symbol = |(index, &start): (u64, &i64)| {
        let steps = (start..start + 360).filter(move |step| (step + 3 * index as i64) % holes != 0);
        walk(&format!("S{index}"), timeframe("5m"), steps, Span::ZERO, seed ^ index)
    };
    (0_u64..).zip(starts).map(symbol).collect()
}

/// From the beginning of a sample's oldest visible bar to its decision, and the end of its last label.
fn seen_and_end(data: &Dataset, sample: u32) -> (i64, i64) {
    let (id, windows) = (sample as usize, data.windows());
    let oldest = (0..data.inputs().len()).map(|timeframe| {
        let table = &data.tables()[windows.symbols()[id] as usize][timeframe];
        let first = windows.end_rows(timeframe)[id] as usize + 1 - data.inputs()[timeframe].length;
        table.available_at()[first].nanos() - data.inputs()[timeframe].timeframe.nanos()
    });
    let end = data.labels().iter().map(|column| column.end[id].nanos()).max().unwrap();
    (oldest.min().unwrap(), end)
}

fn decision(data: &Dataset, sample: u32) -> i64 {
    data.windows().decisions()[sample as usize].nanos()
}

/// What no fold may break, over all symbols.
fn check_fold(data: &Dataset, holdout_from: i64) -> Result<(), TestCaseError> {
    let blocks = Split::ALL.map(|split| data.samples(split));
    for block in blocks {
        prop_assert!(!block.is_empty());
        for &sample in block {
            prop_assert!(seen_and_end(data, sample).1 <= holdout_from, "the holdout is closed");
        }
    }
    let [train, validation, test] = blocks;
    for later in [validation, test] {
        let first = later.iter().map(|&sample| decision(data, sample)).min().unwrap();
        let outcomes_end = later.iter().map(|&sample| seen_and_end(data, sample).1).max().unwrap();
        for &sample in train {
            let (decided, (seen_from, end)) = (decision(data, sample), seen_and_end(data, sample));
            let before = end <= first;
            // After a test block nothing sees an outcome of it; a validation block that comes last has nothing after it.
            let after = decided > outcomes_end && seen_from >= outcomes_end;
            prop_assert!(before || after, "train {sample} meets a block from {first} to {outcomes_end}");
        }
    }
    let test_from = decision(data, test[0]);
    let last = decision(data, *test.last().unwrap());
    for &sample in validation {
        let before = seen_and_end(data, sample).1 <= test_from;
        prop_assert!(before || decision(data, sample) > last, "validation {sample} meets the test block");
    }
    Ok(())
}

/// Garbage wherever no train decision of the fold could look.
fn poisoned(bars: &[Bars], data: &Dataset) -> Vec<Bars> {
    let split = data.fitted().split;
    let is_learned_from = |available: Timestamp| {
        available <= split.last_train_decision
            || split.train_again.is_some_and(|again| available <= again.last_decision)
    };
    // Between the two parts of a k-fold: from the end of the first to the oldest bar that the second sees. Where learning
    // begins later: everything before the oldest bar that is seen.
    let oldest_from = |from: Timestamp| {
        let part = data.samples(Split::Train).iter().filter(|&&s| decision(data, s) >= from.nanos());
        part.map(|&s| seen_and_end(data, s).0).min().unwrap()
    };
    let between = split.train_again.map(|again| (split.last_train_decision.nanos(), oldest_from(again.from)));
    let hidden = between.or(split.train_from.map(|from| (i64::MIN, oldest_from(from))));
    let mut bars = bars.to_vec();
    for bars in &mut bars {
        for row in 0..bars.len() {
            let available = bars.available_at[row];
            let is_hidden =
                hidden.is_some_and(|(from, until)| available.nanos() > from && available.nanos() <= until);
            if is_learned_from(available) && !is_hidden {
                continue;
            }
            for column in [&mut bars.open, &mut bars.high, &mut bars.low, &mut bars.close, &mut bars.volume] {
                column[row] *= 1e3 * (1 + row % 3) as f64;
            }
        }
    }
    bars
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_train_label_meets_a_block_and_nothing_fitted_sees_one(
        seed: u64,
        starts in prop::collection::vec(0_i64..150, 1..4),
        holes in 2_i64..40,
        horizon in 1_usize..8,
        lag in 0_usize..3,
        kind in 0_usize..4,
        folds in 2_usize..4,
    ) {
        let bars = market(seed, &starts, holes);
        let labels = [LabelSpec::LogReturn { horizon, lag }, LabelSpec::LogRealizedVariance { horizon: 2 }];
        let spec = [anchored(folds), rolling(folds), k_fold(folds, 0.0), k_fold(folds, 0.02)][kind];
        let pipeline = plain(&["5m", "15m"]);
        let made: Folds = pipeline.folds(bars.clone(), &labels, &spec).unwrap();
        let whole = pipeline.prepare(bars.clone(), &labels).unwrap();
        let holdout_from = whole.fitted().split.test_from.nanos();
        let mut tested = Vec::new();
        for fold in 0..folds {
            let data = made.dataset(fold).unwrap();
            check_fold(&data, holdout_from)?;
            tested.extend(data.samples(Split::Test).to_vec());
            let split = data.fitted().split;
            for (block, is_known) in [(Split::Train, true), (Split::Validation, true), (Split::Test, false)] {
                for &sample in data.samples(block) {
                    let decision = data.windows().decisions()[sample as usize];
                    prop_assert_eq!(split.is_in_sample(decision), is_known, "fold {}: {:?}", fold, block);
                }
            }

            let altered = pipeline.folds(poisoned(&bars, &data), &labels, &spec).unwrap();
            let altered = altered.dataset(fold).unwrap();
            let bytes = |data: &Dataset| serde_json::to_vec(data.fitted()).unwrap();
            prop_assert!(bytes(&data) == bytes(&altered), "fold {fold}: what is fitted saw a later bar");
        }
        let mut sorted = tested.clone();
        sorted.sort_unstable();
        sorted.dedup();
        prop_assert_eq!(&tested, &sorted, "test blocks follow each other and do not overlap");
    }
}
