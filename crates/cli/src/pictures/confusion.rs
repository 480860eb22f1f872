//! Which class was taken for which.

use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::prelude::*;
use tapeline_trainer::RegimeScore;

use super::canvas::{BLUE, Canvas, INK, SIDE, tint};
use crate::report::number::{count, percent};
use crate::report::skill::bars;

/// Above and left of the cells.
const MARGIN: i32 = 70;

/// A row for each true class, a column for each that was said; tint and figure are the share of the row.
pub(super) fn picture(score: &RegimeScore) -> Canvas {
    let mut canvas = Canvas::new();
    canvas.title(&format!("{}, {} ahead: true by said", score.task, bars(score.horizon)));
    let classes = score.classes.len().max(1);
    let cell = (SIDE as i32 - MARGIN - 10) / classes as i32;
    let middle = |place: usize| MARGIN + cell * place as i32 + cell / 2;
    for (row, class) in score.classes.iter().enumerate() {
        canvas.words(class, (middle(row), MARGIN - 12), INK);
        canvas.words_before(class, (MARGIN - 6, middle(row)), INK);
        let counts = score.confusion.get(row).map_or(&[][..], Vec::as_slice);
        let total: u64 = counts.iter().sum();
        for (column, said) in counts.iter().enumerate() {
            let share = if total > 0 { *said as f64 / total as f64 } else { 0.0 };
            let corner = (MARGIN + cell * column as i32, MARGIN + cell * row as i32);
            let size = cell as u32 - 2;
            canvas.block(corner, (size, size), tint(share, BLUE));
            let ink = if share > 0.6 { Rgb888::WHITE } else { INK };
            let at = (middle(column), middle(row));
            canvas.words(&percent(share), (at.0, at.1 - 8), ink);
            canvas.words(&count(*said), (at.0, at.1 + 8), ink);
        }
    }
    canvas
}
