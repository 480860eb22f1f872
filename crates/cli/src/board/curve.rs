//! A curve of bounded length: when it is full, neighbours become their mean.

/// Points at most; a terminal has fewer columns.
const POINTS: usize = 512;

/// Points of a curve, each the mean of as many values.
#[derive(Clone, Debug)]
pub(crate) struct Curve {
    points: Vec<(f64, f64)>,
    /// Values behind each point.
    share: usize,
    open: (f64, f64, usize),
}

impl Default for Curve {
    fn default() -> Self {
        Self { points: Vec::new(), share: 1, open: (0.0, 0.0, 0) }
    }
}

impl Curve {
    /// Adds a value, unless it is no number.
    pub(crate) fn add(&mut self, x: f64, y: f64) {
        if !y.is_finite() {
            return;
        }
        let (sum_x, sum_y, count) = &mut self.open;
        (*sum_x, *sum_y, *count) = (*sum_x + x, *sum_y + y, *count + 1);
        if *count == self.share {
            self.points.push((*sum_x / *count as f64, *sum_y / *count as f64));
            self.open = (0.0, 0.0, 0);
        }
        if self.points.len() == POINTS {
            let mean = |pair: &[(f64, f64)]| ((pair[0].0 + pair[1].0) / 2.0, (pair[0].1 + pair[1].1) / 2.0);
            self.points = self.points.chunks_exact(2).map(mean).collect();
            self.share *= 2;
        }
    }

    /// Its points, in the order in which they were added.
    pub(crate) fn points(&self) -> &[(f64, f64)] {
        &self.points
    }

    /// The last point.
    pub(crate) fn last(&self) -> Option<f64> {
        self.points.last().map(|(_, y)| *y)
    }
}
