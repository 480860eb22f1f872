//! The table against a golden file, and its promises.

use tapeline_trainer::Estimate;

use super::*;
use crate::report::sample;

#[test]
fn the_table_is_as_it_was() {
    assert_eq!(render(&sample::scorecard("test")), include_str!("golden.txt"));
}

#[test]
fn it_fits_the_width_and_has_no_escapes() {
    let mut scorecard = sample::scorecard("validation");
    for score in &mut scorecard.price {
        score.task = "a_task_with_quite_a_long_name_that_somebody_thought_of".into();
        score.baselines[3].name = "a_naive_forecast_with_a_long_name".into();
    }
    let text = render(&scorecard);
    assert!(text.lines().all(|line| line.chars().count() <= usize::from(WIDTH)), "{text}");
    assert!(!text.contains('\u{1b}'));
}

#[test]
fn what_is_undefined_is_not_a_zero() {
    let mut scorecard = sample::scorecard("test");
    scorecard.price.truncate(1);
    scorecard.volatility.clear();
    scorecard.regime.clear();
    scorecard.price[0].ic_series = Estimate::default();
    let text = render(&scorecard);
    assert!(text.contains("undefined") && text.contains("no interval"), "{text}");
    assert_eq!(text.matches("undefined").count(), 2, "the score and its share of the best possible: {text}");
}

#[test]
fn a_score_over_symbols_is_shown_where_there_is_one() {
    let mut scorecard = sample::scorecard("test");
    assert!(!render(&scorecard).contains("cross rank IC"));
    scorecard.price[0].rank_ic_cross = Estimate { value: Some(0.0312), low: Some(0.01), high: Some(0.05) };
    let text = render(&scorecard);
    let row = text.lines().find(|line| line.contains("cross rank IC")).unwrap();
    assert!(row.contains("+0.031") && row.contains("+0.010 to +0.050"), "{text}");
}
