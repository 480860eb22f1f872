//! Do the intervals of worthless forecasts miss 0 as often as they say?

use tapeline_evaluation::{Correlation, Interval, MovingBlocks, Panel, ic};

use crate::noise::Noise;

/// At 1600 signals the share of a true 5 % has a standard error of 0.5 %.
const SIGNALS: usize = 1600;
const RESAMPLES: usize = 500;
const ROWS: usize = 2000;
const HONEST: std::ops::RangeInclusive<f64> = 0.03..=0.08;

fn one_series(forecast: &[f64], realised: &[f64]) -> Panel {
    let time: Vec<i64> = (0..forecast.len() as i64).collect();
    Panel::new(&vec![0; time.len()], &time, forecast, realised).unwrap()
}

/// The share of signals whose interval misses 0.
fn rejections(signals: usize, mut interval: impl FnMut(u64) -> Interval) -> f64 {
    let missed = (0..signals as u64).filter(|&seed| !interval(seed).covers(0.0)).count();
    missed as f64 / signals as f64
}

fn noise_signal(seed: u64, horizon: usize, phi: f64) -> Panel {
    let mut noise = Noise::new(seed);
    let forecast = noise.autoregressive(ROWS, phi);
    one_series(&forecast, &noise.overlapping(ROWS, horizon))
}

fn check(correlation: Correlation, horizon: usize, phi: f64) {
    let share = rejections(SIGNALS, |seed| {
        let panel = noise_signal(seed, horizon, phi);
        ic::per_series_interval(
            &panel,
            correlation,
            &MovingBlocks::new(horizon, seed).with_resamples(RESAMPLES),
        )
        .unwrap()
    });
    assert!(HONEST.contains(&share), "{correlation:?}, h = {horizon}, AR {phi}: {share} of intervals miss 0");
}

#[test]
fn independent_noise_is_rejected_in_3_to_8_percent_of_cases() {
    [1, 5, 20].into_iter().for_each(|horizon| check(Correlation::Pearson, horizon, 0.0));
}

#[test]
fn autocorrelated_noise_is_rejected_in_3_to_8_percent_of_cases() {
    [1, 5, 20].into_iter().for_each(|horizon| check(Correlation::Pearson, horizon, 0.9));
}

#[test]
fn noise_is_rejected_as_rarely_by_its_ranks() {
    check(Correlation::Rank, 1, 0.0);
    check(Correlation::Rank, 20, 0.9);
}

/// The tests above can fail: with blocks that do not know of the overlap it does.
#[test]
fn blocks_that_ignore_the_overlap_reject_too_often() {
    let share = rejections(400, |seed| {
        let panel = noise_signal(seed, 20, 0.9);
        ic::per_series_interval(&panel, Correlation::Pearson, &MovingBlocks::new(0, seed)).unwrap()
    });
    assert!(share > *HONEST.end(), "{share}");
}

/// Six symbols that move together under one forecast are hardly more than one: blocks keep them together.
#[test]
fn series_that_move_together_do_not_narrow_the_interval() {
    let share = rejections(200, |seed| {
        let mut noise = Noise::new(seed);
        let (forecast, market) = (noise.autoregressive(600, 0.5), noise.overlapping(600, 3));
        let rows = || (0..6_u32).flat_map(|series| (0..600_usize).map(move |step| (series, step)));
        let series: Vec<u32> = rows().map(|(series, _)| series).collect();
        let time: Vec<i64> = rows().map(|(_, step)| step as i64).collect();
        let repeated: Vec<f64> = rows().map(|(_, step)| forecast[step]).collect();
        let realised: Vec<f64> = rows().map(|(_, step)| market[step] + 0.3 * noise.normal()).collect();
        let panel = Panel::new(&series, &time, &repeated, &realised).unwrap();
        ic::per_series_interval(&panel, Correlation::Pearson, &MovingBlocks::new(3, seed)).unwrap()
    });
    assert!((0.015..=0.095).contains(&share), "{share}");
}

#[test]
fn noise_across_series_is_rejected_in_3_to_8_percent_of_cases() {
    let share = rejections(400, |seed| {
        let mut noise = Noise::new(seed);
        let rows = || (0..400_i64).flat_map(|time| (0..12_u32).map(move |series| (series, time)));
        let series: Vec<u32> = rows().map(|(series, _)| series).collect();
        let time: Vec<i64> = rows().map(|(_, time)| time).collect();
        let mut column = || rows().map(|_| noise.normal()).collect::<Vec<f64>>();
        let panel = Panel::new(&series, &time, &column(), &column()).unwrap();
        ic::cross_section(&panel, Correlation::Rank).interval(&MovingBlocks::new(1, seed)).unwrap()
    });
    assert!(HONEST.contains(&share), "{share}");
}

#[test]
fn a_real_signal_is_found_and_its_interval_holds_the_estimate_and_the_truth() {
    let mut holds_truth = 0;
    for seed in 0..100 {
        let mut noise = Noise::new(1000 + seed);
        let forecast = noise.autoregressive(ROWS, 0.5);
        let scale = 1.0 / (1.0 - 0.25_f64).sqrt();
        // The correlation is 0.3: forecast of standard deviation `scale` under noise √(1/0.3² − 1) as large.
        let spread = scale * (1.0 / 0.09_f64 - 1.0).sqrt();
        let realised: Vec<f64> = forecast.iter().map(|value| value + spread * noise.normal()).collect();
        let panel = one_series(&forecast, &realised);
        let interval =
            ic::per_series_interval(&panel, Correlation::Pearson, &MovingBlocks::new(1, seed)).unwrap();
        let estimate = ic::per_series(&panel, Correlation::Pearson).mean.unwrap();
        assert!(
            interval.covers(estimate) && interval.low > 0.15 && interval.high < 0.45,
            "{interval:?}, {estimate}"
        );
        holds_truth += u32::from(interval.covers(0.3));
    }
    assert!(holds_truth >= 88, "{holds_truth} of 100");
}
