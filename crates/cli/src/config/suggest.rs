//! The word somebody probably meant.

/// The candidate nearest to `word`, when one is near enough to be worth a question.
pub(crate) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = normalised(word);
    candidates
        .into_iter()
        .filter_map(|candidate| distance(&word, &normalised(candidate)).map(|distance| (distance, candidate)))
        .min()
        .map(|(_, candidate)| candidate)
}

/// `batchSize`, `batch-size` and `BATCH_SIZE` are all near `batch_size`.
fn normalised(word: &str) -> String {
    word.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).flat_map(char::to_lowercase).collect()
}

/// Edits from one word to the other; `None` when they have too little in common.
fn distance(word: &str, candidate: &str) -> Option<usize> {
    const SHORTEST_PART: usize = 4;
    let edits = strsim::damerau_levenshtein(word, candidate);
    let longest = word.chars().count().max(candidate.chars().count());
    let is_part = (word.len() >= SHORTEST_PART && candidate.contains(word))
        || (candidate.len() >= SHORTEST_PART && word.contains(candidate));
    (edits <= longest.max(3) / 3 || is_part).then_some(edits)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    const KEYS: [&str; 5] = ["num_epochs", "batch_size", "optimizer", "scheduler", "gradient_clip"];

    #[test]
    fn typing_mistakes_and_other_spellings_are_recognised() {
        for (word, meant) in [
            ("num_epoch", "num_epochs"),
            ("epochs", "num_epochs"),
            ("batchSize", "batch_size"),
            ("batch-size", "batch_size"),
            ("optimiser", "optimizer"),
            ("shceduler", "scheduler"),
        ] {
            assert_eq!(nearest(word, KEYS), Some(meant), "{word}");
        }
    }

    #[test]
    fn a_word_from_elsewhere_is_near_nothing() {
        assert_eq!(nearest("curriculum", KEYS), None);
        assert_eq!(nearest("x", KEYS), None);
    }
}
