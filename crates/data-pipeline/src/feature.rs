//! What is computed from each bar. A feature is causal by contract: the value at a row depends on that row and on as many
//! rows before it as its warm-up says, never on one after it and never on how much history lies before.
//!
//! To add a feature: a file in the folder of its family with a struct that holds its parameters and is a [`Feature`], and
//! one line in the list below. The contract tests, the schema, the page `docs/features.md` and `tapeline data features`
//! follow from the list. (`cargo fmt` does not see files that a macro names; `rustfmt` on the file does.)

#[macro_use]
mod registry;
mod ewma;
mod log_volatility;
mod page;
mod stretch;
mod trailing;
mod unit;
mod written;

use garde::{Path, Report};

pub use ewma::LEFT_OUT_WEIGHT;
pub use log_volatility::VOLATILITY_BARS;
pub use page::{page, section};
pub use stretch::Stretch;
pub use trailing::LONGEST_LOOKBACK;
pub use unit::{Amplified, Unit};

registry! {
    /// How far the price went.
    returns {
        log_return::LogReturn,
        opening_gap::OpeningGap,
        drawdown::Drawdown,
    }
    /// The shape of one bar.
    range {
        range::Range,
        body::Body,
        upper_wick::UpperWick,
        lower_wick::LowerWick,
        true_range::TrueRange,
        close_position::ClosePosition,
    }
    /// How much was traded.
    volume {
        volume::Volume,
        volume_change::VolumeChange,
        relative_volume::RelativeVolume,
        signed_volume::SignedVolume,
    }
    /// How much the price moved lately.
    volatility {
        realized_volatility::RealizedVolatility,
        close_to_close::CloseToClose,
        parkinson::Parkinson,
        garman_klass::GarmanKlass,
        rogers_satchell::RogersSatchell,
        yang_zhang::YangZhang,
        ewma_volatility::EwmaVolatility,
    }
    /// Which way the price moved lately.
    momentum {
        momentum::Momentum,
        rsi::Rsi,
        macd::Macd,
        atr::Atr,
        bollinger::Bollinger,
        stochastic::Stochastic,
    }
    /// When a bar is.
    calendar {
        time_of_day::TimeOfDay,
        day_of_week::DayOfWeek,
        day_of_month::DayOfMonth,
        month_of_year::MonthOfYear,
    }
}

/// A causal function of bars, with one or more channels.
pub trait Feature: Sync {
    /// Its formula, in one line.
    fn formula(&self) -> &'static str;

    /// Name and unit of each channel, in order.
    fn channels(&self) -> &'static [Channel];

    /// How many rows at the start of a stretch have no value, because they would need bars from before it.
    fn warm_up(&self) -> usize;

    /// Adds what is wrong with its parameters to `report`; `path` is where the feature stands.
    fn check(&self, _path: &Path, _report: &mut Report) {}

    /// Writes the channels of every row from [`warm_up`](Self::warm_up) on into `out`, which is `[row, channel]` of
    /// this feature's own channels and holds NaN. A row that is left NaN is part of no window.
    fn compute(&self, bars: &Stretch<'_>, out: &mut [f64]);
}

/// One column of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Channel {
    /// Its name where the parameters are the defaults; see [`FeatureSpec::channel_names`].
    pub name: &'static str,
    /// What its numbers are.
    pub unit: Unit,
}
