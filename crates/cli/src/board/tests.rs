//! What a board knows.

use super::*;

#[test]
fn a_curve_of_any_length_keeps_its_shape_and_stays_short() {
    let mut curve = Curve::default();
    for step in 0..100_000 {
        curve.add(f64::from(step), 2.0 * f64::from(step));
        curve.add(f64::from(step), f64::NAN);
    }
    let points = curve.points();
    assert!((100..=512).contains(&points.len()), "{} points", points.len());
    assert!(points.is_sorted_by(|a, b| a.0 < b.0));
    assert!(points.iter().all(|(x, y)| (y - 2.0 * x).abs() < 1e-6));
}

#[test]
fn the_log_keeps_its_newest_lines() {
    let plan = Plan { steps_per_epoch: 1, num_epochs: 1, steps: 1, train_samples: 1 };
    let mut board = Board::new("run".into(), plan);
    for line in 0..1_000 {
        board.note(line.to_string());
    }
    assert_eq!((board.log.len(), board.log.back().map(String::as_str)), (LINES, Some("999")));
}
