//! [`captured`]: a message whose `{0}` are names, as `format!` captures them.

/// The same message with `field_` before each number of a field.
pub(super) fn captured(message: &str) -> String {
    let mut text = String::with_capacity(message.len());
    let mut letters = message.chars().peekable();
    while let Some(letter) = letters.next() {
        text.push(letter);
        match (letter, letters.peek()) {
            ('{', Some('{')) => text.extend(letters.next()),
            ('{', Some(digit)) if digit.is_ascii_digit() => text.push_str("field_"),
            _ => {}
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::captured;

    #[test]
    fn numbers_become_names() {
        assert_eq!(
            captured("{0} of {12:?} {name} {{0}} {{{1}}}"),
            "{field_0} of {field_12:?} {name} {{0}} {{{field_1}}}"
        );
    }
}
