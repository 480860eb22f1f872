//! The figure of a sweep over learning rates, as a file of its own.

use tapeline_trainer::LrSweep;

use super::STYLE;
use super::plot::{Ink, Plot, Point};
use super::scale::Scale;

/// The loss by learning rate, with the suggested one marked; none without a step.
pub(crate) fn sweep_svg(sweep: &LrSweep) -> Option<String> {
    let smoothed: Vec<Point> = sweep.points.iter().map(|point| (point.rate, point.smoothed)).collect();
    let losses: Vec<Point> = sweep.points.iter().map(|point| (point.rate, point.loss)).collect();
    let x = Scale::wide_around(smoothed.iter().map(|(rate, _)| *rate))?;
    let y = Scale::around(smoothed.iter().map(|(_, loss)| *loss))?;
    let mut plot = Plot::new(x, "learning rate", y, "loss, smoothed");
    plot.cloud(&losses, Ink::Faint);
    plot.line(&smoothed, Ink::First);
    if let Some(rate) = sweep.suggestion() {
        plot.upright(rate);
    }
    Some(plot.into_file(STYLE))
}

#[cfg(test)]
mod tests {
    use tapeline_trainer::LrPoint;

    use super::*;

    #[test]
    fn the_file_is_a_drawing_with_its_style() {
        let point = |step: i32| {
            let rate = 1e-6 * 1.2f64.powi(step);
            let loss = 1.0 - 0.5 / (1.0 + (1e-3 / rate).powi(2)) + 4.0 * rate * rate;
            LrPoint { rate, loss, smoothed: loss }
        };
        let sweep = LrSweep { points: (0..80).map(point).collect(), diverged: false };
        let svg = sweep_svg(&sweep).unwrap();
        assert!(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\"") && svg.ends_with("</svg>\n"));
        for part in ["<style>", "class=\"line ink1\"", "class=\"guide\"", "learning rate"] {
            assert!(svg.contains(part), "{part} is not in it");
        }
        let styled = &svg[svg.find("<style>").unwrap() + 7..svg.find("</style>").unwrap()];
        assert!(!styled.contains(['<', '&']), "a drawing is XML");
        assert!(sweep_svg(&LrSweep { points: Vec::new(), diverged: true }).is_none());
    }
}
