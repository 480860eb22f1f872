//! What a channel's numbers are, and what follows from that.

use serde::{Deserialize, Serialize};

/// What a channel's numbers are, which decides whether a scaler may touch them and what an amplified price path does to
/// them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// The natural logarithm of a ratio of prices.
    LogRatio,
    /// The natural logarithm of the ratio of a higher price to a lower one: never negative.
    LogRange,
    /// A difference of prices as a share of a price.
    PriceShare,
    /// The natural logarithm of one plus a traded amount.
    LogAmount,
    /// The natural logarithm of a ratio of traded amounts, each with one added.
    LogAmountRatio,
    /// The natural logarithm of a volatility per bar.
    LogVolatility,
    /// A place between two bounds that lie at −1 and 1.
    Position,
    /// The sine or cosine of a phase.
    Phase,
    /// The natural logarithm of one plus a number of bars.
    LogBars,
    /// A time, counted in bars of the table's timeframe.
    Timeframes,
    /// 0 or 1.
    Flag,
}

/// What happens to a channel when every log return of the price path is multiplied by k.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amplified {
    /// It is multiplied by k too.
    Multiplied,
    /// ln k is added.
    Shifted,
    /// Nothing.
    Unmoved,
}

impl Unit {
    /// Whether a scaler fits and scales channels of this unit. Positions, phases, counts, ages and flags are bounded by
    /// what they are, and stay as they are.
    #[must_use]
    pub const fn is_scaled(self) -> bool {
        match self {
            Self::LogRatio
            | Self::LogRange
            | Self::PriceShare
            | Self::LogAmount
            | Self::LogAmountRatio
            | Self::LogVolatility => true,
            Self::Position | Self::Phase | Self::LogBars | Self::Timeframes | Self::Flag => false,
        }
    }

    /// What happens to a channel of this unit when every log return of the price path is multiplied by k. Exact for what is
    /// made of logarithms, and to first order in the returns for what is made of price differences.
    #[must_use]
    pub const fn amplified(self) -> Amplified {
        match self {
            Self::LogRatio | Self::LogRange | Self::PriceShare => Amplified::Multiplied,
            Self::LogVolatility => Amplified::Shifted,
            Self::LogAmount
            | Self::LogAmountRatio
            | Self::Position
            | Self::Phase
            | Self::LogBars
            | Self::Timeframes
            | Self::Flag => Amplified::Unmoved,
        }
    }

    /// Whether its numbers can only be 0 or more.
    #[must_use]
    pub const fn is_never_negative(self) -> bool {
        matches!(self, Self::LogRange | Self::LogAmount | Self::LogBars | Self::Timeframes | Self::Flag)
    }

    /// Its name in words.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::LogRatio => "log ratio of prices",
            Self::LogRange => "log ratio of a higher to a lower price",
            Self::PriceShare => "share of the price",
            Self::LogAmount => "log amount",
            Self::LogAmountRatio => "log ratio of amounts",
            Self::LogVolatility => "log volatility per bar",
            Self::Position => "position between −1 and 1",
            Self::Phase => "sine or cosine of a phase",
            Self::LogBars => "log count of bars",
            Self::Timeframes => "bars of the timeframe",
            Self::Flag => "0 or 1",
        }
    }
}
