//! A picture of a run.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::symbols::Marker;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Axis, Block, Chart, Dataset, Gauge, GraphType, Paragraph};

use crate::board::{Board, Curve};
use crate::progress::duration;
use crate::report::number::{UNDEFINED, compact, count, fixed};

/// Below this, curves and tables are left out.
const SMALL: (u16, u16) = (64, 20);
const LOG_LINES: u16 = 8;
const FIGURES: u16 = 44;
const KEYS: &str = " c checkpoint now   s stop after this epoch   q leave this view   Ctrl-C interrupt";

/// Draws `board`.
pub(super) fn draw(frame: &mut Frame<'_>, board: &Board, colours: bool) {
    let area = frame.area();
    let paint = Paint { colours };
    let is_small = area.width < SMALL.0 || area.height < SMALL.1;
    let middle = if is_small { Constraint::Length(0) } else { Constraint::Min(8) };
    let log = if is_small { Constraint::Min(1) } else { Constraint::Length(LOG_LINES + 2) };
    let [head, gauge, middle, log, keys] =
        Layout::vertical([Constraint::Length(1), Constraint::Length(1), middle, log, Constraint::Length(1)])
            .areas(area);
    frame.render_widget(headline(board), head);
    frame.render_widget(progress(board, paint), gauge);
    if !is_small {
        let [curves, figures] =
            Layout::horizontal([Constraint::Min(20), Constraint::Length(FIGURES)]).areas(middle);
        draw_curves(frame, board, paint, curves);
        frame.render_widget(figures_table(board, paint), figures);
    }
    draw_log(frame, board, log, !is_small);
    frame.render_widget(Paragraph::new(KEYS).style(Style::new().add_modifier(Modifier::DIM)), keys);
}

#[derive(Clone, Copy)]
struct Paint {
    colours: bool,
}

impl Paint {
    fn with(self, colour: Color) -> Style {
        if self.colours { Style::new().fg(colour) } else { Style::new() }
    }
}

fn headline(board: &Board) -> Paragraph<'_> {
    let left = match board.rate.left(&board.plan) {
        _ if board.has_ended => " · done".into(),
        Some(left) => format!(" · {} left", duration(left)),
        None => String::new(),
    };
    let words = format!(
        " · epoch {}/{} · step {}/{} · {}{left}",
        board.epoch,
        board.plan.num_epochs,
        count(board.step),
        count(board.plan.steps),
        duration(board.elapsed)
    );
    let name = Span::styled(format!(" {}", board.name), Style::new().add_modifier(Modifier::BOLD));
    Paragraph::new(Line::from(vec![name, Span::raw(words)]))
}

fn progress(board: &Board, paint: Paint) -> Gauge<'_> {
    let share = board.step as f64 / board.plan.steps.max(1) as f64;
    let share = share.clamp(0.0, 1.0);
    Gauge::default()
        .gauge_style(paint.with(Color::Cyan))
        .ratio(share)
        .label(format!("{:.0} %", 100.0 * share))
}

fn draw_curves(frame: &mut Frame<'_>, board: &Board, paint: Paint, area: Rect) {
    let (train, validation) = (board.train_loss.points(), board.validation_loss.points());
    let all = || train.iter().chain(validation);
    let curve = |name: &str, curve: &Curve| {
        curve.last().map_or_else(String::new, |loss| format!("· {name} {} ", fixed(loss, 4)))
    };
    let (of_train, of_validation) =
        (curve("train", &board.train_loss), curve("validation", &board.validation_loss));
    let title = Line::from(vec![
        Span::raw(" loss "),
        Span::styled(of_train, paint.with(Color::Cyan)),
        Span::styled(of_validation, paint.with(Color::Yellow)),
    ]);
    let block = Block::bordered().title(title);
    if all().count() < 2 {
        frame.render_widget(Paragraph::new(" the first steps are on their way").block(block), area);
        return;
    }
    let (low, high) =
        all().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), (_, y)| (low.min(*y), high.max(*y)));
    // A flat curve lies in the middle.
    let margin = if high > low { 0.05 * (high - low) } else { high.abs().max(1.0) * 0.05 };
    let last = all().map(|(x, _)| *x).fold(1.0, f64::max);
    let datasets = vec![
        Dataset::default()
            .marker(Marker::Braille)
            .graph_type(GraphType::Line)
            .style(paint.with(Color::Cyan))
            .data(train),
        Dataset::default()
            .marker(Marker::Dot)
            .graph_type(GraphType::Line)
            .style(paint.with(Color::Yellow))
            .data(validation),
    ];
    let steps = ["0".into(), count((last / 2.0) as u64), count(last as u64)];
    let losses = [low - margin, f64::midpoint(low, high), high + margin].map(|loss| fixed(loss, 3));
    let chart = Chart::new(datasets)
        .block(block)
        .x_axis(Axis::default().title("step").bounds([0.0, last]).labels(steps))
        .y_axis(Axis::default().bounds([low - margin, high + margin]).labels(losses));
    frame.render_widget(chart, area);
}

/// What stands in the table: names, and what there is to say of them now.
fn figures(board: &Board) -> Vec<(String, String)> {
    let number = |value: Option<f64>| value.map_or_else(|| UNDEFINED.into(), compact);
    let mut rows =
        vec![("loss".to_owned(), board.loss.map_or_else(|| UNDEFINED.into(), |loss| fixed(loss, 4)))];
    for (task, loss) in &board.losses {
        rows.push((format!("  {task}"), fixed(*loss, 4)));
    }
    rows.push(("learning rate".into(), number(board.learning_rate)));
    rows.push(("gradient norm".into(), number(board.gradient_norm)));
    for (name, value) in &board.extra {
        rows.push((name.clone(), number(Some(*value))));
    }
    if let Some(steps) = board.rate.steps_per_second() {
        let samples = steps * board.plan.samples_per_step();
        rows.push(("throughput".into(), format!("{} samples/s", count(samples as u64))));
    }
    if let Some(times) = board.times {
        rows.push(("stalled".into(), format!("{:.1} %", times.stall_share() * 100.0)));
    }
    let system = |name: &str| board.system.get(&format!("system/{name}")).copied();
    if let Some(cpu) = system("cpu_utilization_percentage") {
        rows.push(("CPU".into(), format!("{cpu:.0} %")));
    }
    if let Some(memory) = system("process_memory_megabytes") {
        rows.push(("memory".into(), format!("{memory:.0} MB")));
    }
    if let Some(gpu) = system("gpu_0_utilization_percentage") {
        let memory = system("gpu_0_memory_usage_megabytes").unwrap_or(f64::NAN);
        rows.push(("GPU".into(), format!("{gpu:.0} %, {memory:.0} MB")));
    }
    for (name, value) in board.metrics.iter().filter(|(name, _)| name.starts_with("validation/")) {
        let short = name.replacen("validation/loss", "validation loss", 1);
        let short = short.trim_start_matches("validation/").replace("price_prediction", "price");
        let short =
            short.replace("volatility_estimation", "volatility").replace("regime_detection", "regime");
        rows.push((short, number(*value)));
    }
    rows
}

fn figures_table(board: &Board, paint: Paint) -> Paragraph<'static> {
    let width = usize::from(FIGURES) - 2;
    let line = |(name, value): (String, String)| {
        let room = width.saturating_sub(value.chars().count() + 1);
        let name = fitted(&name, room);
        Line::from(vec![Span::raw(format!("{name:<room$} ")), Span::styled(value, paint.with(Color::Green))])
    };
    let lines: Vec<Line<'_>> = figures(board).into_iter().map(line).collect();
    Paragraph::new(lines).block(Block::bordered().title(" now "))
}

/// `name` in `room` characters. What is left out is its beginning: long names differ at their ends.
pub(super) fn fitted(name: &str, room: usize) -> String {
    let length = name.chars().count();
    if length <= room {
        return name.to_owned();
    }
    let kept = name.chars().skip(length + 1 - room.max(1));
    std::iter::once('…').chain(kept).take(room).collect()
}

fn draw_log(frame: &mut Frame<'_>, board: &Board, area: Rect, framed: bool) {
    let height = usize::from(if framed { area.height.saturating_sub(2) } else { area.height });
    let newest = board.log.iter().skip(board.log.len().saturating_sub(height));
    let lines: Vec<Line<'_>> = newest.map(|line| Line::raw(format!(" {line}"))).collect();
    let text = Paragraph::new(lines);
    frame.render_widget(if framed { text.block(Block::bordered().title(" log ")) } else { text }, area);
}
