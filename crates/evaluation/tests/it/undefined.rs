//! Scores that flatter, and scores that do not exist.

use tapeline_evaluation::calibration::{self, Probabilities};
use tapeline_evaluation::classification::Confusion;
use tapeline_evaluation::direction::{Direction, pesaran_timmermann};
use tapeline_evaluation::representation::feature_quality;
use tapeline_evaluation::volatility::{Variances, bias_ratio, from_log, qlike, r2_log};
use tapeline_evaluation::{
    Correlation, MovingBlocks, NoInterval, Pairs, Panel, ic, newey_west, pearson, regression,
};
use tapeline_evaluation::{spearman, uniqueness};

const BOTH: [Correlation; 2] = [Correlation::Pearson, Correlation::Rank];

/// 12 series × 50 times: forecasts and outcomes share a level of ±3 that `level` picks, plus ±1 patterns that are orthogonal.
fn simpson(level: impl Fn(u32, i64) -> bool) -> Panel {
    let rows = || (0..50_i64).flat_map(|time| (0..12_u32).map(move |series| (series, time)));
    let sign = |up: bool| if up { 1.0 } else { -1.0 };
    let series: Vec<u32> = rows().map(|(series, _)| series).collect();
    let time: Vec<i64> = rows().map(|(_, time)| time).collect();
    let forecast: Vec<f64> =
        rows().map(|(s, t)| 3.0 * sign(level(s, t)) + sign((s + t as u32 / 4).is_multiple_of(2))).collect();
    let realised: Vec<f64> =
        rows().map(|(s, t)| 3.0 * sign(level(s, t)) + sign((s / 2 + t as u32).is_multiple_of(2))).collect();
    Panel::new(&series, &time, &forecast, &realised).unwrap()
}

#[test]
fn a_pooled_correlation_of_nine_tenths_may_hide_a_cross_section_of_none() {
    let panel = simpson(|_, time| time % 2 == 0);
    assert!((ic::pooled_corr(&panel).unwrap() - 0.9).abs() < 0.01);
    for correlation in BOTH {
        let across = ic::cross_section(&panel, correlation);
        assert_eq!(across.periods, 50);
        assert!(across.mean.unwrap().abs() < 1e-12, "{correlation:?}: {:?}", across.mean);
    }
}

#[test]
fn a_pooled_correlation_of_nine_tenths_may_hide_no_correlation_in_time() {
    let panel = simpson(|series, _| series < 6);
    assert!((ic::pooled_corr(&panel).unwrap() - 0.9).abs() < 0.01);
    for correlation in BOTH {
        assert!(ic::per_series(&panel, correlation).mean.unwrap().abs() < 0.05);
    }
}

#[test]
fn a_constant_forecast_has_no_ic_and_is_counted() {
    let rows = || (0..100_i64).flat_map(|time| (0..12_u32).map(move |series| (series, time)));
    let series: Vec<u32> = rows().map(|(series, _)| series).collect();
    let time: Vec<i64> = rows().map(|(_, time)| time).collect();
    let realised: Vec<f64> =
        rows().map(|(series, time)| (f64::from(series) * 1.7 + time as f64).sin()).collect();
    // 0.1 has no exact mean: summing it leaves a residue that must not pass for variance.
    let panel = Panel::new(&series, &time, &vec![0.1; series.len()], &realised).unwrap();
    for correlation in BOTH {
        let over_time = ic::per_series(&panel, correlation);
        assert_eq!((over_time.mean, over_time.spread, over_time.undefined), (None, None, 12));
        let across = ic::cross_section(&panel, correlation);
        assert_eq!((across.mean, across.icir, across.hit_rate), (None, None, None));
        assert_eq!((across.periods, across.undefined), (0, 100));
        assert_eq!(across.newey_west_t(1), None);
        let blocks = MovingBlocks::new(1, 0);
        assert_eq!(across.interval(&blocks), Err(NoInterval::Undefined));
        assert_eq!(ic::per_series_interval(&panel, correlation, &blocks), Err(NoInterval::Undefined));
    }
    assert_eq!(ic::pooled_corr(&panel), None);
}

#[test]
fn a_last_bit_that_flickers_is_no_signal() {
    let realised: Vec<f64> = (0..100).map(|row| f64::from(row % 2)).collect();
    let forecast: Vec<f64> = realised.iter().map(|value| 0.1 + value * f64::EPSILON * 0.1).collect();
    assert_ne!(forecast[0], forecast[1]);
    assert_eq!(pearson(Pairs::new(&forecast, &realised).unwrap()), None);
    let small: Vec<f64> = realised.iter().map(|value| 1e-9 * value).collect();
    assert!((pearson(Pairs::new(&small, &realised).unwrap()).unwrap() - 1.0).abs() < 1e-12);
}

#[test]
fn one_series_without_an_ic_leaves_the_others_alone() {
    let series = [0, 0, 0, 1, 1, 1, 2];
    let time = [0, 1, 2, 0, 1, 2, 0];
    let forecast = [1.0, 2.0, 3.0, 5.0, 5.0, 5.0, 1.0];
    let realised = [1.0, 2.0, 3.0, 1.0, 2.0, 3.0, 1.0];
    let panel = Panel::new(&series, &time, &forecast, &realised).unwrap();
    let score = ic::per_series(&panel, Correlation::Pearson);
    assert_eq!((score.undefined, score.spread), (2, None));
    assert!((score.mean.unwrap() - 1.0).abs() < 1e-12);
    assert_eq!(
        score.by_series.iter().map(|(id, ic)| (*id, ic.is_some())).collect::<Vec<_>>(),
        [(0, true), (1, false), (2, false)]
    );
}

#[test]
fn nine_series_are_no_cross_section_and_ten_are() {
    for (series_count, periods) in [(9, 0), (10, 1)] {
        let series: Vec<u32> = (0..series_count).collect();
        let column: Vec<f64> = series.iter().map(|&id| f64::from(id)).collect();
        let panel = Panel::new(&series, &vec![5; series.len()], &column, &column).unwrap();
        assert_eq!(ic::cross_section(&panel, Correlation::Rank).periods, periods);
    }
}

#[test]
fn no_rows_have_no_scores() {
    let none = Pairs::new(&[], &[]).unwrap();
    assert_eq!([pearson(none), spearman(none), pesaran_timmermann(none)], [None; 3]);
    assert_eq!([regression::mae(none), regression::rmse(none), regression::huber(none, 1.0)], [None; 3]);
    assert_eq!([regression::r2_zero(none), regression::r2_mean(none, 0.1)], [None; 2]);
    assert_eq!(Direction::of(none).accuracy(), None);
    assert_eq!(newey_west::t_value(&[], 3), None);
    let variances = Variances::new(&[], &[]).unwrap();
    assert_eq!([qlike(variances), r2_log(variances, 0.0), bias_ratio(variances)], [None; 3]);
    let confusion = Confusion::new(3, &[], &[]).unwrap();
    assert_eq!([confusion.accuracy(), confusion.macro_f1(), confusion.mcc()], [None; 3]);
    assert_eq!([confusion.actual_shares(), confusion.predicted_shares()], [None, None]);
    let probabilities = Probabilities::new(3, &[], &[]).unwrap();
    assert_eq!(calibration::brier(&probabilities), None);
    assert_eq!(calibration::negative_log_likelihood(&probabilities), None);
    assert_eq!(calibration::expected_calibration_error(&probabilities), None);
    let panel = Panel::new(&[], &[], &[], &[]).unwrap();
    assert_eq!(ic::per_series(&panel, Correlation::Rank).mean, None);
    let no_interval = ic::per_series_interval(&panel, Correlation::Pearson, &MovingBlocks::new(0, 0));
    assert_eq!(no_interval, Err(NoInterval::Undefined));
    let quality = feature_quality(&[], 4).unwrap();
    assert_eq!((quality.dead_share, quality.effective_rank), (None, None));
}

#[test]
fn a_constant_class_has_no_mcc_however_accurate() {
    let confusion = Confusion::new(2, &[0, 0, 0, 0], &[0, 0, 0, 1]).unwrap();
    assert_eq!((confusion.accuracy(), confusion.mcc()), (Some(0.75), None));
    assert_eq!(confusion.by_class()[1].precision, None);
    assert_eq!(confusion.by_class()[1].recall, Some(0.0));
    assert_eq!(confusion.actual_shares(), Some(vec![0.75, 0.25]));
    assert_eq!(confusion.predicted_shares(), Some(vec![1.0, 0.0]));
}

#[test]
fn a_confusion_is_rebuilt_from_its_sums_over_time() {
    let (predicted, actual) = ([0, 1, 1, 2, 0], [0, 1, 2, 2, 1]);
    let confusion = Confusion::new(3, &predicted, &actual).unwrap();
    let counts: Vec<f64> = (0..9).map(|cell| confusion.count(cell / 3, cell % 3)).collect();
    assert_eq!(Confusion::from_counts(3, &counts).unwrap(), confusion);
    assert_eq!(confusion.rows(), 5.0);
}

#[test]
fn silence_and_stillness_are_left_out_of_direction_and_counted() {
    let pairs = Pairs::new(&[1.0, -1.0, 0.0, -0.0, 1.0, 1.0], &[2.0, 2.0, 2.0, -2.0, 0.0, -3.0]).unwrap();
    let direction = Direction::of(pairs);
    assert_eq!(direction, Direction { rows: 6, moved: 5, called: 3, hits: 1 });
    assert_eq!(direction.called_share(), Some(0.5));
    assert_eq!(direction.moved_share(), Some(5.0 / 6.0));
    let zero = Pairs::new(&[0.0; 3], &[1.0, -1.0, 1.0]).unwrap();
    assert_eq!(Direction::of(zero).accuracy(), None);
}

#[test]
fn a_constant_sign_has_no_skill_to_test() {
    let outcomes: Vec<f64> = (0..200).map(|row| if row % 10 == 0 { -1.0 } else { 1.0 }).collect();
    let always_up = Pairs::new(&[1.0; 200], &outcomes).unwrap();
    assert_eq!(Direction::of(always_up).accuracy(), Some(0.9));
    assert_eq!(pesaran_timmermann(always_up), None);
    let right = Pairs::new(&outcomes, &outcomes).unwrap();
    assert!(pesaran_timmermann(right).unwrap() > 10.0);
}

#[test]
fn worse_than_naive_is_negative_and_shown() {
    let pairs = Pairs::new(&[1.0, 1.0], &[-1.0, -1.0]).unwrap();
    assert_eq!(regression::r2_zero(pairs), Some(-3.0));
    assert_eq!(regression::r2_mean(pairs, 0.0), Some(-3.0));
    assert_eq!(regression::r2_mean(pairs, -1.0), None, "nothing is left to explain");
}

#[test]
fn qlike_is_least_at_the_truth_and_punishes_too_little_more() {
    let loss = |forecast: f64| qlike(Variances::new(&[forecast], &[2.0]).unwrap()).unwrap();
    assert_eq!(loss(2.0), 0.0);
    assert!(loss(1.0) > loss(4.0) && loss(4.0) > 0.0);
    assert!((from_log(0.3, 0.5).ln() - 0.55).abs() < 1e-15);
}

/// The hand check of López de Prado's chapter 4: steps × labels 110, 110, 010, 011.
#[test]
fn uniqueness_of_three_labels_by_hand() {
    let spans = [0..2, 0..4, 3..4];
    assert_eq!(uniqueness::concurrency(&spans, 4), Ok(vec![2, 2, 1, 2]));
    assert_eq!(uniqueness::mean_uniqueness(&spans, 4), Ok(vec![0.5, 0.625, 0.5]));
}

#[test]
fn equal_directions_have_full_rank_and_copies_have_one() {
    // Two orthogonal ±1 columns, then the same column three times.
    let square: Vec<f32> = [[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]].concat();
    let quality = feature_quality(&square, 2).unwrap();
    assert_eq!((quality.variance, quality.dead_share), (vec![1.0, 1.0], Some(0.0)));
    assert!((quality.effective_rank.unwrap() - 2.0).abs() < 1e-12);
    let copies: Vec<f32> = [1.0, 4.0, -2.0, 0.5].iter().flat_map(|&value| [value; 3]).collect();
    assert!((feature_quality(&copies, 3).unwrap().effective_rank.unwrap() - 1.0).abs() < 1e-6);
    let dead = feature_quality(&[0.3; 12], 3).unwrap();
    assert_eq!((dead.dead_share, dead.effective_rank), (Some(1.0), None));
}
