//! Scaling a sample's prices is amplifying the market it is from: windows and labels alike.

use tapeline_data_pipeline::{AugmentationSpec, Bars, DataSpec, Dataset, PriceScalingSpec, Span, Split};

use super::{LABELS, bits, spec, targets, windows};
use crate::feature::with_short_lookbacks;
use crate::random_market::{timeframe, walk};

/// `bars` with every log return multiplied by `factor`.
fn amplified(bars: &Bars, factor: f64) -> Bars {
    let mut louder = bars.clone();
    let from = bars.close[0];
    for column in [&mut louder.open, &mut louder.high, &mut louder.low, &mut louder.close] {
        column.iter_mut().for_each(|price| *price = from * (factor * (*price / from).ln()).exp());
    }
    louder
}

fn scaled_by(factor: f64) -> DataSpec {
    let scaling = PriceScalingSpec { low: factor, high: factor };
    let mut spec =
        spec(Some(AugmentationSpec { price_scaling: Some(scaling), ..AugmentationSpec::default() }));
    spec.features = with_short_lookbacks();
    // What was clipped cannot be scaled back.
    spec.scaling.clip = 1e6;
    spec
}

/// A market as it is, and the same louder, with what was learned from the first.
fn pair(factor: f64) -> (Dataset, Dataset) {
    let pipeline = scaled_by(factor).check().unwrap();
    // Quiet, so that channels made of price differences scale like those made of logarithms.
    let bars = amplified(&walk("A", timeframe("5m"), 0..1800, Span::ZERO, 4), 0.05);
    let data = pipeline.prepare(vec![bars.clone()], &LABELS).unwrap();
    let louder = pipeline.prepare_with(vec![amplified(&bars, factor)], &LABELS, data.fitted()).unwrap();
    (data, louder)
}

#[test]
fn a_scaled_sample_is_that_sample_of_a_louder_market() {
    for factor in [0.8, 1.3] {
        let (data, louder) = pair(factor);
        let augmentation = data.augmentation(1).unwrap();
        let samples: Vec<u32> = data.samples(Split::Train).iter().step_by(7).copied().collect();
        for (timeframe, layout) in data.inputs().iter().enumerate() {
            let scaled = windows(&data, Some(&augmentation), timeframe, &samples);
            let expected = windows(&louder, None, timeframe, &samples);
            assert_ne!(scaled, windows(&data, None, timeframe, &samples));
            for (cell, (value, expected)) in scaled.iter().zip(&expected).enumerate() {
                let near = (value - expected).abs() < 2e-3 + 4e-3 * expected.abs();
                let channel = &layout.channels[cell % layout.width()];
                assert!(near, "{channel}, × {factor}: {value} instead of {expected}");
            }
        }
        // The return and the variance of the louder market; the class stays, since its thresholds are of the quiet one.
        for label in [0, 1] {
            let (scaled, mask) = targets(&data, Some(&augmentation), label, &samples);
            let (expected, expected_mask) = targets(&louder, None, label, &samples);
            assert_eq!(mask, expected_mask);
            assert_ne!(scaled, targets(&data, None, label, &samples).0);
            for (value, expected) in scaled.iter().zip(&expected) {
                assert!((value - expected).abs() < 1e-3, "{}: {value} instead of {expected}", LABELS[label]);
            }
        }
        assert_eq!(targets(&data, Some(&augmentation), 2, &samples), targets(&data, None, 2, &samples));
    }
}

#[test]
fn a_planted_relation_between_bar_and_label_survives() {
    // The close of each bar repeats the move before it, halved: the return of the next bar is half of this one's.
    let mut bars = walk("A", timeframe("5m"), 0..1800, Span::ZERO, 4);
    let labels = [tapeline_data_pipeline::LabelSpec::LogReturn { horizon: 1, lag: 0 }];
    for row in (2..bars.len()).filter(|row| row % 2 == 0) {
        let previous = bars.close[row - 1] / bars.close[row - 2];
        bars.open[row] = bars.close[row - 1];
        bars.close[row] = bars.close[row - 1] * previous.sqrt();
        bars.high[row] = bars.open[row].max(bars.close[row]);
        bars.low[row] = bars.open[row].min(bars.close[row]);
        // The next bar moves on from here.
        if row + 1 < bars.len() {
            let open = bars.close[row];
            let ratio = bars.close[row + 1] / bars.open[row + 1];
            (bars.open[row + 1], bars.close[row + 1]) = (open, open * ratio);
            (bars.high[row + 1], bars.low[row + 1]) = (open.max(open * ratio), open.min(open * ratio));
        }
    }
    let scaling = PriceScalingSpec { low: 0.5, high: 2.0 };
    let mut spec =
        spec(Some(AugmentationSpec { price_scaling: Some(scaling), ..AugmentationSpec::default() }));
    spec.scaling.clip = 1e6;
    let data = spec.check().unwrap().prepare(vec![bars], &labels).unwrap();
    let augmentation = data.augmentation(2).unwrap();
    let samples = data.samples(Split::Train);
    let layout = &data.inputs()[0];
    let scale = data.fitted().scaler.timeframes[0].channels[0].scale.unwrap();
    let tapeline_data_pipeline::FittedLabel::Regression { mean, std } = data.labels()[0].fitted else {
        unreachable!()
    };
    let inputs = windows(&data, Some(&augmentation), 0, samples);
    let (labels, mask) = targets(&data, Some(&augmentation), 0, samples);
    let mut related = 0;
    for (number, window) in inputs.chunks(layout.window_len()).enumerate() {
        let newest = f64::from(window[layout.window_len() - layout.width()]) * scale.spread + scale.centre;
        let label = f64::from(labels[number]) * std + mean;
        let end = data.windows().end_rows(0)[samples[number] as usize];
        if mask[number] == 1.0 && end % 2 == 1 {
            assert!((label - 0.5 * newest).abs() < 1e-7, "{label} after {newest}");
            related += 1;
        }
    }
    assert!(related > 100, "only {related} related samples");
}

#[test]
fn a_price_that_stands_still_stays_so_and_factor_1_changes_nothing() {
    let pipeline = scaled_by(1.5).check().unwrap();
    let mut bars = walk("A", timeframe("5m"), 0..1800, Span::ZERO, 4);
    for row in 300..500 {
        let still = bars.close[299];
        (bars.open[row], bars.high[row], bars.low[row], bars.close[row]) = (still, still, still, still);
    }
    bars.open[500] = bars.close[499];
    bars.high[500] = bars.high[500].max(bars.open[500]);
    bars.low[500] = bars.low[500].min(bars.open[500]);
    let data = pipeline.prepare(vec![bars.clone()], &LABELS).unwrap();
    let augmentation = data.augmentation(1).unwrap();
    let decided = |row: usize| {
        let known = |sample: &&u32| data.windows().end_rows(0)[**sample as usize] as usize == row;
        *data.samples(Split::Train).iter().find(known).unwrap()
    };
    let channel =
        data.inputs()[0].channels.iter().position(|name| name.starts_with("realized_volatility")).unwrap();
    let width = data.inputs()[0].width();
    let volatility = |window: Vec<f32>| window.into_iter().skip(channel).step_by(width).collect::<Vec<_>>();
    let sample = decided(450);
    let [before, after] =
        [None, Some(&augmentation)].map(|how| volatility(windows(&data, how, 0, &[sample])));
    assert_eq!(bits(&before), bits(&after), "the floor stays the floor");

    let same = scaled_by(1.0).check().unwrap().prepare(vec![bars], &LABELS).unwrap();
    let samples = same.samples(Split::Train);
    let augmentation = same.augmentation(1).unwrap();
    for timeframe in 0..3 {
        assert_eq!(
            bits(&windows(&same, Some(&augmentation), timeframe, samples)),
            bits(&windows(&same, None, timeframe, samples))
        );
    }
}
