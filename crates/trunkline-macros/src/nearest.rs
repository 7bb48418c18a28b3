//! [`nearest`]: what somebody who misspelt a word meant.

/// The one of `known` that `word` is nearly.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let close = known.into_iter().map(|it| (distance(word, it), it));
    close.filter(|(distance, it)| *distance <= it.len().div_ceil(3)).min().map(|(_, it)| it)
}

/// How many letters are to be put in, taken out or changed.
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.chars().count()).collect();
    for (above, letter) in one.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], above + 1);
        for (at, its) in other.chars().enumerate() {
            let changed = diagonal + usize::from(letter != its);
            diagonal = row[at + 1];
            row[at + 1] = changed.min(diagonal + 1).min(row[at] + 1);
        }
    }
    row[row.len() - 1]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_forgiven_and_another_word_is_not() {
        let known = ["timeout", "group", "data", "idempotent"];
        assert_eq!(nearest("timout", known), Some("timeout"));
        assert_eq!(nearest("idempotant", known), Some("idempotent"));
        assert_eq!(nearest("groups", known), Some("group"));
        assert_eq!(nearest("color", known), None);
    }
}
