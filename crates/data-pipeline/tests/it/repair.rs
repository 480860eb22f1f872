//! Each rule mends what it names, counts it, and touches nothing else.

use proptest::prelude::*;
use tapeline_data_pipeline::{Bars, RepairSpec, Span, audit, repair};

use crate::audit::good_at;

fn good() -> Bars {
    good_at("5m", 50)
}

fn mend(bars: Bars, rule: RepairSpec) -> (Bars, usize) {
    let (bars, counts) = repair(bars, &[rule]);
    assert_eq!((counts.len(), counts[0].rule), (1, rule));
    (bars, counts[0].rows)
}

const RULES: [RepairSpec; 4] = [
    RepairSpec::DropBadRows,
    RepairSpec::KeepLastDuplicate,
    RepairSpec::SortByTime,
    RepairSpec::ForwardFill { max_bars: 3 },
];

#[test]
fn good_bars_stay_as_they_are() {
    let (bars, counts) = repair(good(), &RULES);
    assert_eq!(bars, good());
    assert!(counts.iter().all(|count| count.rows == 0));
}

#[test]
fn bad_rows_are_dropped() {
    let mut bars = good();
    bars.open[3] = f64::NAN;
    bars.high[5] = bars.low[5] - 1.0;
    bars.low[7] = 0.0;
    bars.volume[9] = -1.0;
    let (mended, rows) = mend(bars, RepairSpec::DropBadRows);
    assert_eq!(rows, 4);
    assert_eq!(mended, good().take(&(0..50).filter(|row| ![3, 5, 7, 9].contains(row)).collect::<Vec<_>>()));
}

#[test]
fn the_last_of_duplicates_is_kept() {
    let mut bars = good();
    bars.open_time[8] = bars.open_time[7];
    bars.open_time[30] = bars.open_time[7];
    let (mended, rows) = mend(bars.clone(), RepairSpec::KeepLastDuplicate);
    assert_eq!(rows, 2);
    assert_eq!(mended, bars.take(&(0..50).filter(|row| ![7, 8].contains(row)).collect::<Vec<_>>()));
}

#[test]
fn rows_are_sorted() {
    let shuffled: Vec<usize> = (0..50).map(|row| row * 7 % 50).collect();
    let (mended, rows) = mend(good().take(&shuffled), RepairSpec::SortByTime);
    assert_eq!(mended, good());
    assert_eq!(rows, shuffled.iter().enumerate().filter(|&(place, &row)| place != row).count());
}

#[test]
fn the_first_bars_of_a_gap_are_filled_flat_and_the_others_are_not() {
    let keep: Vec<usize> = (0..50).filter(|row| ![10, 11, 20, 21, 22, 23].contains(row)).collect();
    let (mended, rows) = mend(good().take(&keep), RepairSpec::ForwardFill { max_bars: 3 });
    assert_eq!((rows, mended.len()), (5, 49));
    assert!(!mended.open_time.contains(&good().open_time[23]));
    for (row, before) in [(10, 9), (11, 9), (20, 19), (21, 19), (22, 19)] {
        let close = good().close[before];
        assert_eq!(mended.open_time[row], good().open_time[row]);
        assert_eq!(mended.available_at[row], good().available_at[row]);
        assert_eq!([mended.open[row], mended.high[row], mended.low[row], mended.close[row]], [close; 4]);
        assert_eq!(mended.volume[row], 0.0);
    }
    assert!(!audit(&[mended]).has_errors());
}

/// The bars that are over by the close of bar `row` of [`good`].
fn over_by(bars: &Bars, row: usize) -> Bars {
    let instant = good().close_time[row];
    let rows: Vec<usize> = (0..bars.len()).filter(|&bar| bars.close_time[bar] <= instant).collect();
    bars.take(&rows)
}

proptest! {
    #[test]
    fn deleting_what_comes_after_an_instant_changes_no_bar_before_it(
        present in prop::collection::vec(any::<bool>(), 49),
        instant in 0_usize..49,
        max_bars in 1_usize..5,
    ) {
        // The last bar stays, so that the gap before it has two sides in both.
        let stays = |row: usize| row == 49 || present[row];
        let all: Vec<usize> = (0..50).filter(|&row| stays(row)).collect();
        let past: Vec<usize> = all.iter().copied().filter(|&row| row == 49 || row <= instant).collect();
        let rule = RepairSpec::ForwardFill { max_bars };
        let (all, _) = mend(good().take(&all), rule);
        let (past, _) = mend(good().take(&past), rule);
        prop_assert_eq!(over_by(&all, instant), over_by(&past, instant));
    }

    #[test]
    fn a_gap_is_never_filled_further_than_asked(missing in 0_usize..40, max_bars in 1_usize..9) {
        let ends = good().take(&[0, missing + 1]);
        prop_assert_eq!(mend(ends, RepairSpec::ForwardFill { max_bars }).1, missing.min(max_bars));
    }
}

#[test]
fn a_filled_bar_ends_the_oracle_and_a_dropped_one_does_not() {
    let mut bars = good();
    bars.oracle = Some((0..50).map(f64::from).collect());
    let gap: Vec<usize> = (0..50).filter(|&row| row != 10).collect();
    let (filled, _) = mend(bars.take(&gap), RepairSpec::ForwardFill { max_bars: 1 });
    assert_eq!(filled.oracle, None);
    bars.close[4] = f64::NAN;
    let (dropped, _) = mend(bars, RepairSpec::DropBadRows);
    assert_eq!(dropped.oracle.unwrap()[4], 5.0);
}

#[test]
fn a_bar_off_the_grid_is_not_covered_by_a_filled_one() {
    let mut bars = good().take(&[0, 1, 4]);
    bars.open_time[2] = bars.open_time[2].plus(Span::from_nanos(1));
    let (mended, rows) = mend(bars.clone(), RepairSpec::ForwardFill { max_bars: 9 });
    assert_eq!((rows, mended.len()), (2, 5));
    assert!(mended.close_time[3] <= bars.open_time[2]);
}
