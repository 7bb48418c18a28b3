//! [`render`]: JSON on one line or on many, with or without colours.
//!
//! It works on the text, token by token: a number that went through a float
//! would be another number.

use super::plain;
use clap::builder::styling::{AnsiColor, Style};

const KEY: Style = AnsiColor::Blue.on_default().bold();
const STRING: Style = AnsiColor::Green.on_default();
const NUMBER: Style = AnsiColor::Yellow.on_default();
const WORD: Style = AnsiColor::Magenta.on_default();
const NONE: Style = Style::new();

/// Where line breaks go.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Layout {
    /// Nowhere.
    Line,
    /// After every value.
    Indented,
}

/// Writes a valid JSON text anew.
pub(super) fn render(text: &str, layout: Layout, colours: bool) -> String {
    let mut out = Renderer { out: String::with_capacity(text.len()), layout, colours, open: Vec::new() };
    let mut rest = text.trim_ascii_start();
    let mut before = "";
    while !rest.is_empty() {
        let (token, after) = rest.split_at(token_len(rest));
        rest = after.trim_ascii_start();
        let is_key = token.starts_with('"') && matches!(before, "{" | ",") && out.open.last() == Some(&"{");
        out.token(token, is_key, matches!(rest.as_bytes().first(), Some(b']' | b'}')));
        before = token;
    }
    out.out
}

/// How long the token at the beginning of `text` is.
fn token_len(text: &str) -> usize {
    let bytes = text.as_bytes();
    match bytes[0] {
        b'"' => {
            let mut escaped = false;
            let end = bytes.iter().skip(1).position(|byte| {
                let ends = *byte == b'"' && !escaped;
                escaped = *byte == b'\\' && !escaped;
                ends
            });
            end.map_or(bytes.len(), |end| end + 2)
        }
        b'{' | b'}' | b'[' | b']' | b':' | b',' => 1,
        _ => text
            .find(|letter: char| letter.is_ascii_whitespace() || "{}[]:,\"".contains(letter))
            .unwrap_or(text.len()),
    }
}

struct Renderer<'a> {
    out: String,
    layout: Layout,
    colours: bool,
    /// The brackets that are open.
    open: Vec<&'a str>,
}

impl<'a> Renderer<'a> {
    fn token(&mut self, token: &'a str, is_key: bool, closes_next: bool) {
        match token {
            "{" | "[" => {
                self.open.push(token);
                self.out.push_str(token);
                if !closes_next {
                    self.break_line();
                }
            }
            "}" | "]" => {
                self.open.pop();
                if !self.out.ends_with(['{', '[']) {
                    self.break_line();
                }
                self.out.push_str(token);
            }
            "," => {
                self.out.push(',');
                self.break_line();
            }
            ":" => self.out.push_str(if self.layout == Layout::Indented { ": " } else { ":" }),
            _ => {
                let style = match token.as_bytes()[0] {
                    _ if !self.colours => NONE,
                    b'"' if is_key => KEY,
                    b'"' => STRING,
                    b't' | b'f' | b'n' => WORD,
                    _ => NUMBER,
                };
                self.out.push_str(&format!("{style}{}{style:#}", plain(token)));
            }
        }
    }

    fn break_line(&mut self) {
        if self.layout == Layout::Indented {
            self.out.push('\n');
            self.out.extend(self.open.iter().map(|_| "  "));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn lines(text: &str, line: &str, indented: &str) {
        assert_eq!(render(text, Layout::Line, false), line);
        assert_eq!(render(text, Layout::Indented, false), indented);
    }

    #[test]
    fn every_shape_is_laid_out() {
        lines(" 1 ", "1", "1");
        lines("[ ]", "[]", "[]");
        lines("[{ }, null]", "[{},null]", "[\n  {},\n  null\n]");
        lines(
            "{ \"a\" : [1,\n2], \"b\":\"x y\" }",
            r#"{"a":[1,2],"b":"x y"}"#,
            "{\n  \"a\": [\n    1,\n    2\n  ],\n  \"b\": \"x y\"\n}",
        );
    }

    #[test]
    fn brackets_in_strings_are_letters() {
        lines(r#"["]","\"[","\\"]"#, r#"["]","\"[","\\"]"#, "[\n  \"]\",\n  \"\\\"[\",\n  \"\\\\\"\n]");
        lines(r#"["[",[]]"#, r#"["[",[]]"#, "[\n  \"[\",\n  []\n]");
    }

    #[test]
    fn no_digit_is_lost() {
        let text = "[12345678901234567890123,1.10,-0,1e400]";
        assert_eq!(render(text, Layout::Line, false), text);
    }

    #[test]
    fn control_characters_stay_valid_json() {
        let text = "[\"a\u{9b}b\"]";
        let rendered = render(text, Layout::Line, false);
        assert_eq!(rendered, r#"["a\u009bb"]"#);
        let same: Vec<String> = serde_json::from_str(&rendered).unwrap();
        assert_eq!(same, ["a\u{9b}b"]);
    }

    #[test]
    fn keys_and_values_differ_in_colour() {
        let text = render(r#"{"a":"b"}"#, Layout::Line, true);
        assert_eq!(text, format!("{{{KEY}\"a\"{KEY:#}:{STRING}\"b\"{STRING:#}}}"));
    }
}
