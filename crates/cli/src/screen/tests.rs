//! Pictures of a run, as a terminal would show them. `UPDATE_EXPECT=1` rewrites them.

use std::path::Path;
use std::time::Duration;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use tapeline_events::{Event, StepTimes};

use super::draw::{draw, fitted};
use crate::board::Board;
use crate::progress::Plan;

fn board() -> Board {
    let plan = Plan { steps_per_epoch: 50, num_epochs: 4, steps: 200, train_samples: 1_600 };
    let mut board = Board::new("hybrid/20260131-120000".into(), plan);
    board.hear(&Event::EpochStarted { epoch: 1, step: 0 }, Duration::ZERO);
    for step in 1..=120 {
        let loss = 1.0 / f64::from(step as u32).sqrt();
        let losses = [("price_prediction", loss), ("regime_detection", loss / 2.0)];
        let losses = losses.map(|(task, loss)| (task.to_owned(), loss)).into();
        let epoch = (step - 1) / 50 + 1;
        let event = Event::Step {
            step,
            epoch,
            learning_rate: 1e-3,
            gradient_norm: 0.75,
            loss,
            losses,
            loss_scale: Some(65536.0),
            skipped: false,
        };
        board.hear(&event, Duration::from_millis(500 * step));
        if step % 50 == 0 {
            let metrics =
                [("validation/loss", Some(loss * 1.2)), ("validation/regime_detection/h12/mcc", None)];
            let metrics = metrics.map(|(name, value)| (name.to_owned(), value)).into();
            board.hear(&Event::EpochEnded { epoch, step, metrics }, Duration::from_millis(500 * step));
        }
    }
    let times = StepTimes { steps: 50, data: 0.2, forward: 5.0, backward: 9.0, update: 1.0, wait: 0.4 };
    board.hear(&Event::StepTimes { step: 120, epoch: 3, times }, Duration::from_secs(60));
    let figures = [("cpu_utilization_percentage", 93.4), ("process_memory_megabytes", 341.0)];
    let figures = figures.map(|(name, value)| (format!("system/{name}"), value)).into();
    board.hear(&Event::System { figures }, Duration::from_secs(60));
    board.hear(&Event::Warning { message: "the disk is nearly full".into() }, Duration::from_secs(61));
    board
}

fn picture(width: u16, height: u16, board: &Board) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(frame, board, false)).unwrap();
    let picture = terminal.backend().to_string();
    picture.lines().map(|line| line.trim_matches('"').trim_end().to_owned() + "\n").collect()
}

#[track_caller]
fn assert_golden(name: &str, found: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/screen").join(name);
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, found).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(found, expected, "{name} differs; UPDATE_EXPECT=1 rewrites it");
}

#[test]
fn a_wide_screen_shows_all() {
    assert_golden("wide.txt", &picture(120, 32, &board()));
}

#[test]
fn a_small_screen_shows_what_matters() {
    assert_golden("small.txt", &picture(60, 10, &board()));
}

#[test]
fn a_name_that_is_too_long_keeps_its_end() {
    let name = "volatility/h12/r2_log";
    let fits = [(30, name), (21, name), (20, "…latility/h12/r2_log"), (7, "…r2_log"), (1, "…"), (0, "")];
    for (room, expected) in fits {
        assert_eq!(fitted(name, room), expected, "{room}");
    }
}

#[test]
fn no_size_is_too_small_and_no_figure_too_odd() {
    let plan = Plan { steps_per_epoch: 0, num_epochs: 0, steps: 0, train_samples: 0 };
    let mut odd = Board::new("\u{1b}[31m".into(), plan);
    odd.hear(&Event::EpochStarted { epoch: 1, step: u64::MAX }, Duration::MAX);
    for loss in [f64::NAN, f64::INFINITY, 0.0, 0.0, -0.0] {
        let losses = [(String::new(), loss)].into();
        let event = Event::Step {
            step: 1,
            epoch: 1,
            learning_rate: loss,
            gradient_norm: loss,
            loss,
            losses,
            loss_scale: None,
            skipped: true,
        };
        odd.hear(&event, Duration::ZERO);
    }
    for board in [board(), odd] {
        for (width, height) in [(1, 1), (2, 40), (200, 2), (64, 20), (63, 19), (65, 21), (300, 100)] {
            picture(width, height, &board);
        }
    }
}
