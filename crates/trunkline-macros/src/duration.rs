//! [`millis`]: a time as people write it.

use crate::bare::bare_value;
use syn::{Error, Expr, ExprLit, Lit, Result};

/// The milliseconds of `"5s"`, `"500ms"`, `"2m"`, `"1h"`, or of a number of seconds.
pub(crate) fn millis(value: &Expr) -> Result<u64> {
    let Expr::Lit(ExprLit { lit, .. }) = bare_value(value) else { return Err(no_duration(value)) };
    let millis = match lit {
        Lit::Str(text) => parse(&text.value()),
        Lit::Int(seconds) if seconds.suffix().is_empty() => {
            seconds.base10_parse().ok().and_then(|it| in_millis(it, 1000.0))
        }
        Lit::Float(seconds) if seconds.suffix().is_empty() => {
            seconds.base10_parse().ok().and_then(|it| in_millis(it, 1000.0))
        }
        _ => None,
    };
    millis.ok_or_else(|| no_duration(value))
}

fn parse(text: &str) -> Option<u64> {
    let end = text.find(|it: char| !it.is_ascii_digit() && it != '.')?;
    let unit = match text[end..].trim_start() {
        "ms" => 1.0,
        "s" => 1000.0,
        "m" => 60_000.0,
        "h" => 3_600_000.0,
        _ => return None,
    };
    in_millis(text[..end].parse().ok()?, unit)
}

fn in_millis(number: f64, unit: f64) -> Option<u64> {
    let millis = number * unit;
    // a year is longer than any call
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is in the range")]
    (1.0..=31_536_000_000.0).contains(&millis).then(|| millis.round() as u64)
}

fn no_duration(value: &Expr) -> Error {
    let message = "not a time that a call can take: write a number and `ms`, `s`, `m` or `h`, such as \"5s\", \
                   or a number of seconds";
    Error::new_spanned(value, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_as_people_write_them() {
        let told = |text: &str| millis(&syn::parse_str(text).unwrap()).ok();
        for (text, expected) in [
            (r#""5s""#, 5_000),
            (r#""1.5 s""#, 1_500),
            (r#""20ms""#, 20),
            (r#""2m""#, 120_000),
            ("3", 3_000),
            ("0.5", 500),
        ] {
            assert_eq!(told(text), Some(expected), "{text}");
        }
        for text in ["0", r#""5""#, r#""s""#, r#""5 sec""#, r#""""#, "-1", "5u8", r#""1e9h""#, "five()"] {
            assert_eq!(told(text), None, "{text}");
        }
    }
}
