//! What the place of a file in Lean's data folder says.

use std::path::Path;

use jiff::civil::Date;

use super::super::super::spec::LeanPrices;
use crate::spec::Symbol;
use crate::time::{HOUR, MINUTE, SECOND, Span, Timeframe};
use crate::zone::Zone;

/// Equity prices are whole numbers of this part of the currency.
const EQUITY_PRICE_UNIT: f64 = 10_000.0;

/// A zip of bars, by its path and name.
#[derive(Clone, Debug, PartialEq)]
pub(in super::super) struct LeanFile {
    pub(super) symbol: Symbol,
    pub(super) timeframe: Timeframe,
    pub(super) prices: LeanPrices,
    /// The day of all its bars, where their times do not say it.
    pub(super) date: Option<Date>,
    /// The clock of its times.
    pub(super) zone: Zone,
    /// Does the market shut between days?
    pub(super) has_sessions: bool,
    /// How many of the file's prices are one.
    pub(super) price_unit: f64,
    /// Has every entry a contract of its own?
    has_contracts: bool,
}

impl LeanFile {
    /// What the path of a file says; `zone` overrules the market's own.
    ///
    /// # Errors
    /// Why it is no file of bars.
    pub(super) fn at(path: &Path, zone: Option<&Zone>) -> Result<Self, String> {
        let parts: Vec<&str> = path.iter().filter_map(|part| part.to_str()).collect();
        let Some((name, folders)) = parts.split_last() else { return Err("it has no name".into()) };
        let stem = name.strip_suffix(".zip").ok_or("it does not end in .zip")?;
        let (class_market, timeframe, ticker, date, kind) = match folders {
            [.., class, market, resolution @ ("second" | "minute"), ticker] => {
                let (date, kind) = stem.split_once('_').ok_or("its name is not like 20131007_trade.zip")?;
                let date = Date::strptime("%Y%m%d", date)
                    .map_err(|_| format!("its name begins with {date:?}, which is no date like 20131007"))?;
                let length = if *resolution == "second" { SECOND } else { MINUTE };
                (
                    (*class, *market),
                    Timeframe::from_span(Span::from_nanos(length)),
                    *ticker,
                    Some(date),
                    Some(kind),
                )
            }
            [.., class, market, resolution @ ("hour" | "daily")] => {
                let kind = ["_trade", "_quote", "_openinterest"].iter().find(|kind| stem.ends_with(**kind));
                let ticker = kind.map_or(stem, |kind| &stem[..stem.len() - kind.len()]);
                let timeframe = if *resolution == "hour" {
                    Timeframe::from_span(Span::from_nanos(HOUR))
                } else {
                    Some(Timeframe::DAY)
                };
                ((*class, *market), timeframe, ticker, None, kind.map(|kind| &kind[1..]))
            }
            [.., "tick", _] | [.., "tick"] => return Err("it holds ticks, not bars".into()),
            _ => {
                return Err("it does not lie in <class>/<market>/<resolution>, such as equity/usa/minute/spy; name the \
                            folder that these are in"
                    .into());
            }
        };
        let (class, market) = class_market;
        let market_zone = zone_of(class, market);
        let zone = match (zone, market_zone) {
            (Some(zone), Ok(_)) => zone.clone(),
            (_, Err(Unknown::Class)) => return Err(format!("{class} files are not read")),
            (Some(zone), Err(Unknown::Zone)) => zone.clone(),
            (None, Ok(zone)) => zone,
            (None, Err(Unknown::Zone)) => {
                return Err(format!("the clock of {class}/{market} is not known; say it with `zone`"));
            }
        };
        let prices = match (kind, class) {
            (Some("trade"), _) | (None, "equity" | "index") => LeanPrices::Trades,
            (Some("quote"), _) | (None, "forex" | "cfd") => LeanPrices::Mids,
            (Some(other), _) => return Err(format!("it holds {other}, no prices")),
            (None, _) => return Err("its name does not say whether it holds trades or quotes".into()),
        };
        Ok(Self {
            symbol: Symbol::new(ticker.to_uppercase()),
            timeframe: timeframe.ok_or("its bars have no fixed length")?,
            prices,
            date,
            zone,
            has_sessions: matches!(class, "equity" | "index"),
            price_unit: if class == "equity" { EQUITY_PRICE_UNIT } else { 1.0 },
            has_contracts: class == "future",
        })
    }

    /// Whose bars the entry named `stem` holds. Those of a future are of one contract each, whose month its name ends in:
    /// `ES-201312`.
    pub(super) fn symbol_of_entry(&self, stem: &str) -> Option<Symbol> {
        if !self.has_contracts {
            return Some(self.symbol.clone());
        }
        let (_, month) = stem.rsplit_once('_')?;
        let is_month = month.len() >= 6 && month.bytes().all(|digit| digit.is_ascii_digit());
        is_month.then(|| Symbol::new(format!("{}-{month}", self.symbol)))
    }
}

/// Why a market's clock is not known.
enum Unknown {
    /// Its kind is none of those that are read.
    Class,
    /// The market is none of those listed here.
    Zone,
}

/// The clock of the times in a market's files, which is not always that of the exchange.
fn zone_of(class: &str, market: &str) -> Result<Zone, Unknown> {
    match (class, market) {
        ("equity", "usa") => "America/New_York".parse().map_err(|_| Unknown::Zone),
        ("crypto" | "cryptofuture", _) | ("forex" | "cfd", "oanda") => Ok(Zone::utc()),
        ("future", "cme" | "cbot" | "comex" | "nymex") => Ok(Zone::utc()),
        ("forex", "fxcm") => Ok(Zone::fixed(-5)),
        ("equity" | "forex" | "cfd" | "future" | "index", _) => Err(Unknown::Zone),
        _ => Err(Unknown::Class),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(path: &str) -> Result<LeanFile, String> {
        LeanFile::at(Path::new(path), None)
    }

    #[test]
    fn the_place_says_everything() {
        let spy = at("data/equity/usa/minute/spy/20131007_trade.zip").unwrap();
        assert_eq!((spy.symbol.as_str(), spy.timeframe.to_string().as_str()), ("SPY", "1m"));
        assert_eq!((spy.prices, spy.zone.to_string().as_str()), (LeanPrices::Trades, "America/New_York"));
        assert_eq!((spy.price_unit, spy.date.unwrap().to_string().as_str()), (10_000.0, "2013-10-07"));

        let euro = at("forex/oanda/daily/eurusd.zip").unwrap();
        assert_eq!((euro.prices, euro.date, euro.timeframe), (LeanPrices::Mids, None, Timeframe::DAY));
        assert_eq!((euro.zone.to_string().as_str(), euro.price_unit), ("UTC", 1.0));

        let bitcoin = at("crypto/binance/hour/btcusdt_trade.zip").unwrap();
        assert_eq!((bitcoin.symbol.as_str(), bitcoin.prices), ("BTCUSDT", LeanPrices::Trades));

        let future = at("future/cme/minute/es/20131007_trade.zip").unwrap();
        let entry = future.symbol_of_entry("20131007_es_minute_trade_201312");
        assert_eq!(entry, Some(Symbol::new("ES-201312")));
    }

    #[test]
    fn what_is_no_bars_says_why() {
        for (path, problem) in [
            ("equity/usa/factor_files/spy.csv", ".zip"),
            ("equity/usa/tick/spy/20131007_trade.zip", "ticks"),
            ("option/usa/minute/spy/20131007_trade_american.zip", "option files"),
            ("future/cme/minute/es/20131007_openinterest.zip", "openinterest"),
            ("equity/india/daily/yesbank.zip", "clock"),
            ("20131007_trade.zip", "<class>/<market>/<resolution>"),
            ("equity/usa/minute/spy/7Oct2013_trade.zip", "date"),
            ("crypto/binance/hour/btcusdt.zip", "trades or quotes"),
        ] {
            let said = at(path).unwrap_err();
            assert!(said.contains(problem), "{path}: {said}");
        }
        let zone: Zone = "Asia/Kolkata".parse().unwrap();
        let said = LeanFile::at(Path::new("equity/india/daily/yesbank.zip"), Some(&zone)).unwrap();
        assert_eq!(said.zone, zone);
    }
}
