//! A figure with two axes, as inline SVG. Colours come from the page's style, so figures follow its light and dark.

use std::fmt::Write as _;

use super::html::{Html, classed, tag, tag_with};
use super::scale::Scale;

/// Units of the drawing; the page scales it.
const WIDTH: f64 = 480.0;
const HEIGHT: f64 = 290.0;
const LEFT: f64 = 68.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 42.0;
const INNER_WIDTH: f64 = WIDTH - LEFT - RIGHT;
const INNER_HEIGHT: f64 = HEIGHT - TOP - BOTTOM;

/// A point in the units of the axes.
pub(super) type Point = (f64, f64);

/// One of the page's line and mark colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ink {
    First,
    Second,
    Third,
    Fourth,
    Faint,
}

impl Ink {
    /// Colours for several series, in the order of their use.
    pub(super) const SERIES: [Self; 4] = [Self::First, Self::Second, Self::Third, Self::Fourth];

    const fn class(self) -> &'static str {
        match self {
            Self::First => "ink1",
            Self::Second => "ink2",
            Self::Third => "ink3",
            Self::Fourth => "ink4",
            Self::Faint => "ink0",
        }
    }
}

/// A figure that is being drawn.
pub(super) struct Plot {
    x: Scale,
    y: Scale,
    x_label: &'static str,
    y_label: String,
    marks: Html,
    legend: Vec<(&'static str, String)>,
}

impl Plot {
    pub(super) fn new(x: Scale, x_label: &'static str, y: Scale, y_label: impl Into<String>) -> Self {
        Self { x, y, x_label, y_label: y_label.into(), marks: Html::default(), legend: Vec::new() }
    }

    /// Names what is drawn in `ink`.
    pub(super) fn name(&mut self, ink: Ink, name: impl Into<String>) {
        self.legend.push((ink.class(), name.into()));
    }

    /// A line through `points`, broken where one is not finite.
    pub(super) fn line(&mut self, points: &[Point], ink: Ink) {
        let mut path = String::new();
        let mut pen = 'M';
        for point in points {
            if let Some((x, y)) = self.place(*point) {
                let _ = write!(path, "{pen}{x:.1} {y:.1}"); // writing to a String cannot fail
                pen = 'L';
            } else {
                pen = 'M';
            }
        }
        self.path(&path, &format!("line {}", ink.class()));
    }

    /// The band between the `low` and the `high` of each `(x, low, high)`.
    pub(super) fn band(&mut self, bounds: &[(f64, f64, f64)], ink: Ink) {
        let upper = bounds.iter().filter_map(|(x, _, high)| self.place((*x, *high)));
        let lower = bounds.iter().rev().filter_map(|(x, low, _)| self.place((*x, *low)));
        let mut path = String::new();
        for (x, y) in upper.chain(lower) {
            let _ = write!(path, "{}{x:.1} {y:.1}", if path.is_empty() { 'M' } else { 'L' }); // cannot fail
        }
        self.path(&path, &format!("band {}", ink.class()));
    }

    /// Many small dots.
    pub(super) fn cloud(&mut self, points: &[Point], ink: Ink) {
        self.path(&self.spots(points), &format!("cloud {}", ink.class()));
    }

    /// Dots that are few enough to be told apart.
    pub(super) fn scatter(&mut self, points: &[Point], ink: Ink) {
        self.path(&self.spots(points), &format!("scatter {}", ink.class()));
    }

    /// A few dots that stand out.
    pub(super) fn dots(&mut self, points: &[Point], ink: Ink) {
        self.path(&self.spots(points), &format!("dots {}", ink.class()));
    }

    /// A dashed line at the value `y`.
    pub(super) fn level(&mut self, y: f64) {
        self.segment((self.x.low(), y), (self.x.high(), y), "guide");
    }

    /// A dashed line at the value `x`.
    pub(super) fn upright(&mut self, x: f64) {
        self.segment((x, self.y.low()), (x, self.y.high()), "guide");
    }

    /// The line on which both values are the same, named.
    pub(super) fn diagonal(&mut self, name: &str) {
        self.legend.push(("dashed ink2", name.into()));
        let low = self.x.low().max(self.y.low());
        let high = self.x.high().min(self.y.high());
        if low < high {
            self.segment((low, low), (high, high), "diagonal");
        }
    }

    /// The figure, with `caption` under it.
    pub(super) fn into_figure(mut self, caption: impl Into<Html>) -> Html {
        let legend = legend(&std::mem::take(&mut self.legend));
        let drawing = self.into_drawing(&[], Html::default());
        tag("figure", [legend, drawing, tag("figcaption", caption)])
    }

    /// The drawing as a file of its own, without a legend.
    pub(super) fn into_file(self, style: &'static str) -> String {
        let space = [("xmlns", "http://www.w3.org/2000/svg")];
        let mut file = self.into_drawing(&space, Html::trusted("style", style)).into_string();
        file.push('\n');
        file
    }

    fn into_drawing(self, attributes: &[(&'static str, &str)], style: Html) -> Html {
        let view = format!("0 0 {WIDTH} {HEIGHT}");
        let label = format!("{} by {}", self.y_label, self.x_label);
        let frame = self.axes();
        // A nested drawing clips what lies outside the axes.
        let inside = tag_with(
            "svg",
            &[
                ("x", &LEFT.to_string()),
                ("y", &TOP.to_string()),
                ("width", &INNER_WIDTH.to_string()),
                ("height", &INNER_HEIGHT.to_string()),
            ],
            self.marks,
        );
        let own = [("viewBox", view.as_str()), ("role", "img"), ("aria-label", &label)];
        let attributes: Vec<(&'static str, &str)> = attributes.iter().chain(&own).copied().collect();
        tag_with("svg", &attributes, [style, frame, inside])
    }

    /// Inside the axes, from the top left. `None` for what is not finite.
    fn place(&self, (x, y): Point) -> Option<Point> {
        let (x, y) = (self.x.fraction(x), self.y.fraction(y));
        // Far outside is as good as infinitely far, and keeps the numbers short.
        let near = |fraction: f64| fraction.clamp(-5.0, 6.0);
        (x.is_finite() && y.is_finite()).then(|| (near(x) * INNER_WIDTH, (1.0 - near(y)) * INNER_HEIGHT))
    }

    fn spots(&self, points: &[Point]) -> String {
        let mut path = String::new();
        for (x, y) in points.iter().filter_map(|point| self.place(*point)) {
            let _ = write!(path, "M{x:.1} {y:.1}h0"); // writing to a String cannot fail
        }
        path
    }

    fn path(&mut self, path: &str, class: &str) {
        if !path.is_empty() {
            self.marks.push(tag_with("path", &[("class", class), ("d", path)], Html::default()));
        }
    }

    fn segment(&mut self, from: Point, to: Point, class: &str) {
        if let (Some((x1, y1)), Some((x2, y2))) = (self.place(from), self.place(to)) {
            self.path(&format!("M{x1:.1} {y1:.1}L{x2:.1} {y2:.1}"), class);
        }
    }

    fn axes(&self) -> Html {
        let mut frame = Html::default();
        for tick in self.y.ticks(5) {
            let y = TOP + (1.0 - self.y.fraction(tick.value)) * INNER_HEIGHT;
            frame.push(rule((LEFT, y), (WIDTH - RIGHT, y), "grid"));
            frame.push(label(LEFT - 7.0, y + 4.0, "end", &tick.label));
        }
        for tick in self.x.ticks(6) {
            let x = LEFT + self.x.fraction(tick.value) * INNER_WIDTH;
            let foot = TOP + INNER_HEIGHT;
            frame.push(rule((x, foot), (x, foot + 4.0), "axis"));
            frame.push(label(x, foot + 17.0, "middle", &tick.label));
        }
        frame.push(rule((LEFT, TOP + INNER_HEIGHT), (WIDTH - RIGHT, TOP + INNER_HEIGHT), "axis"));
        frame.push(label(LEFT + INNER_WIDTH / 2.0, HEIGHT - 6.0, "middle", self.x_label));
        let middle = TOP + INNER_HEIGHT / 2.0;
        frame.push(tag_with(
            "text",
            &[("text-anchor", "middle"), ("transform", &format!("translate(12 {middle:.1}) rotate(-90)"))],
            self.y_label.as_str(),
        ));
        frame
    }
}

/// A line from one place of a drawing to another.
pub(super) fn rule((x1, y1): Point, (x2, y2): Point, class: &str) -> Html {
    let path = format!("M{x1:.1} {y1:.1}L{x2:.1} {y2:.1}");
    tag_with("path", &[("class", class), ("d", &path)], Html::default())
}

/// Words at a place of a drawing.
pub(super) fn label(x: f64, y: f64, anchor: &str, words: &str) -> Html {
    let (x, y) = (format!("{x:.1}"), format!("{y:.1}"));
    tag_with("text", &[("x", &x), ("y", &y), ("text-anchor", anchor)], words)
}

fn legend(names: &[(&'static str, String)]) -> Html {
    let keys = names.iter().map(|(class, name)| {
        let mark = classed("span", &format!("key {class}"), "");
        tag("span", [mark, Html::text(name)])
    });
    classed("div", "legend", keys.collect::<Html>())
}
