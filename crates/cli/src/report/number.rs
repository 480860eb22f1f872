//! Numbers as a reader wants them. What is undefined says so; it is never a zero.

/// What stands in the place of a number that does not exist.
pub(crate) const UNDEFINED: &str = "undefined";

/// With `decimals` decimals, a true minus sign and thousands set apart.
pub(crate) fn fixed(number: f64, decimals: usize) -> String {
    if !number.is_finite() {
        return if number.is_nan() { "not a number".into() } else { sign_of(number) + "infinite" };
    }
    let digits = format!("{:.decimals$}", number.abs());
    let (whole, fraction) = digits.split_once('.').unwrap_or((&digits, ""));
    let point = if fraction.is_empty() { "" } else { "." };
    let is_zero = digits.bytes().all(|digit| matches!(digit, b'0' | b'.'));
    let sign = if is_zero { String::new() } else { sign_of(number) };
    format!("{sign}{}{point}{fraction}", thousands(whole))
}

/// As [`fixed`], with a plus sign before what is above zero.
pub(crate) fn signed(number: f64, decimals: usize) -> String {
    let text = fixed(number, decimals);
    let is_zero = !text.contains(|c: char| c.is_ascii_digit() && c != '0');
    if number > 0.0 && !is_zero { format!("+{text}") } else { text }
}

/// A share in percent, one decimal.
pub(crate) fn percent(share: f64) -> String {
    format!("{} %", fixed(100.0 * share, 1))
}

/// A return in basis points, two decimals.
pub(crate) fn basis_points(log_return: f64) -> String {
    format!("{} bp", fixed(1e4 * log_return, 2))
}

/// A count, thousands set apart.
pub(crate) fn count(number: u64) -> String {
    thousands(&number.to_string())
}

/// Significant digits where fixed decimals would hide a small number: `0.00042`, `4.2e−7`.
pub(crate) fn compact(number: f64) -> String {
    let size = number.abs();
    if !number.is_finite() || number == 0.0 || (1e-4..1e6).contains(&size) {
        let decimals = if size >= 100.0 || number == 0.0 { 0 } else { (3 - leading_digit(size)).clamp(0, 7) };
        return fixed(number, usize::try_from(decimals).unwrap_or(0));
    }
    format!("{number:.2e}").replace('-', "−")
}

/// `number` by `write`, or that it is undefined.
pub(crate) fn or_undefined(number: Option<f64>, write: impl Fn(f64) -> String) -> String {
    number.map_or_else(|| UNDEFINED.into(), write)
}

/// The power of ten of the first digit that is not zero.
fn leading_digit(size: f64) -> i32 {
    let mut power = 0;
    let mut unit = 1.0;
    while size < unit && power > -10 {
        power -= 1;
        unit /= 10.0;
    }
    while size >= unit * 10.0 && power < 10 {
        power += 1;
        unit *= 10.0;
    }
    power
}

fn sign_of(number: f64) -> String {
    if number < 0.0 { "−".into() } else { String::new() }
}

fn thousands(digits: &str) -> String {
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_for_readers() {
        assert_eq!(fixed(1234567.891, 2), "1,234,567.89");
        assert_eq!(fixed(-0.5, 3), "−0.500");
        assert_eq!(fixed(-0.0001, 2), "0.00");
        assert_eq!(fixed(f64::NAN, 2), "not a number");
        assert_eq!(fixed(f64::NEG_INFINITY, 2), "−infinite");
        assert_eq!(signed(0.4123, 3), "+0.412");
        assert_eq!(signed(-0.4123, 3), "−0.412");
        assert_eq!(signed(0.0001, 3), "0.000");
        assert_eq!(percent(0.5321), "53.2 %");
        assert_eq!(basis_points(0.000_321), "3.21 bp");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_000), "1,000");
        assert_eq!(or_undefined(None, percent), "undefined");
    }

    #[test]
    fn small_numbers_keep_their_digits() {
        assert_eq!(compact(0.0), "0");
        assert_eq!(compact(0.000_42), "0.0004200");
        assert_eq!(compact(-1.5), "−1.500");
        assert_eq!(compact(421.0), "421");
        assert_eq!(compact(4.2e-7), "4.20e−7");
    }
}
