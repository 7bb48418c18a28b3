//! [`plain`]: text from strangers, safe to print.

use std::borrow::Cow;

/// Text without what would make a terminal do things, or show it in an order of
/// its own: such characters are spelled out.
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
    if !text.chars().any(acts) {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len() + 16);
    for letter in text.chars() {
        match acts(letter) {
            // `\u{1b}` is spelled as JSON does it
            true => plain.push_str(&format!("\\u{:04x}", u32::from(letter))),
            false => plain.push(letter),
        }
    }
    Cow::Owned(plain)
}

/// Control characters, and those that turn the direction of writing.
fn acts(letter: char) -> bool {
    letter.is_control() || matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_text_is_left_alone() {
        for text in ["", "naïve, 日本語 👍", "עברית"] {
            assert!(matches!(plain(text), Cow::Borrowed(same) if same == text));
        }
    }

    #[test]
    fn what_a_terminal_obeys_is_spelled_out() {
        assert_eq!(plain("\u{1b}[2Jgone\n"), "\\u001b[2Jgone\\u000a");
        assert_eq!(plain("\u{9b}31m\u{7f}"), "\\u009b31m\\u007f");
        assert_eq!(plain("a\u{202e}b"), "a\\u202eb");
    }
}
