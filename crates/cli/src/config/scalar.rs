//! What a plain YAML scalar says: the core schema of YAML 1.2, less one trap.
//!
//! `no`, `off` and `yes` are text, as YAML 1.2 has it. A number with a leading zero is text too: `0700` is a ticker, and
//! whoever meant 700 is told so by the type of the key.

/// What a plain scalar stands for, before the schema has said what it should be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Plain {
    /// Nothing is written at all.
    Blank,
    Null,
    Bool(bool),
    Integer(i128),
    Float(f64),
    /// `.nan`, `.inf`, or a number beyond the range of a double.
    NotFinite,
    Text,
}

/// Reads a plain scalar.
pub(crate) fn resolve(text: &str) -> Plain {
    match text {
        "" => return Plain::Blank,
        "~" | "null" | "Null" | "NULL" => return Plain::Null,
        "true" | "True" | "TRUE" => return Plain::Bool(true),
        "false" | "False" | "FALSE" => return Plain::Bool(false),
        ".nan" | ".NaN" | ".NAN" => return Plain::NotFinite,
        _ => {}
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") {
        return Plain::NotFinite;
    }
    if let Some(integer) = prefixed_integer(text) {
        return Plain::Integer(integer);
    }
    if !is_decimal(unsigned) {
        return Plain::Text;
    }
    if let Ok(integer) = text.parse::<i128>() {
        return Plain::Integer(integer);
    }
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => Plain::Float(number),
        Ok(_) => Plain::NotFinite,
        Err(_) => Plain::Text,
    }
}

/// `0x1F` and `0o17`, which YAML 1.2 writes without a sign.
fn prefixed_integer(text: &str) -> Option<i128> {
    let (digits, radix) = text
        .strip_prefix("0x")
        .map(|digits| (digits, 16))
        .or_else(|| text.strip_prefix("0o").map(|digits| (digits, 8)))?;
    let all_digits = !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix));
    all_digits.then(|| i128::from_str_radix(digits, radix).ok())?
}

/// `12`, `1.5`, `.5`, `1.`, `1e-3`, and nothing with a superfluous leading zero.
fn is_decimal(unsigned: &str) -> bool {
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let leading_zero = whole.len() > 1 && whole.starts_with('0');
    let exponent_reads = exponent.is_none_or(|exponent| {
        let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        !exponent.is_empty() && digits(exponent)
    });
    digits(whole) && digits(fraction) && whole.len() + fraction.len() > 0 && !leading_zero && exponent_reads
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_yaml_1_1_are_text() {
        for word in [
            "no", "yes", "on", "off", "y", "N", "nan", "inf", "NaN", "1_000", "12:30:00", "5m", "1e", ".",
            "-", "+",
        ] {
            assert_eq!(resolve(word), Plain::Text, "{word}");
        }
    }

    #[test]
    fn leading_zeros_make_text() {
        for word in ["0123", "0700", "00", "-01", "00.5", "007e3"] {
            assert_eq!(resolve(word), Plain::Text, "{word}");
        }
    }

    #[test]
    fn numbers_are_numbers() {
        for (word, value) in [("0", 0), ("-3", -3), ("+5", 5), ("0x1F", 31), ("0o17", 15)] {
            assert_eq!(resolve(word), Plain::Integer(value), "{word}");
        }
        for (word, value) in
            [("1e-3", 1e-3), ("1E5", 1e5), (".5", 0.5), ("1.", 1.0), ("-0.5", -0.5), ("0e0", 0.0)]
        {
            assert_eq!(resolve(word), Plain::Float(value), "{word}");
        }
    }

    #[test]
    fn what_is_not_finite_is_marked() {
        for word in [".nan", ".NaN", ".inf", "-.inf", "+.INF", "1e999", "-1e999"] {
            assert_eq!(resolve(word), Plain::NotFinite, "{word}");
        }
    }
}
