use tapeline_data_pipeline::feature::Body;
use tapeline_data_pipeline::{
    DataSpec, Dataset, LabelSpec, SequenceLengthSpec, Span, Split, SyntheticSpec, audit, built_in_market,
    random_walk,
};

use crate::random_market::{timeframe, walk};

fn returns(closes: &[f64]) -> Vec<f64> {
    closes.windows(2).map(|pair| (pair[1] / pair[0]).ln()).collect()
}

#[test]
fn a_random_walk_keeps_sizes_volumes_and_times_and_forgets_directions() {
    let market = SyntheticSpec { seed: 5, symbols: 2, days: 3, best_ic: 0.6 };
    let bars = built_in_market(&market, Span::ZERO);
    let walked = random_walk(&bars, 9);
    assert_eq!(walked, random_walk(&bars, 9));
    assert_ne!(walked, random_walk(&bars, 10));
    for (before, after) in bars.iter().zip(&walked) {
        assert_eq!((&before.open_time, &before.volume), (&after.open_time, &after.volume));
        assert!(after.oracle.is_none(), "there is nothing left that could be known");
        let (old, new) = (returns(&before.close), returns(&after.close));
        assert!(old.iter().zip(&new).all(|(a, b)| (a.abs() - b.abs()).abs() < 1e-9));
        let flipped = old.iter().zip(&new).filter(|(a, b)| a.signum() != b.signum()).count() as f64;
        assert!((flipped / old.len() as f64 - 0.5).abs() < 0.03, "{flipped} of {}", old.len());
        let range =
            |high: &[f64], low: &[f64]| high.iter().zip(low).map(|(h, l)| (h / l).ln()).collect::<Vec<_>>();
        let ranges = range(&before.high, &before.low).into_iter().zip(range(&after.high, &after.low));
        assert!(ranges.into_iter().all(|(a, b)| (a - b).abs() < 1e-9));
    }
    let report = audit(&walked);
    assert!(!report.has_errors(), "{report}");
    // The same coin for all symbols at one time: what moved together still does.
    let sign = |symbol: usize| {
        let (old, new) = (returns(&bars[symbol].close), returns(&walked[symbol].close));
        let keeps = |(a, b): (&f64, &f64)| a.signum() == b.signum();
        bars[symbol].open_time[1..]
            .iter()
            .copied()
            .zip(old.iter().zip(&new).map(keeps))
            .collect::<std::collections::BTreeMap<_, _>>()
    };
    let (first, second) = (sign(0), sign(1));
    assert!(first.iter().all(|(time, kept)| second.get(time).is_none_or(|other| other == kept)));
}

#[test]
fn what_was_planted_is_gone_after_the_walk() {
    let market = SyntheticSpec { seed: 5, symbols: 1, days: 10, best_ic: 0.6 };
    let bars = built_in_market(&market, Span::ZERO);
    let oracle = bars[0].oracle.clone().unwrap();
    let ic = |closes: &[f64]| {
        let returns = returns(closes);
        let forecast = &oracle[..returns.len()];
        let product: f64 = forecast.iter().zip(&returns).map(|(a, b)| a * b).sum();
        let norm = |values: &[f64]| values.iter().map(|value| value * value).sum::<f64>().sqrt();
        product / (norm(forecast) * norm(&returns))
    };
    assert!(ic(&bars[0].close) > 0.4);
    let rows = bars[0].len() as f64;
    assert!(ic(&random_walk(&bars, 1)[0].close).abs() < 4.0 / rows.sqrt());
}

fn data() -> Dataset {
    let mut spec = DataSpec {
        timeframes: vec![timeframe("5m")],
        sequence_length: SequenceLengthSpec::Same(2),
        features: vec![Body.into()],
        ..DataSpec::default()
    };
    (spec.split.train, spec.split.validation, spec.split.test) = (0.6, 0.2, 0.2);
    let bars =
        (0..2).map(|index| walk(&format!("S{index}"), timeframe("5m"), 0..600, Span::ZERO, index)).collect();
    let labels = [LabelSpec::LogReturn { horizon: 5, lag: 0 }, LabelSpec::LogRealizedVariance { horizon: 3 }];
    spec.check().unwrap().prepare(bars, &labels).unwrap()
}

#[test]
fn labels_are_dealt_out_within_symbol_and_block_of_the_split() {
    let (before, mut after) = (data(), data());
    after.shuffle_labels(4);
    assert_eq!(before.fitted(), after.fitted());
    for split in Split::ALL {
        assert_eq!(before.samples(split), after.samples(split));
        for symbol in 0..2 {
            let samples: Vec<usize> = (before.samples(split).iter().map(|&sample| sample as usize))
                .filter(|&sample| before.windows().symbols()[sample] == symbol)
                .collect();
            // Which sample each return came from: every one is of its own kind.
            let returns = |data: &Dataset| {
                samples.iter().map(|&s| data.labels()[0].values[s].to_bits()).collect::<Vec<_>>()
            };
            let (old, new) = (returns(&before), returns(&after));
            let (mut a, mut b) = (old.clone(), new.clone());
            a.sort_unstable();
            b.sort_unstable();
            assert_eq!(a, b, "the same labels, of {split} and symbol {symbol} alone");
            let from: Vec<usize> = new[..new.len() - 5]
                .iter()
                .filter_map(|bits| old.iter().position(|other| other == bits))
                .collect();
            let stays = from.iter().enumerate().filter(|(place, from)| place == *from).count();
            assert!(stays * 5 < from.len(), "{stays} of {} stay", from.len());
            // Blocks of 10 stay whole: nine of ten neighbours are neighbours still.
            let together = from.windows(2).filter(|pair| pair[1] == pair[0] + 1).count();
            assert!(together * 10 >= from.len() * 8, "{together} of {}", from.len());
        }
    }
    for (old, new) in before.labels().iter().zip(after.labels()) {
        assert_eq!(old.end, new.end, "when a label ends, and so the purge, is what it was");
    }
}
