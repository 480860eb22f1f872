use super::*;

#[test]
fn a_picture_shows_every_symbol_alike() {
    // Rows are in the order of (time, symbol): the symbol of a row is its number modulo how many there are.
    for (symbols, rows) in [(4, 88_000), (2, 4_000), (4, 8_000), (3, 6_000), (8, 16_000), (4, 6_001)] {
        let shown = spread(rows, MOST_PAIRS);
        assert!(shown.len() <= MOST_PAIRS && shown.len() > MOST_PAIRS * 3 / 4, "{rows}: {}", shown.len());
        assert!(shown.is_sorted_by(|a, b| a < b) && shown.last().is_some_and(|row| *row < rows));
        for symbol in 0..symbols {
            let share = shown.iter().filter(|row| *row % symbols == symbol).count() * symbols;
            assert!((share as f64 / shown.len() as f64 - 1.0).abs() < 0.15, "{rows}, {symbol}: {share}");
        }
    }
    assert_eq!(spread(3, MOST_PAIRS), [0, 1, 2]);
}

/// One row at each of these times, each with its own label's end.
fn rows(times: &[i64], end: &[i64]) -> Rows {
    Rows {
        end: end.to_vec(),
        samples: (0..times.len() as u32).collect(),
        series: vec![0; times.len()],
        time: times.to_vec(),
        forecast: vec![0.0; times.len()],
        realised: vec![0.0; times.len()],
    }
}

#[test]
fn labels_overlap_over_the_times_of_all_symbols() {
    // Two symbols that decide in turns: a label of one step reaches over a decision of the other and its own next one.
    let times = [0, 5, 10, 15, 20, 20, 25, 30];
    assert_eq!(rows(&times, &times.map(|time| time + 10)).overlap(), 2);
    // Where bars are missing a label reaches further: that counts once it is more than one in twenty.
    let steps: Vec<i64> = (0..100).collect();
    for (longer, expected) in [(0, 1), (5, 1), (6, 30)] {
        let reach = |&step: &i64| step + if step < longer { 30 } else { 1 };
        assert_eq!(rows(&steps, &steps.iter().map(reach).collect::<Vec<_>>()).overlap(), expected);
    }
    // A label that ends before the next decision still spans one.
    assert_eq!(rows(&times, &times).overlap(), 1);
}

#[test]
fn a_day_holds_as_many_times_as_its_busiest_24_hours() {
    let hour = Timeframe::DAY.nanos() / 24;
    let hourly: Vec<i64> = (0..100).map(|step| step * hour).collect();
    assert_eq!(rows(&hourly, &hourly).times_per_day(), 24);
    let session: Vec<i64> = hourly.into_iter().filter(|time| (9..17).contains(&(time / hour % 24))).collect();
    assert_eq!(rows(&session, &session).times_per_day(), 8);
}
