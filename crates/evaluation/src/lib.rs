//! What a score is: metrics, information coefficients, naive baselines and intervals, on plain slices of numbers.
//!
//! This crate never reads a file, a clock or the environment, knows no tensor and no other crate of Tapeline, and never turns
//! an undefined score into a number: what cannot be computed is `None`, and what was left out is counted. Every result is the
//! same whatever the order of the rows, the size of the batches they came from or the number of threads.
//!
//! The main verb is: rows in, a score and its interval out.
//!
//! ```
//! use tapeline_evaluation::{Correlation, MovingBlocks, Panel, ic};
//!
//! // Two symbols over 600 decisions; the forecast is right, under noise that this formula stands in for.
//! let rows = || (0..2_u32).flat_map(|series| (0..600_i64).map(move |time| (series, time)));
//! let noise = |series: u32, time: i64| (f64::from(series) + (time * time) as f64 * 0.37).sin();
//! let series: Vec<u32> = rows().map(|(series, _)| series).collect();
//! let time: Vec<i64> = rows().map(|(_, time)| time).collect();
//! let forecast: Vec<f64> = rows().map(|(_, time)| (time as f64).sin()).collect();
//! let realised: Vec<f64> = rows().map(|(s, time)| (time as f64).sin() + noise(s, time)).collect();
//!
//! let panel = Panel::new(&series, &time, &forecast, &realised)?;
//! let score = ic::per_series(&panel, Correlation::Pearson);
//! let interval = ic::per_series_interval(&panel, Correlation::Pearson, &MovingBlocks::new(1, 7))?;
//! assert_eq!(score.undefined, 0);
//! assert!(interval.low > 0.6 && interval.high < 0.8);
//!
//! // Two symbols are no cross-section: every period is left out and counted, and the mean is undefined, not 0.
//! let across = ic::cross_section(&panel, Correlation::Pearson);
//! assert_eq!((across.mean, across.undefined), (None, 600));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! It does not split or purge rows, fit scalers, annualise anything, charge trading costs, draw pictures or decide which
//! network is better.

mod bootstrap;
mod correlation;
mod dispersion;
mod error;
mod pairs;
mod panel;
mod spectrum;

pub mod baseline;
pub mod calibration;
pub mod classification;
pub mod direction;
pub mod distribution;
pub mod ic;
pub mod newey_west;
pub mod regression;
pub mod representation;
pub mod ridge;
pub mod uniqueness;
pub mod volatility;

pub use bootstrap::{Interval, LEVEL, MIN_BLOCKS, MovingBlocks, NoInterval, RESAMPLES, TimeSums};
pub use correlation::{Correlation, average_ranks, pearson, spearman};
pub use dispersion::{Dispersion, MIN_NULL_RUNS, NullBand};
pub use error::EvaluationError;
pub use pairs::Pairs;
pub use panel::Panel;
