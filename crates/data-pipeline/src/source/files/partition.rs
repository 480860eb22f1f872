//! What `key=value` folders say of the files below them.

use std::path::Path;

use crate::error::DataError;
use crate::spec::Symbol;
use crate::time::Timeframe;

/// The folder that tells how long bars are.
const TIMEFRAME: &str = "timeframe";
/// The folder that tells whose bars they are, where `data.source.columns.symbol` has no other name for it.
const SYMBOL: &str = "symbol";
/// What Hive calls a partition without a value.
const NO_VALUE: &str = "__HIVE_DEFAULT_PARTITION__";

/// The `key=value` folders above a file, outermost first, values decoded.
pub(super) struct Partitions(Vec<(String, String)>);

impl Partitions {
    pub(super) fn of(file: &Path) -> Self {
        let folders = file.parent().into_iter().flat_map(Path::components);
        let pair = |folder: std::path::Component<'_>| {
            let name = folder.as_os_str().to_str()?;
            let (key, value) = name.split_once('=')?;
            Some((key.to_owned(), decoded(value)))
        };
        Self(folders.filter_map(pair).collect())
    }

    /// The innermost folder counts.
    fn value(&self, key: &str) -> Option<&str> {
        self.0.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    /// The timeframe that the folders name, if it is not `timeframe`.
    pub(super) fn other_timeframe(&self, timeframe: Timeframe) -> Option<&str> {
        self.value(TIMEFRAME).filter(|value| value.parse() != Ok(timeframe))
    }

    /// The symbol that the folders of `file` name, by the name of the symbol column if there is one.
    pub(super) fn symbol(&self, column: Option<&str>, file: &Path) -> Result<Option<Symbol>, DataError> {
        let key = column.unwrap_or(SYMBOL);
        match self.value(key) {
            Some("" | NO_VALUE) => Err(DataError::NamelessPartition { path: file.into(), key: key.into() }),
            value => Ok(value.map(Symbol::new)),
        }
    }
}

/// `text` with `%2F` and its like replaced by what they stand for; what stands for nothing is left as it is.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let code = (first == b'%').then(|| after.get(..2)).flatten();
        let byte = code.and_then(|code| u8::from_str_radix(str::from_utf8(code).ok()?, 16).ok());
        bytes.push(byte.unwrap_or(first));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_decoded() {
        for (written, meant) in [
            ("BTC%2FUSDT", "BTC/USDT"),
            ("a%20b", "a b"),
            ("100%", "100%"),
            ("%zz%2", "%zz%2"),
            ("%C3%A9", "é"),
            ("%ff", "%ff"),
        ] {
            assert_eq!(decoded(written), meant);
        }
    }

    #[test]
    fn the_innermost_folder_counts() {
        let partitions =
            Partitions::of(Path::new("timeframe=1h/x=1/timeframe=60m/symbol=B/symbol=A.parquet"));
        assert_eq!(partitions.other_timeframe("1h".parse().unwrap()), None, "60m is 1h");
        assert_eq!(partitions.other_timeframe("5m".parse().unwrap()), Some("60m"));
        let symbol =
            |column| partitions.symbol(column, Path::new("x")).unwrap().map(|symbol| symbol.to_string());
        assert_eq!((symbol(None).as_deref(), symbol(Some("x")).as_deref()), (Some("B"), Some("1")));
        assert_eq!(symbol(Some("ticker")), None);
    }
}
