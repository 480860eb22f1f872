//! Noise is normal, of the size that was asked for, and nowhere but on scaled channels.

use tapeline_data_pipeline::{AugmentationSpec, Split};

use super::{bits, data, windows};

const STD: f64 = 0.05;

#[test]
fn noise_is_normal_and_on_scaled_channels_only() {
    let data = data(Some(AugmentationSpec { noise_std: Some(STD), ..AugmentationSpec::default() }));
    let augmentation = data.augmentation(8).unwrap();
    let samples = &data.samples(Split::Train)[..400];
    let clip = data.fitted().scaler.clip as f32;
    let mut noise = Vec::new();
    for (timeframe, layout) in data.inputs().iter().enumerate() {
        let (before, after) = (
            windows(&data, None, timeframe, samples),
            windows(&data, Some(&augmentation), timeframe, samples),
        );
        let lowest = |channel: usize| {
            let column = before.iter().skip(channel).step_by(layout.width());
            column.copied().fold(f32::INFINITY, f32::min)
        };
        let lowest: Vec<f32> = (0..layout.width()).map(lowest).collect();
        for (cell, (before, after)) in before.iter().zip(&after).enumerate() {
            let channel = cell % layout.width();
            if !layout.units[channel].is_scaled() {
                assert_eq!(before.to_bits(), after.to_bits(), "{}", layout.channels[channel]);
                continue;
            }
            assert!(after.abs() <= clip);
            if layout.units[channel].is_never_negative() {
                // What is 0 in the channel's own unit: no wick below 0.
                let scale = data.fitted().scaler.timeframes[timeframe].channels[channel].scale.unwrap();
                let zero = (-scale.centre / scale.spread).clamp(-f64::from(clip), f64::from(clip)) as f32;
                assert!(*after >= zero && lowest[channel] >= zero, "{}", layout.channels[channel]);
            } else if before.abs() < 0.9 * clip {
                noise.push(f64::from(*after) - f64::from(*before));
            }
        }
    }
    let count = noise.len() as f64;
    assert!(count > 20_000.0, "only {count} numbers");
    let moment = |power| noise.iter().map(|value| (value / STD).powi(power)).sum::<f64>() / count;
    // Standard errors of the first four moments: 1, √2, √15 and √96 over the root of the count.
    for (power, expected, error) in [(1, 0.0, 1.0), (2, 1.0, 1.41), (3, 0.0, 3.9), (4, 3.0, 9.8)] {
        let error = 4.5 * error / count.sqrt() + 1e-4;
        assert!((moment(power) - expected).abs() < error, "moment {power}: {}", moment(power));
    }
}

#[test]
fn two_epochs_two_samples_and_two_timeframes_have_different_noise() {
    let data = data(Some(AugmentationSpec { noise_std: Some(STD), ..AugmentationSpec::default() }));
    let [first, second] = [1, 2].map(|seed| data.augmentation(seed).unwrap());
    let noise = |augmentation, timeframe: usize, sample: u32| {
        let width = data.inputs()[timeframe].width();
        let log_return = |values: Vec<f32>| values.into_iter().step_by(width).collect::<Vec<_>>();
        let before = log_return(windows(&data, None, timeframe, &[sample]));
        let after = log_return(windows(&data, Some(augmentation), timeframe, &[sample]));
        after.iter().zip(before).map(|(after, before)| ((after - before) * 1e3).round()).collect::<Vec<f32>>()
    };
    let sample = data.samples(Split::Train)[100];
    let reference = noise(&first, 0, sample);
    assert_eq!(bits(&reference), bits(&noise(&first, 0, sample)));
    assert_ne!(reference, noise(&second, 0, sample));
    assert_ne!(reference, noise(&first, 0, sample + 1));
    assert_ne!(reference, noise(&first, 1, sample));
}
