//! Cells as numbers, and what to do about those that are none.

use crate::spec::DecimalMark;

/// The number in `cell`. An empty cell is NaN, as are `nan` and its like: the audit reports them.
///
/// # Errors
/// What is wrong with it and what to do, as a verb phrase.
pub(super) fn number(cell: &str, mark: DecimalMark) -> Result<f64, String> {
    if cell.is_empty() {
        return Ok(f64::NAN);
    }
    let parsed = match mark {
        DecimalMark::Point => cell.parse(),
        DecimalMark::Comma if cell.contains('.') => {
            return Err("has a point, and data.source.text.decimal is comma".into());
        }
        DecimalMark::Comma => cell.replace(',', ".").parse(),
    };
    parsed.map_err(|_| problem(cell).into())
}

fn problem(cell: &str) -> &'static str {
    if has_thousands_separators(cell) {
        return "is not a number; write it without thousands separators";
    }
    let comma_for_point = cell.replacen(',', ".", 1);
    if comma_for_point.parse::<f64>().is_ok() {
        return "is not a number; if the comma stands before decimals, set data.source.text.decimal: comma";
    }
    "is not a number; where a value is missing, leave the cell empty"
}

/// `1,500` could be either; two commas, or a comma and later a point, cannot.
fn has_thousands_separators(cell: &str) -> bool {
    let digits: String = cell.chars().filter(|c| !matches!(c, ',' | ' ' | '\'' | '_')).collect();
    let separators = cell.chars().count() - digits.chars().count();
    let is_number = digits.parse::<f64>().is_ok() || digits.replace(',', ".").parse::<f64>().is_ok();
    let clear = separators > 1 || digits.contains('.') || !cell.contains(',');
    separators > 0 && clear && is_number
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_to_the_last_bit() {
        for (cell, expected) in [
            ("1.5", 1.5),
            ("-0", -0.0),
            ("1e-7", 1e-7),
            ("0.1", 0.1),
            ("123456789.123456789", 123_456_789.123_456_79),
        ] {
            let read = |cell: &str, mark| number(cell, mark).map(f64::to_bits);
            assert_eq!(read(cell, DecimalMark::Point), Ok(f64::to_bits(expected)));
            assert_eq!(read(&cell.replace('.', ","), DecimalMark::Comma), Ok(f64::to_bits(expected)));
        }
        for cell in ["", "nan", "NaN", "NAN"] {
            assert!(number(cell, DecimalMark::Point).unwrap().is_nan());
        }
    }

    #[test]
    fn what_is_no_number_says_what_to_do() {
        let said = |cell| number(cell, DecimalMark::Point).unwrap_err();
        assert!(said("1,5").contains("decimal: comma"));
        assert!(said("1,500").contains("decimal: comma"), "either could be meant");
        for cell in ["1,234,567", "1,234.5", "1 234", "1'234.5", "1_000"] {
            assert!(said(cell).contains("without thousands separators"), "{cell}");
        }
        for cell in ["1.5x", "null", "-", "N/A", "1.2.3", "$5", "0x10", "½"] {
            assert!(said(cell).contains("leave the cell empty"), "{cell}");
        }
        assert!(number("1.5", DecimalMark::Comma).unwrap_err().contains("has a point"));
    }
}
