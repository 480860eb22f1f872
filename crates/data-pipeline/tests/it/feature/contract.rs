//! What every feature promises.

use std::collections::{BTreeSet, HashSet};

use proptest::prelude::*;
use tapeline_data_pipeline::{Amplified, Bars, FeatureSpec, Span, Unit};

use super::{computed, with_short_lookbacks};
use crate::random_market::{closes, timeframe, walk};

fn bits(values: &[f64]) -> Vec<u64> {
    values.iter().map(|value| value.to_bits()).collect()
}

/// Each feature twice: with the parameters of a configuration that gives none, and with short lookbacks.
fn everything() -> Vec<FeatureSpec> {
    let mut all = FeatureSpec::registered();
    all.extend(with_short_lookbacks());
    all
}

#[test]
fn a_value_is_there_from_the_end_of_the_warm_up_on_and_not_before() {
    let bars = walk("A", timeframe("5m"), (0..400).filter(|step| step % 11 != 3), Span::ZERO, 1);
    for spec in everything() {
        let width = spec.feature().channels().len();
        let warm_up = spec.feature().warm_up();
        assert!(warm_up < bars.len(), "{spec:?} needs more than {} bars", bars.len());
        for (row, values) in computed(spec, &bars).chunks(width).enumerate() {
            let there = values.iter().filter(|value| value.is_finite()).count();
            let expected = if row < warm_up { 0 } else { width };
            assert_eq!(there, expected, "{spec:?}, row {row} of a warm-up of {warm_up}: {values:?}");
        }
    }
}

#[test]
fn a_market_that_stands_still_has_every_value() {
    let mut bars = closes("A", timeframe("5m"), &[7.0; 250]);
    bars.volume.fill(0.0);
    for spec in everything() {
        let values = computed(spec, &bars);
        let after = spec.feature().warm_up() * spec.feature().channels().len();
        assert!(values[after..].iter().all(|value| value.is_finite()), "{spec:?}");
    }
}

#[test]
fn fewer_bars_than_the_warm_up_have_no_value_and_no_bars_are_no_error() {
    for spec in everything() {
        for rows in [0, 1, spec.feature().warm_up()] {
            let bars = walk("A", timeframe("5m"), 0..rows as i64, Span::ZERO, 1);
            let values =
                computed(spec, &bars.take(&(0..rows.min(spec.feature().warm_up())).collect::<Vec<_>>()));
            assert!(values.iter().all(|value| value.is_nan()), "{spec:?}");
        }
    }
}

#[test]
fn kinds_and_channel_names_are_unique() {
    let kinds: BTreeSet<_> = FeatureSpec::registered().iter().map(FeatureSpec::kind).collect();
    assert_eq!(kinds.len(), FeatureSpec::registered().len());
    let distinct: HashSet<_> = everything().into_iter().collect();
    let names: Vec<_> = distinct.iter().flat_map(FeatureSpec::channel_names).collect();
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
    for spec in &distinct {
        let channels = spec.feature().channels();
        assert_eq!(spec.channel_names().len(), channels.len());
        assert!(channels.iter().all(|channel| channel.name.starts_with(spec.kind())), "{spec:?}");
        assert!(!spec.feature().formula().is_empty());
    }
}

/// `bars` with every log return of the path multiplied by `factor`: of the closes, and inside and between bars.
fn amplified(bars: &Bars, factor: f64) -> Bars {
    let mut louder = bars.clone();
    let from = bars.close[0];
    for column in [&mut louder.open, &mut louder.high, &mut louder.low, &mut louder.close] {
        column.iter_mut().for_each(|price| *price = from * (factor * (*price / from).ln()).exp());
    }
    louder
}

#[test]
fn an_amplified_price_path_does_to_each_channel_what_its_unit_says() {
    const QUIET: f64 = 0.05;
    const FACTOR: f64 = 1.3;
    const FIRST_ORDER: f64 = 0.01;
    let largest = |values: &[f64], channel: usize, width: usize| {
        values.iter().skip(channel).step_by(width).fold(0.0, |largest: f64, value| largest.max(value.abs()))
    };
    let steps = (0..400).filter(|step| step % 11 != 3);
    let bars = amplified(&walk("A", timeframe("5m"), steps, Span::ZERO, 5), QUIET);
    let louder = amplified(&bars, FACTOR);
    for spec in everything() {
        let channels = spec.feature().channels();
        let (quiet, loud) = (computed(spec, &bars), computed(spec, &louder));
        for (cell, (&before, &after)) in quiet.iter().zip(&loud).enumerate() {
            let unit = channels[cell % channels.len()].unit;
            let expected = match unit.amplified() {
                Amplified::Multiplied => before * FACTOR,
                Amplified::Shifted => before + FACTOR.ln(),
                Amplified::Unmoved => before,
            };
            // Logarithms of prices are exact; differences of prices are so to first order in the returns.
            let tolerance = match unit {
                Unit::PriceShare | Unit::Position => {
                    FIRST_ORDER * largest(&quiet, cell % channels.len(), channels.len())
                }
                _ => 1e-9,
            };
            assert!(
                before.is_nan() || (after - expected).abs() < tolerance,
                "{spec:?}: {before} becomes {after} instead of {expected}"
            );
        }
    }
}

proptest! {
    #[test]
    fn bars_added_later_change_no_earlier_value(seed: u64, rows in 1_usize..80, more in 1_usize..40) {
        let long = walk("A", timeframe("15m"), 0..(rows + more) as i64, Span::ZERO, seed);
        let short = long.take(&(0..rows).collect::<Vec<_>>());
        for spec in everything() {
            let (short, long) = (computed(spec, &short), computed(spec, &long));
            prop_assert_eq!(bits(&short), bits(&long[..short.len()]), "{:?}", spec);
        }
    }

    #[test]
    fn bars_before_the_warm_up_change_no_value(seed: u64, rows in 40_usize..120, dropped in 1_usize..40) {
        let long = walk("A", timeframe("15m"), 0..rows as i64, Span::ZERO, seed);
        let late = long.take(&(dropped..rows).collect::<Vec<_>>());
        for spec in everything() {
            let (width, warm_up) = (spec.feature().channels().len(), spec.feature().warm_up());
            let known = (dropped + warm_up).min(rows) * width;
            let (long, late) = (computed(spec, &long), computed(spec, &late));
            prop_assert_eq!(bits(&long[known..]), bits(&late[known - dropped * width..]), "{:?}", spec);
        }
    }
}
