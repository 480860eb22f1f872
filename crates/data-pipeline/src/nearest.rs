//! Which of the names that exist was probably meant.

/// `names`, the most similar to `wanted` first: by edit distance without regard to case, then by alphabet.
pub(crate) fn by_similarity(wanted: &str, names: impl IntoIterator<Item = String>) -> Vec<String> {
    let wanted = wanted.to_lowercase();
    let mut ranked: Vec<(usize, String)> =
        names.into_iter().map(|name| (edit_distance(&wanted, &name.to_lowercase()), name)).collect();
    ranked.sort();
    ranked.into_iter().map(|(_, name)| name).collect()
}

/// Insertions, deletions and substitutions that turn `from` into `to` (Levenshtein 1966).
fn edit_distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (line, letter) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = line + 1;
        for column in 0..to.len() {
            let substituted = diagonal + usize::from(letter != to[column]);
            diagonal = row[column + 1];
            row[column + 1] = substituted.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_example() {
        assert_eq!(edit_distance("kitten", "sitting"), 3);
        assert_eq!(edit_distance("", "abc"), 3);
    }

    #[test]
    fn case_does_not_matter() {
        let names = ["date", "Close", "volume"].map(String::from);
        assert_eq!(by_similarity("close", names)[0], "Close");
    }
}
