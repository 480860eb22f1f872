//! Keys and values as MLflow takes them. It cuts some of what is too long, refuses the whole message for the rest, and
//! drops everything behind a number that JSON does not have: so nothing of that is ever sent.

use serde_json::{Value, json};

/// The longest key of a parameter, metric or tag.
const LONGEST_KEY: usize = 250;
/// The longest value of a parameter; MLflow cuts what is longer and says nothing.
const LONGEST_PARAM: usize = 6000;
/// The longest value of a tag; likewise.
const LONGEST_TAG: usize = 8000;

/// A key with every character that MLflow refuses replaced by `_`, cut to the longest one.
pub(super) fn key(name: &str) -> String {
    let allowed = |c: char| c.is_alphanumeric() || "_-. :/".contains(c);
    let mut key: String = name.chars().map(|c| if allowed(c) { c } else { '_' }).take(LONGEST_KEY).collect();
    // Keys become paths: none may lead out of its folder or be written in two ways.
    while key.contains("..") || key.contains("//") || key.contains("./") {
        key = key.replace("..", "_.").replace("//", "/_").replace("./", "_/");
    }
    let trimmed = key.trim_matches(['/', '.']);
    if trimmed.is_empty() { "_".into() } else { trimmed.into() }
}

/// A parameter or tag.
pub(super) fn entry(name: &str, value: &str) -> Value {
    json!({ "key": key(name), "value": value })
}

/// The value of a parameter, and whether it had to be cut.
pub(super) fn param(value: &str) -> (String, bool) {
    cut(value, LONGEST_PARAM)
}

/// The value of a tag, cut to the longest one.
pub(super) fn tag(value: &str) -> String {
    cut(value, LONGEST_TAG).0
}

/// The value of a tag that runs are searched by: a search has no way to write an apostrophe.
pub(super) fn findable(value: &str) -> String {
    tag(&value.replace('\'', "_"))
}

fn cut(value: &str, longest: usize) -> (String, bool) {
    // Counted in bytes, which are at least as many as whatever the server counts.
    if value.len() <= longest {
        return (value.into(), false);
    }
    let mut end = longest - '…'.len_utf8();
    while !value.is_char_boundary(end) {
        end -= 1;
    }
    (format!("{}…", &value[..end]), true)
}

/// A number as JSON that every server reads alike: the words for those that JSON does not have.
pub(super) fn number(value: f64) -> Value {
    match value {
        value if value.is_nan() => "NaN".into(),
        f64::INFINITY => "Infinity".into(),
        f64::NEG_INFINITY => "-Infinity".into(),
        value => value.into(),
    }
}

/// A configuration as parameters: one for each value, named by its path, lists on one line.
pub(super) fn flattened(config: &Value) -> Vec<(String, String)> {
    let mut params = Vec::new();
    flatten("", config, &mut params);
    params
}

fn flatten(path: &str, value: &Value, params: &mut Vec<(String, String)>) {
    match value {
        Value::Object(section) => {
            for (name, value) in section {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                flatten(&path, value, params);
            }
        }
        Value::String(text) => params.push((path.into(), text.clone())),
        other => params.push((path.into(), other.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_holds_nothing_that_is_refused() {
        let long = "x".repeat(300);
        for (name, written) in [
            (
                "validation/price_prediction/h12/rank_ic_series",
                "validation/price_prediction/h12/rank_ic_series",
            ),
            ("a,b@c[0]", "a_b_c_0_"),
            ("../../etc", "_._/_._/etc"),
            ("größe", "größe"),
            ("", "_"),
            (&long, &long[..250]),
        ] {
            let key = key(name);
            assert!(!key.contains("..") && !key.contains("//"), "{key}");
            if !name.starts_with("..") {
                assert_eq!(key, written);
            }
        }
    }

    #[test]
    fn a_number_that_json_lacks_is_a_word() {
        let words = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.1].map(number);
        assert_eq!(Value::from(words.to_vec()).to_string(), r#"["NaN","Infinity","-Infinity",0.1]"#);
    }

    #[test]
    fn a_value_that_is_too_long_is_cut_at_a_character_and_that_is_told() {
        let (short, told) = param("short");
        assert_eq!((short.as_str(), told), ("short", false));
        let (long, told) = param(&"ü".repeat(4000));
        assert!(told && long.len() <= LONGEST_PARAM && long.ends_with("ü…"), "{}", long.len());
    }

    #[test]
    fn a_configuration_is_flat_and_lists_stay_whole() {
        let config = json!({ "seed": 7, "data": { "features": ["a", "b"], "scaling": { "clip": null } } });
        let flat = flattened(&config);
        let flat: Vec<(&str, &str)> = flat.iter().map(|(name, value)| (&**name, &**value)).collect();
        let expected = [("seed", "7"), ("data.features", r#"["a","b"]"#), ("data.scaling.clip", "null")];
        assert_eq!(flat, expected);
    }
}
