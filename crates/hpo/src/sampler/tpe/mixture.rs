//! A mixture of kernels, one for each trial of a side and one that stands for knowing nothing.
//!
//! Kernel i is the product over the axes of what trial i says there: a normal cut to the axis, or a share for each choice.
//! Formulas: Bergstra et al., "Algorithms for hyper-parameter optimization", 2011, and Watanabe, "Tree-structured Parzen
//! estimator: understanding its algorithm components and their roles for better empirical performance", 2023, with the widths
//! of Optuna 5.0.
//!
//! A trial that comes or goes changes the widths of its neighbours only, so everything that depends on a width is kept.

use std::collections::HashMap;

use super::axis::{Axis, NumberAxis};
use crate::TrialRandom;
use crate::sampler::normal::{LN_SQRT_TAU, cut_quantile, ln_mass};

/// So many of the latest trials count fully; older ones count less the older they are.
const LATEST: usize = 25;

/// With so many kernels or more, none gets narrower than one hundredth of its axis.
const NARROWEST: f64 = 100.0;

/// Kernels are taken in blocks that stay in the nearest memory.
const BLOCK: usize = 128;

/// A kernel whose share of a density is less than e^-45 of the largest adds nothing that a float could hold.
const NEGLIGIBLE: f64 = -45.0;

/// How much the trials of a mixture count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weighting {
    /// All alike.
    Equal,
    /// The latest fully, older ones less.
    LatestMost,
}

/// A mixture of kernels.
#[derive(Clone, Debug)]
pub(super) struct Mixture {
    columns: Vec<Column>,
    /// The numbers of the trials, ascending.
    numbers: Vec<u64>,
    /// For each trial, what all axes without a grid take off its log density wherever that is asked for.
    constants: Vec<f64>,
    weighting: Weighting,
}

/// What the kernels are on one axis.
#[derive(Clone, Debug)]
enum Column {
    Number(NumberColumn),
    Choice { count: usize, chosen: Vec<usize> },
}

/// Normals on one axis, one for each trial.
#[derive(Clone, Debug)]
struct NumberColumn {
    axis: NumberAxis,
    centres: Vec<f64>,
    widths: Vec<f64>,
    /// 1 / (width √2).
    scales: Vec<f64>,
    /// The log of the mass that lies within the axis; with the log of the width and ln √(2π) where there is no grid.
    logs: Vec<f64>,
    /// Centres and numbers of their trials, ascending.
    sorted: Vec<(f64, u64)>,
    prior: (f64, f64, f64),
}

impl NumberColumn {
    fn new(axis: NumberAxis) -> Self {
        let (centre, width) = (0.5 * (axis.low + axis.high), axis.range());
        Self {
            axis,
            centres: Vec::new(),
            widths: Vec::new(),
            scales: Vec::new(),
            logs: Vec::new(),
            sorted: Vec::new(),
            prior: (centre, width, log_constant(&axis, centre, width)),
        }
    }

    fn set_width(&mut self, slot: usize, width: f64) {
        if self.widths[slot] == width {
            return;
        }
        self.widths[slot] = width;
        self.scales[slot] = std::f64::consts::FRAC_1_SQRT_2 / width;
        self.logs[slot] = log_constant(&self.axis, self.centres[slot], width);
    }

    /// The width of the kernel that is the `place`th from the left: the larger of the gaps to its neighbours. The ends of the
    /// axis are neighbours only of a kernel that has no other.
    fn width_at(&self, place: usize) -> f64 {
        let count = self.sorted.len();
        let at = self.sorted[place].0;
        let left = if place == 0 { at - self.axis.low } else { at - self.sorted[place - 1].0 };
        let right = if place + 1 == count { self.axis.high - at } else { self.sorted[place + 1].0 - at };
        let gap = match place {
            _ if count == 1 => left.max(right),
            0 => right,
            _ if place + 1 == count => left,
            _ => left.max(right),
        };
        let range = self.axis.range();
        // One kernel more than trials: the prior.
        let narrowest = range / NARROWEST.min(2.0 + count as f64);
        gap.max(narrowest).min(range)
    }
}

/// Minus what a kernel's normalisation adds to its log density.
fn log_constant(axis: &NumberAxis, centre: f64, width: f64) -> f64 {
    let mass = ln_mass((axis.low - centre) / width, (axis.high - centre) / width);
    if axis.is_grid() { mass } else { mass + width.ln() + LN_SQRT_TAU }
}

impl Mixture {
    pub(super) fn new(axes: &[Axis], weighting: Weighting) -> Self {
        let columns = axes.iter().map(|axis| match axis {
            Axis::Number(axis) => Column::Number(NumberColumn::new(*axis)),
            Axis::Choice(count) => Column::Choice { count: *count, chosen: Vec::new() },
        });
        Self { columns: columns.collect(), numbers: Vec::new(), constants: Vec::new(), weighting }
    }

    /// How many trials are in it.
    pub(super) fn len(&self) -> usize {
        self.numbers.len()
    }

    /// Takes in trials, each with its places on the axes. None of them may be in it already.
    pub(super) fn insert(&mut self, mut rows: Vec<(u64, Vec<f64>)>) {
        if rows.is_empty() {
            return;
        }
        rows.sort_unstable_by_key(|(number, _)| *number);
        // Where many come at once, looking at each neighbour many times costs more than looking at all of them once.
        let at_once = rows.len() > 8 && rows.len() * 4 > self.len();
        for (number, places) in rows {
            let Err(slot) = self.numbers.binary_search(&number) else { continue };
            self.numbers.insert(slot, number);
            self.constants.insert(slot, 0.0);
            for (column, place) in self.columns.iter_mut().zip(places) {
                match column {
                    Column::Choice { chosen, .. } => chosen.insert(slot, place as usize),
                    Column::Number(column) => {
                        column.centres.insert(slot, place);
                        column.widths.insert(slot, f64::NAN);
                        column.scales.insert(slot, f64::NAN);
                        column.logs.insert(slot, f64::NAN);
                        if at_once {
                            column.sorted.push((place, number));
                        } else {
                            let at = column.sorted.partition_point(|known| before(*known, (place, number)));
                            column.sorted.insert(at, (place, number));
                        }
                    }
                }
            }
            if !at_once {
                self.renew_around(slot);
            }
        }
        if at_once {
            for column in &mut self.columns {
                if let Column::Number(column) = column {
                    column.sorted.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
                }
            }
            self.renew_all();
        }
    }

    /// Forgets a trial, if it is in it.
    pub(super) fn remove(&mut self, number: u64) {
        let Ok(slot) = self.numbers.binary_search(&number) else { return };
        self.numbers.remove(slot);
        self.constants.remove(slot);
        let mut around = Vec::with_capacity(self.columns.len());
        for column in &mut self.columns {
            match column {
                Column::Choice { chosen, .. } => {
                    chosen.remove(slot);
                    around.push(0);
                }
                Column::Number(column) => {
                    let gone = (column.centres.remove(slot), number);
                    column.widths.remove(slot);
                    column.scales.remove(slot);
                    column.logs.remove(slot);
                    let at = column.sorted.partition_point(|known| before(*known, gone));
                    column.sorted.remove(at);
                    around.push(at);
                }
            }
        }
        if self.len() as f64 <= NARROWEST {
            self.renew_all();
        } else {
            for (index, at) in around.into_iter().enumerate() {
                self.renew(index, at.saturating_sub(1)..(at + 1));
            }
        }
    }

    /// Renews what depends on the neighbourhood of a trial that came.
    fn renew_around(&mut self, slot: usize) {
        // As long as the narrowest width depends on the number of kernels, each arrival changes all of them.
        if self.len() as f64 <= NARROWEST {
            self.renew_all();
            return;
        }
        for index in 0..self.columns.len() {
            let Column::Number(column) = &self.columns[index] else { continue };
            let this = (column.centres[slot], self.numbers[slot]);
            let at = column.sorted.partition_point(|known| before(*known, this));
            self.renew(index, at.saturating_sub(1)..(at + 2));
        }
    }

    fn renew_all(&mut self) {
        for index in 0..self.columns.len() {
            self.renew(index, 0..self.len());
        }
    }

    /// Renews the widths of kernels by their order on the axis of a column, and the constants of their trials.
    fn renew(&mut self, index: usize, places: std::ops::Range<usize>) {
        let Column::Number(column) = &mut self.columns[index] else { return };
        let mut slots = Vec::with_capacity(places.len());
        for place in places.start..places.end.min(self.numbers.len()) {
            let number = column.sorted[place].1;
            let Ok(slot) = self.numbers.binary_search(&number) else { continue };
            let width = column.width_at(place);
            column.set_width(slot, width);
            slots.push(slot);
        }
        for slot in slots {
            self.constants[slot] = self.columns.iter().map(|column| column.constant(slot)).sum();
        }
    }

    /// The weights of the trials in the order of their numbers, then the prior's, together 1.
    pub(super) fn weights(&self) -> Vec<f64> {
        let count = self.len();
        let mut weights = vec![1.0; count + 1];
        if self.weighting == Weighting::LatestMost && count > LATEST {
            let (ramp, least) = (count - LATEST, 1.0 / count as f64);
            let step = if ramp > 1 { (1.0 - least) / (ramp - 1) as f64 } else { 0.0 };
            for (place, weight) in weights[..ramp].iter_mut().enumerate() {
                *weight = least + place as f64 * step;
            }
        }
        let sum: f64 = weights.iter().sum();
        weights.iter_mut().for_each(|weight| *weight /= sum);
        weights
    }

    /// `count` draws, each a value per axis.
    pub(super) fn draw(&self, count: usize, random: &mut TrialRandom) -> Vec<Vec<f64>> {
        let mut up_to = self.weights();
        let mut sum = 0.0;
        for weight in &mut up_to {
            sum += *weight;
            *weight = sum;
        }
        let prior = self.len();
        let kernels: Vec<usize> = (0..count)
            .map(|_| {
                let at = random.unit() * sum;
                up_to.partition_point(|bound| *bound <= at).min(prior)
            })
            .collect();
        let draw = |kernel: usize, random: &mut TrialRandom| -> Vec<f64> {
            self.columns.iter().map(|column| column.draw(kernel, prior, random.unit())).collect()
        };
        kernels.into_iter().map(|kernel| draw(kernel, random)).collect()
    }

    /// The log density at each of `points`, which are values per axis.
    pub(super) fn log_densities(&self, points: &[Vec<f64>]) -> Vec<f64> {
        let tables: Vec<Table> =
            self.columns.iter().enumerate().map(|(axis, column)| Table::of(column, points, axis)).collect();
        let weights = self.weights();
        let prior = self.len();
        // The prior comes first: it is everywhere.
        let mut sums: Vec<(f64, f64)> = (0..points.len())
            .map(|point| {
                let logs = self.columns.iter().zip(&tables).map(|(column, table)| match (column, table) {
                    (Column::Number(column), Table::Places(places)) => {
                        let (centre, width, log) = column.prior;
                        let distance = (places[point] - centre) / width;
                        -0.5 * distance * distance - log
                    }
                    (_, Table::Cells { prior, .. }) => prior[point],
                    (Column::Choice { count, .. }, _) => -(*count as f64).ln(),
                    (Column::Number(_), Table::Choices { .. }) => 0.0,
                });
                (logs.sum(), weights[prior])
            })
            .collect();
        let mut logs = [0.0; BLOCK];
        for start in (0..prior).step_by(BLOCK) {
            let slots = start..(start + BLOCK).min(prior);
            let logs = &mut logs[..slots.len()];
            for (point, sum) in sums.iter_mut().enumerate() {
                for (log, constant) in logs.iter_mut().zip(&self.constants[slots.clone()]) {
                    *log = -constant;
                }
                for (column, table) in self.columns.iter().zip(&tables) {
                    add_logs(column, table, point, slots.clone(), logs);
                }
                add_exponentials(sum, logs, &weights[slots.clone()]);
            }
        }
        sums.into_iter().map(|(largest, sum)| largest + sum.ln()).collect()
    }

    /// Width of each trial's kernel on the axis, in the order of their numbers.
    #[cfg(test)]
    pub(super) fn widths(&self, axis: usize) -> Vec<f64> {
        match &self.columns[axis] {
            Column::Number(column) => column.widths.clone(),
            Column::Choice { .. } => Vec::new(),
        }
    }
}

/// Orders centres; equal ones by the numbers of their trials.
fn before(a: (f64, u64), b: (f64, u64)) -> bool {
    a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)).is_lt()
}

impl Column {
    fn constant(&self, slot: usize) -> f64 {
        match self {
            Self::Number(column) if !column.axis.is_grid() => column.logs[slot],
            Self::Number(_) | Self::Choice { .. } => 0.0,
        }
    }

    /// The value below which the share `quantile` of a kernel lies; the kernel with the number `prior` is the prior's.
    fn draw(&self, kernel: usize, prior: usize, quantile: f64) -> f64 {
        match self {
            Self::Number(column) => {
                let (centre, width) = if kernel == prior {
                    (column.prior.0, column.prior.1)
                } else {
                    (column.centres[kernel], column.widths[kernel])
                };
                let (low, high) = (column.axis.low, column.axis.high);
                let place = cut_quantile(quantile, (low - centre) / width, (high - centre) / width);
                column.axis.value((place * width + centre).clamp(low, high))
            }
            Self::Choice { count, chosen } => {
                let (match_share, other_share) = shares(*count, prior, kernel == prior);
                let mut up_to = 0.0;
                for choice in 0..*count {
                    let is_match = kernel != prior && chosen[kernel] == choice;
                    up_to += if is_match { match_share } else { other_share };
                    if quantile < up_to {
                        return choice as f64;
                    }
                }
                (*count - 1) as f64
            }
        }
    }
}

/// The shares that a kernel gives to its own choice and to each other one: one for its own, and one that all kernels, the
/// prior's among them, have together, spread evenly over the choices.
fn shares(count: usize, trials: usize, is_prior: bool) -> (f64, f64) {
    let count = count as f64;
    if is_prior {
        return (1.0 / count, 1.0 / count);
    }
    let spread = 1.0 / (trials as f64 + 1.0);
    let sum = 1.0 + count * spread;
    ((1.0 + spread) / sum, spread / sum)
}

/// What is computed once for all kernels of an axis.
enum Table {
    /// Where the points are.
    Places(Vec<f64>),
    /// On a grid, the log of each kernel's mass within each point's cell. Many kernels are alike, and so are many points.
    Cells { kernels: Vec<u32>, points: Vec<usize>, logs: Vec<Vec<f64>>, prior: Vec<f64> },
    /// The choices of the points, and the logs of the shares of a match and of anything else.
    Choices { points: Vec<usize>, matches: f64, others: f64 },
}

impl Table {
    fn of(column: &Column, points: &[Vec<f64>], axis: usize) -> Self {
        let values = points.iter().map(|point| point[axis]);
        match column {
            Column::Choice { count, chosen } => {
                let (matches, others) = shares(*count, chosen.len(), false);
                let points = values.map(|value| value as usize).collect();
                Self::Choices { points, matches: matches.ln(), others: others.ln() }
            }
            Column::Number(column) if !column.axis.is_grid() => {
                Self::Places(values.map(|value| column.axis.place(value)).collect())
            }
            Column::Number(column) => Self::cells(column, values),
        }
    }

    fn cells(column: &NumberColumn, values: impl Iterator<Item = f64>) -> Self {
        let mut alike: HashMap<(u64, u64), u32> = HashMap::new();
        let mut distinct = Vec::new();
        let kernels = (0..column.centres.len()).map(|slot| {
            let (centre, width) = (column.centres[slot], column.widths[slot]);
            *alike.entry((centre.to_bits(), width.to_bits())).or_insert_with(|| {
                distinct.push((centre, width, column.logs[slot]));
                distinct.len() as u32 - 1
            })
        });
        let kernels = kernels.collect();
        let mut cells: Vec<(f64, f64, f64)> = Vec::new();
        let points: Vec<usize> = values
            .map(|value| {
                let known = cells.iter().position(|cell| cell.0 == value);
                known.unwrap_or_else(|| {
                    let (from, to) = column.axis.cell(value).unwrap_or((value, value));
                    cells.push((value, from, to));
                    cells.len() - 1
                })
            })
            .collect();
        let log = |(_, from, to): &(f64, f64, f64), (centre, width, log): &(f64, f64, f64)| {
            ln_mass((from - centre) / width, (to - centre) / width) - log
        };
        let logs =
            cells.iter().map(|cell| distinct.iter().map(|kernel| log(cell, kernel)).collect()).collect();
        let prior = points.iter().map(|cell| log(&cells[*cell], &column.prior)).collect();
        Self::Cells { kernels, points, logs, prior }
    }
}

/// Adds to `logs`, one for each of `slots`, what the kernels of an axis say at a point.
fn add_logs(column: &Column, table: &Table, point: usize, slots: std::ops::Range<usize>, logs: &mut [f64]) {
    match (column, table) {
        (Column::Number(column), Table::Places(places)) => {
            let at = places[point];
            let kernels = column.centres[slots.clone()].iter().zip(&column.scales[slots]);
            for (log, (centre, scale)) in logs.iter_mut().zip(kernels) {
                let distance = (at - centre) * scale;
                *log -= distance * distance;
            }
        }
        (_, Table::Cells { kernels, points, logs: table, .. }) => {
            let table = &table[points[point]];
            for (log, kernel) in logs.iter_mut().zip(&kernels[slots]) {
                *log += table[*kernel as usize];
            }
        }
        (Column::Choice { chosen, .. }, Table::Choices { points, matches, others }) => {
            let at = points[point];
            for (log, chosen) in logs.iter_mut().zip(&chosen[slots]) {
                *log += if *chosen == at { *matches } else { *others };
            }
        }
        (Column::Number(_), Table::Choices { .. }) | (Column::Choice { .. }, Table::Places(_)) => {}
    }
}

/// Adds weighted exponentials to a sum that is kept as (largest exponent, sum of what is left of the exponentials).
fn add_exponentials(sum: &mut (f64, f64), logs: &[f64], weights: &[f64]) {
    let largest = logs.iter().copied().fold(sum.0, f64::max);
    if largest > sum.0 {
        sum.1 *= (sum.0 - largest).exp();
        sum.0 = largest;
    }
    for (log, weight) in logs.iter().zip(weights) {
        let below = log - largest;
        if below > NEGLIGIBLE {
            sum.1 += weight * below.exp();
        }
    }
}
