//! A shifted window is one that an earlier decision of the same symbol would have seen.

use std::collections::{BTreeMap, HashMap};

use proptest::prelude::*;
use tapeline_data_pipeline::{
    Augmentation, AugmentationSpec, Bars, DataError, DataSpec, Dataset, Pipeline, SequenceLengthSpec, Span,
    Split, TemporalJitterSpec,
};

use super::{LABELS, bits, windows};
use crate::random_market::{Random, span, timeframe, walk};

const MAX_SHIFT: usize = 5;

fn pipeline(max_age: Option<Span>, max_gap: Span) -> Pipeline {
    let jitter = TemporalJitterSpec { probability: 0.8, max_shift: MAX_SHIFT };
    let spec = DataSpec {
        features: tapeline_data_pipeline::FeatureSpec::DEFAULT[..6].to_vec(),
        timeframes: ["5m", "15m", "1h"].map(timeframe).to_vec(),
        sequence_length: SequenceLengthSpec::Each(BTreeMap::from([
            (timeframe("5m"), 12),
            (timeframe("15m"), 5),
            (timeframe("1h"), 3),
        ])),
        max_age: max_age.map(|age| (timeframe("1h"), age)).into_iter().collect(),
        max_gap,
        augmentation: Some(AugmentationSpec { temporal_jitter: Some(jitter), ..AugmentationSpec::default() }),
        ..DataSpec::default()
    };
    spec.check().unwrap()
}

/// By symbol and base row: the sample decided there.
fn decided(data: &Dataset) -> HashMap<(u32, u32), u32> {
    let places = data.windows().symbols().iter().zip(data.windows().end_rows(0));
    places.zip(0..).map(|((&symbol, &row), sample)| ((symbol, row), sample)).collect()
}

/// The windows of one sample in all timeframes, as bits.
fn seen(data: &Dataset, augmentation: Option<&Augmentation>, sample: u32) -> Vec<Vec<u32>> {
    (0..data.inputs().len())
        .map(|timeframe| bits(&windows(data, augmentation, timeframe, &[sample])))
        .collect()
}

#[test]
fn a_shifted_sample_sees_what_was_seen_so_many_bars_earlier() {
    let bars = vec![walk("A", timeframe("5m"), 0..900, Span::ZERO, 1)];
    let data = pipeline(None, span("4d")).prepare(bars, &LABELS).unwrap();
    let augmentation = data.augmentation(4).unwrap();
    let decided = decided(&data);
    let first = data.windows().end_rows(0)[0];
    let (mut shifted, mut clipped) = (0, 0);
    for &sample in data.samples(Split::Train) {
        let (row, shift) =
            (data.windows().end_rows(0)[sample as usize], augmentation.plan(sample).shift as u32);
        // Before the first sample some timeframe has no whole window.
        let expected = row.saturating_sub(shift).max(first);
        let earlier = decided[&(0, expected)];
        assert_eq!(seen(&data, Some(&augmentation), sample), seen(&data, None, earlier), "sample {sample}");
        shifted += usize::from(expected < row);
        clipped += usize::from(row - expected < shift);
    }
    assert!(shifted > 200 && clipped > 0, "{shifted} shifted, {clipped} clipped");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn no_visible_bar_is_after_the_decision_on_any_clock(
        seed: u64,
        symbols in 1_usize..3,
        lag_minutes in prop::sample::select(vec![0, 7, 65]),
        max_age in prop::sample::select(vec![None, Some("90m")]),
        max_gap in prop::sample::select(vec!["2h", "4d"]),
    ) {
        let mut random = Random(seed);
        let lag = Span::from_nanos(lag_minutes * 60_000_000_000);
        let bars: Vec<Bars> = (0..symbols).map(|symbol| {
            let mut step = (random.bits() % 200) as i64;
            let steps = (0..700).map(|_| {
                step += if random.unit() < 0.93 { 1 } else { 1 + (random.bits() % 40) as i64 };
                step
            });
            let steps: Vec<i64> = steps.collect();
            walk(&format!("S{symbol}"), timeframe("5m"), steps, lag, random.bits())
        }).collect();
        let pipeline = pipeline(max_age.map(span), span(max_gap));
        let data = match pipeline.prepare(bars.clone(), &LABELS) {
            // Gaps can leave too few samples to learn a label from.
            Err(DataError::FitLabel { .. } | DataError::EmptySplit { .. }) => {
                return Err(TestCaseError::reject("too few samples"));
            }
            prepared => prepared.unwrap(),
        };
        let augmentation = data.augmentation(seed).unwrap();
        let decided = decided(&data);

        // Every shifted sample is one that was decided earlier, by no more bars than were drawn.
        for &sample in data.samples(Split::Train).iter().step_by(5) {
            let (symbol, row) = (data.windows().symbols()[sample as usize], data.windows().end_rows(0)[sample as usize]);
            let shift = augmentation.plan(sample).shift as u32;
            let base = &seen(&data, Some(&augmentation), sample)[0];
            let earlier = (row.saturating_sub(shift)..=row).filter_map(|row| decided.get(&(symbol, row)));
            let same = earlier.filter(|&&other| &seen(&data, None, other)[0] == base).count();
            // A base window of an earlier row that is no sample, for want of a higher window, is possible only where the
            // higher ones are masked at the sample's own decision.
            prop_assert!(same > 0 || max_age.is_some(), "sample {sample}");
        }

        // Poison everything after a decision: what is decided by then sees the same.
        let train = data.samples(Split::Train);
        let until = data.windows().decisions()[train[(random.bits() % train.len() as u64) as usize] as usize];
        let poisoned: Vec<Bars> = bars.iter().map(|bars| {
            let mut bars = bars.clone();
            for row in (0..bars.len()).filter(|&row| bars.available_at[row] > until).collect::<Vec<_>>() {
                bars.open[row] *= 100.0;
                bars.high[row] *= 400.0;
                bars.low[row] *= 50.0;
                bars.close[row] *= 200.0;
                bars.volume[row] += 1e6;
            }
            bars
        }).collect();
        let poisoned = pipeline.prepare_with(poisoned, &LABELS, data.fitted()).unwrap();
        let known: Vec<u32> = train.iter().copied().filter(|&sample| data.windows().decisions()[sample as usize] <= until).collect();
        for timeframe in 0..3 {
            let [before, after] = [&data, &poisoned].map(|data| bits(&windows(data, Some(&augmentation), timeframe, &known)));
            prop_assert_eq!(before, after, "timeframe {}", timeframe);
        }
    }
}
