//! All scores of one span.

use tapeline_trainer::{FeatureScore, Scorecard};

use super::html::{Html, tag};
use super::key_numbers::span_name;
use super::number::{compact, count};
use super::table::{Cell, Table};
use super::{note, part, price, regime, volatility};

pub(super) fn section(scorecard: &Scorecard) -> Html {
    let extent =
        format!("{} decisions from {} to {}.", count(scorecard.samples as u64), scorecard.from, scorecard.to);
    let content = [
        note(extent),
        price::section(&scorecard.price),
        volatility::section(&scorecard.volatility),
        regime::section(&scorecard.regime),
        features(&scorecard.features),
    ];
    part(format!("{} in full", span_name(&scorecard.split)), Html::from(content))
}

fn features(score: &FeatureScore) -> Html {
    let mut table =
        Table::of_numbers(&["Features before the heads", "Hardly vary", "Effective rank", "Mean variance"]);
    table.row([
        Cell::name(count(score.dimensions as u64)),
        Cell::number(count(score.dead as u64)),
        Cell::maybe(score.effective_rank, |rank| super::number::fixed(rank, 1)),
        Cell::maybe(score.mean_variance, compact),
    ]);
    let words = "The effective rank is the number of directions that the features really use: the exponential of the \
                 entropy of their covariance's spectrum.";
    Html::from([tag("h3", "Features"), table.into_html(), note(words)])
}
