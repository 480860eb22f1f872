//! A short name for exactly these bars.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::bar::Bars;

/// Layout of what is hashed; a change of it changes every fingerprint, so that an old one never matches by accident.
const LAYOUT: &[u8] = b"tapeline-bars-1";

/// A BLAKE3 hash, written as 64 hexadecimal digits. Equal fingerprints mean equal content, bit for bit.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Fingerprint(blake3::Hash);

impl Fingerprint {
    /// The fingerprint of `bars`: symbols, timeframes, times and prices to the last bit. The order of the symbols does
    /// not matter; that of the rows does.
    #[must_use]
    pub fn of_bars(bars: &[Bars]) -> Self {
        let mut parts: Vec<(&Bars, blake3::Hash)> =
            bars.iter().map(|bars| (bars, hash_symbol(bars))).collect();
        parts.sort_by(|(left, left_hash), (right, right_hash)| {
            (&left.symbol, left.timeframe, left_hash.as_bytes()).cmp(&(
                &right.symbol,
                right.timeframe,
                right_hash.as_bytes(),
            ))
        });
        let mut hasher = blake3::Hasher::new();
        hasher.update(LAYOUT);
        for (_, hash) in parts {
            hasher.update(hash.as_bytes());
        }
        Self(hasher.finalize())
    }

    /// The fingerprint of this content together with `bytes`, such as a spec written as JSON.
    #[must_use]
    pub fn with(&self, bytes: &[u8]) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.0.as_bytes()).update(bytes);
        Self(hasher.finalize())
    }
}

fn hash_symbol(bars: &Bars) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    let name = bars.symbol.as_str().as_bytes();
    hasher.update(&(name.len() as u64).to_le_bytes()).update(name);
    hasher.update(&bars.timeframe.nanos().to_le_bytes());
    hasher.update(&(bars.len() as u64).to_le_bytes());
    for column in [&bars.open_time, &bars.close_time, &bars.available_at] {
        let bytes: Vec<u8> = column.iter().flat_map(|instant| instant.nanos().to_le_bytes()).collect();
        hasher.update(&bytes);
    }
    for column in [&bars.open, &bars.high, &bars.low, &bars.close, &bars.volume] {
        let bytes: Vec<u8> = column.iter().flat_map(|value| value.to_bits().to_le_bytes()).collect();
        hasher.update(&bytes);
    }
    hasher.finalize()
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A word that is not 64 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} is not a fingerprint (64 hexadecimal digits)")]
pub struct FingerprintError {
    found: String,
}

impl FromStr for Fingerprint {
    type Err = FingerprintError;

    fn from_str(text: &str) -> Result<Self, FingerprintError> {
        blake3::Hash::from_hex(text).map(Self).map_err(|_| FingerprintError { found: text.into() })
    }
}

impl TryFrom<String> for Fingerprint {
    type Error = FingerprintError;

    fn try_from(text: String) -> Result<Self, FingerprintError> {
        text.parse()
    }
}

impl From<Fingerprint> for String {
    fn from(fingerprint: Fingerprint) -> Self {
        fingerprint.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bar::Bar;
    use crate::spec::Symbol;
    use crate::time::{MINUTE, Timeframe, Timestamp};

    fn bars(symbol: &str, closes: &[f64]) -> Bars {
        let timeframe: Timeframe = "1m".parse().unwrap();
        let mut bars = Bars::with_capacity(Symbol::new(symbol), timeframe, closes.len());
        for (row, &close) in closes.iter().enumerate() {
            let open_time = Timestamp::from_nanos(row as i64 * MINUTE);
            let close_time = open_time.plus(timeframe.span());
            bars.push(Bar {
                open_time,
                close_time,
                available_at: close_time,
                open: close,
                high: close,
                low: close,
                close,
                volume: 1.0,
            });
        }
        bars
    }

    #[test]
    fn any_bit_counts_and_the_order_of_symbols_does_not() {
        let (a, b) = (bars("A", &[1.0, 2.0]), bars("B", &[3.0]));
        let whole = Fingerprint::of_bars(&[a.clone(), b.clone()]);
        assert_eq!(whole, Fingerprint::of_bars(&[b.clone(), a.clone()]));
        assert_ne!(whole, Fingerprint::of_bars(std::slice::from_ref(&a)));
        assert_ne!(whole, Fingerprint::of_bars(&[bars("A", &[1.0, 2.0_f64.next_up()]), b.clone()]));
        assert_ne!(whole, Fingerprint::of_bars(&[bars("C", &[1.0, 2.0]), b]));
        assert_ne!(Fingerprint::of_bars(&[bars("A", &[0.0])]), Fingerprint::of_bars(&[bars("A", &[-0.0])]));
        assert_ne!(whole.with(b"one"), whole.with(b"two"));
    }

    #[test]
    fn survives_a_round_trip_through_text() {
        let print = Fingerprint::of_bars(&[bars("A", &[1.0])]);
        let json = serde_json::to_string(&print).unwrap();
        assert_eq!(serde_json::from_str::<Fingerprint>(&json).unwrap(), print);
        assert!("abc".parse::<Fingerprint>().is_err());
    }
}
