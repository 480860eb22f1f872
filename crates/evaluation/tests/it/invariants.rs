//! What must hold for any rows.

use proptest::prelude::*;
use tapeline_evaluation::calibration::{Probabilities, brier, expected_calibration_error};
use tapeline_evaluation::classification::Confusion;
use tapeline_evaluation::{Correlation, MovingBlocks, Pairs, Panel, TimeSums, average_ranks, ic};
use tapeline_evaluation::{pearson, spearman, uniqueness};

/// Numbers with ties among them.
fn columns() -> impl Strategy<Value = (Vec<f64>, Vec<f64>)> {
    prop::collection::vec((-40..40_i32, -40..40_i32), 2..60).prop_map(|rows| {
        let column = |of: fn(&(i32, i32)) -> i32| rows.iter().map(|row| f64::from(of(row)) / 10.0).collect();
        (column(|row| row.0), column(|row| row.1))
    })
}

#[derive(Clone, Debug)]
struct Row {
    series: u32,
    time: i64,
    forecast: f64,
    realised: f64,
}

fn panel_of(rows: &[Row]) -> Panel {
    let series: Vec<u32> = rows.iter().map(|row| row.series).collect();
    let time: Vec<i64> = rows.iter().map(|row| row.time).collect();
    let forecast: Vec<f64> = rows.iter().map(|row| row.forecast).collect();
    let realised: Vec<f64> = rows.iter().map(|row| row.realised).collect();
    Panel::new(&series, &time, &forecast, &realised).unwrap()
}

/// Some of 12 series × 40 times, and the same rows in another order.
fn shuffled_rows() -> impl Strategy<Value = (Vec<Row>, Vec<Row>)> {
    let cells: Vec<(u32, i64)> =
        (0..12).flat_map(|series| (0..40).map(move |time| (series, 7 * time))).collect();
    let rows = prop::sample::subsequence(cells, 300..480).prop_flat_map(|cells| {
        prop::collection::vec((-1.0..1.0_f64, -1.0..1.0_f64), cells.len()).prop_map(move |values| {
            let row = |(&(series, time), (forecast, realised))| Row { series, time, forecast, realised };
            cells.iter().zip(values).map(row).collect::<Vec<Row>>()
        })
    });
    rows.prop_flat_map(|rows| (Just(rows.clone()), Just(rows).prop_shuffle()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn rank_ic_does_not_change_under_rising_maps((x, y) in columns()) {
        let before = spearman(Pairs::new(&x, &y).unwrap());
        let (mapped_x, mapped_y): (Vec<f64>, Vec<f64>) =
            (x.iter().map(|value| value.exp()).collect(), y.iter().map(|value| value.powi(3) - 5.0).collect());
        prop_assert_eq!(spearman(Pairs::new(&mapped_x, &mapped_y).unwrap()), before);
    }

    #[test]
    fn ranks_sum_to_those_without_ties((x, _) in columns()) {
        let rows = x.len() as f64;
        prop_assert_eq!(average_ranks(&x).iter().sum::<f64>(), rows * (rows + 1.0) / 2.0);
    }

    #[test]
    fn ic_is_bounded_symmetric_and_blind_to_scale((x, y) in columns(), scale in 1e-6..1e6_f64, shift in -9.0..9.0_f64) {
        let ic = pearson(Pairs::new(&x, &y).unwrap());
        prop_assert_eq!(ic, pearson(Pairs::new(&y, &x).unwrap()));
        let moved: Vec<f64> = x.iter().map(|value| scale * value).collect();
        let lifted: Vec<f64> = y.iter().map(|value| shift - value).collect();
        let after = pearson(Pairs::new(&moved, &lifted).unwrap());
        prop_assert_eq!(ic.is_some(), after.is_some());
        if let (Some(ic), Some(after)) = (ic, after) {
            prop_assert!(ic.abs() <= 1.0 && (ic + after).abs() < 1e-9, "{} {}", ic, after);
        }
    }

    #[test]
    fn the_order_of_rows_changes_no_bit((rows, shuffled) in shuffled_rows()) {
        let (panel, other) = (panel_of(&rows), panel_of(&shuffled));
        prop_assert_eq!(&panel, &other);
        for correlation in [Correlation::Pearson, Correlation::Rank] {
            let blocks = MovingBlocks::new(0, 3).with_resamples(50);
            prop_assert_eq!(ic::cross_section(&panel, correlation), ic::cross_section(&other, correlation));
            prop_assert_eq!(
                ic::per_series_interval(&panel, correlation, &blocks),
                ic::per_series_interval(&other, correlation, &blocks)
            );
        }
    }

    #[test]
    fn the_ids_of_series_and_the_unit_of_time_do_not_matter((rows, _) in shuffled_rows()) {
        let renamed: Vec<Row> =
            rows.iter().map(|row| Row { series: 500 + 3 * row.series, time: row.time * 300 - 9, ..*row }).collect();
        let blocks = MovingBlocks::new(1, 3).with_resamples(50);
        let interval = |rows: &[Row]| ic::per_series_interval(&panel_of(rows), Correlation::Pearson, &blocks);
        prop_assert_eq!(interval(&rows), interval(&renamed));
    }

    #[test]
    fn an_interval_of_a_mean_lies_within_its_values(values in prop::collection::vec(-1.0..1.0_f64, 60..200)) {
        let time: Vec<i64> = (0..values.len() as i64).collect();
        let sums = TimeSums::new(&time, 2, |row, sums| {
            sums[0] += values[row];
            sums[1] += 1.0;
        });
        let interval = MovingBlocks::new(1, 5).interval(&sums, |sums| Some(sums[0] / sums[1])).unwrap();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let (least, most) = values.iter().fold((1.0, -1.0), |(a, b), &v| (f64::min(a, v), f64::max(b, v)));
        prop_assert!(least - 1e-9 <= interval.low && interval.high <= most + 1e-9);
        prop_assert!(interval.covers(mean), "{:?} {}", interval, mean);
    }

    #[test]
    fn class_scores_do_not_depend_on_the_order_of_rows(
        (rows, shuffled) in prop::collection::vec((0..4_u32, 0..4_u32), 1..80)
            .prop_flat_map(|rows| (Just(rows.clone()), Just(rows).prop_shuffle()))
    ) {
        let table = |rows: &[(u32, u32)]| {
            let (predicted, actual): (Vec<u32>, Vec<u32>) = rows.iter().copied().unzip();
            Confusion::new(4, &predicted, &actual).unwrap()
        };
        let confusion = table(&rows);
        prop_assert_eq!(&confusion, &table(&shuffled));
        prop_assert!(confusion.mcc().is_none_or(|mcc| (-1.0 - 1e-12..=1.0 + 1e-12).contains(&mcc)));
        let swapped: Vec<(u32, u32)> = rows.iter().map(|&(predicted, actual)| (actual, predicted)).collect();
        prop_assert_eq!(confusion.mcc(), table(&swapped).mcc());
    }

    /// Probabilities in tenths, so that confidences tie.
    #[test]
    fn calibration_does_not_depend_on_the_order_of_rows(
        (rows, shuffled) in prop::collection::vec((0..=10_u8, 0..2_u32), 1..80)
            .prop_flat_map(|rows| (Just(rows.clone()), Just(rows).prop_shuffle()))
    ) {
        let scores = |rows: &[(u8, u32)]| {
            let chance = |&(tenths, _): &(u8, u32)| [f64::from(tenths) / 10.0, 1.0 - f64::from(tenths) / 10.0];
            let probabilities: Vec<f64> = rows.iter().flat_map(chance).collect();
            let actual: Vec<u32> = rows.iter().map(|row| row.1).collect();
            let probabilities = Probabilities::new(2, &probabilities, &actual).unwrap();
            (brier(&probabilities).unwrap(), expected_calibration_error(&probabilities).unwrap())
        };
        let (before, after) = (scores(&rows), scores(&shuffled));
        prop_assert!((before.0 - after.0).abs() < 1e-12 && (before.1 - after.1).abs() < 1e-12);
        prop_assert!((0.0..=1.0).contains(&before.1) && (0.0..=2.0).contains(&before.0));
    }

    #[test]
    fn uniqueness_shares_out_the_covered_steps(starts in prop::collection::vec((0..50_usize, 1..9_usize), 1..40)) {
        let spans: Vec<_> = starts.iter().map(|&(start, length)| start..start + length).collect();
        let concurrency = uniqueness::concurrency(&spans, 60).unwrap();
        let unique = uniqueness::mean_uniqueness(&spans, 60).unwrap();
        let covered = concurrency.iter().filter(|&&count| count > 0).count() as f64;
        let shared: f64 = spans.iter().zip(&unique).map(|(span, unique)| span.len() as f64 * unique).sum();
        prop_assert!((covered - shared).abs() < 1e-9);
        prop_assert!(unique.iter().all(|&unique| unique > 0.0 && unique <= 1.0 + 1e-12));
    }
}
