use super::{Prefix, TimeSums, expanded_tail, quantile, student_quantile};
use crate::{MovingBlocks, NoInterval};

/// Values of `scipy.stats.t.ppf(.975, v)`.
#[test]
fn student_quantiles_are_those_of_a_table() {
    for (freedom, expected) in [(7.0, 2.364_624), (10.0, 2.228_139), (30.0, 2.042_272), (1e6, 1.959_966)] {
        assert!((student_quantile(freedom) - expected).abs() < 1e-3, "{freedom}");
    }
}

/// Values of `scipy.stats.norm.cdf(-sqrt(n / (n - 1)) * t.ppf(.975, n - 1))`.
#[test]
fn the_tail_shrinks_with_few_blocks_and_is_a_fortieth_with_many() {
    for (blocks, expected) in [(8, 0.005_737_5), (30, 0.018_753_9), (1_000_000, 0.025)] {
        assert!((expanded_tail(blocks) - expected).abs() < 2e-5, "{blocks}: {}", expanded_tail(blocks));
    }
}

#[test]
fn quantiles_are_linear_between_neighbours() {
    let values = [1.0, 2.0, 4.0];
    assert_eq!([0.0, 0.25, 0.5, 0.75, 1.0].map(|share| quantile(&values, share)), [1.0, 1.5, 2.0, 3.0, 4.0]);
}

#[test]
fn a_block_covers_two_horizons_and_grows_with_the_sample() {
    assert_eq!(MovingBlocks::new(1, 0).block(1000), 12);
    assert_eq!(MovingBlocks::new(20, 0).block(1000), 50);
    assert_eq!(MovingBlocks::new(20, 0).with_block(10).block(1000), 50);
    assert_eq!(MovingBlocks::new(20, 0).with_block(90).block(1000), 90);
}

#[test]
fn a_sample_too_short_or_undefined_has_no_interval() {
    let time: Vec<i64> = (0..40).collect();
    let sums = TimeSums::new(&time, 1, |row, sums| sums[0] += row as f64);
    let short = MovingBlocks::new(1, 0).interval(&sums, |sums| Some(sums[0]));
    assert_eq!(short, Err(NoInterval::TooFewBlocks { times: 40, block: 6 }));
    assert_eq!(MovingBlocks::new(1, 0).interval(&sums, |_| None), Err(NoInterval::Undefined));
}

#[test]
fn a_score_that_fails_in_many_resamples_has_no_interval() {
    let time: Vec<i64> = (0..400).collect();
    let sums = TimeSums::new(&time, 1, |row, sums| sums[0] += f64::from(u8::from(row == 7)));
    let only_with_row_7 = MovingBlocks::new(1, 0).interval(&sums, |sums| (sums[0] > 0.5).then_some(1.0));
    assert!(
        matches!(only_with_row_7, Err(NoInterval::UndefinedResamples { undefined: 300.., .. })),
        "{only_with_row_7:?}"
    );
}

#[test]
fn a_block_runs_over_the_end_into_the_beginning() {
    let sums = TimeSums::new(&[0, 1, 2, 3, 4], 1, |row, sums| sums[0] += [1.0, 2.0, 4.0, 8.0, 16.0][row]);
    let prefix = Prefix::new(&sums, 3);
    let block = |start: usize| prefix.at(start + 3)[0] - prefix.at(start)[0];
    assert_eq!([0, 1, 2, 3, 4].map(block), [7.0, 14.0, 28.0, 25.0, 19.0]);
}

#[test]
fn a_resample_is_as_long_as_the_sample() {
    let time: Vec<i64> = (0..101).collect();
    let sums = TimeSums::new(&time, 2, |_, sums| {
        sums[0] += 3.0;
        sums[1] += 1.0;
    });
    let interval = MovingBlocks::new(1, 1).interval(&sums, |sums| {
        assert_eq!(sums[1], 101.0);
        Some(sums[0] / sums[1])
    });
    assert_eq!(interval.map(|interval| (interval.low, interval.high)), Ok((3.0, 3.0)));
}
