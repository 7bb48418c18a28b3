//! Numbers, as JavaScript writes and reads them.

use serde_json::Number;
use std::cmp::Ordering;

/// From here on doubles do not know every whole number.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// As a double, which is what every number is to JavaScript.
pub(super) fn of(number: &Number) -> f64 {
    number.as_f64().unwrap_or(f64::INFINITY)
}

/// A whole number, with all its digits.
pub(super) fn whole(number: &Number) -> Option<i128> {
    let exact = number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from));
    #[expect(clippy::cast_possible_truncation, reason = "it is within the range")]
    exact.or_else(|| {
        let double = of(number);
        (double.fract() == 0.0 && double.abs() < 1e38).then_some(double as i128)
    })
}

/// Whether it is one without a fraction.
pub(super) fn is_whole(number: &Number) -> bool {
    of(number).fract() == 0.0
}

/// `1` for `1.0`; `None` for what has a fraction or more digits than a double knows.
pub(super) fn tidied(double: f64) -> Option<Number> {
    #[expect(clippy::cast_possible_truncation, reason = "it is within the range")]
    (double.fract() == 0.0 && double.abs() <= EXACT).then_some((double as i64).into())
}

/// The two compared, whole numbers to the last digit.
pub(super) fn compare(one: &Number, other: &Number) -> Ordering {
    match (whole(one), whole(other)) {
        (Some(one), Some(other)) => one.cmp(&other),
        _ => of(one).total_cmp(&of(other)),
    }
}

pub(super) fn is_multiple(number: &Number, of_this: &Number) -> bool {
    match (whole(number), whole(of_this)) {
        (Some(number), Some(of_this)) => of_this != 0 && number % of_this == 0,
        _ => (of(number) / of(of_this)).fract() == 0.0,
    }
}

/// As JavaScript writes it: `1`, `0.000001`, `1e-7`, `1e+21`.
pub(super) fn text(number: &Number) -> String {
    let double = of(number);
    match double.abs() {
        _ if number.is_i64() || number.is_u64() => number.to_string(),
        0.0 => "0".to_owned(),
        1e-6..1e21 => double.to_string(),
        1e21.. => format!("{double:e}").replace('e', "e+"),
        _ => format!("{double:e}"),
    }
}

/// What JavaScript makes of text that spells a number; nothing where it makes none, of
/// the empty text, and of what JSON cannot write.
pub(super) fn read(text: &str) -> Option<Number> {
    let digits = text.trim_matches(|it: char| it.is_whitespace() && it != '\u{85}' || it == '\u{feff}');
    if digits.is_empty() {
        return (!text.is_empty()).then_some(0.into());
    }
    if let Ok(whole) = digits.parse::<i64>() {
        return Some(whole.into());
    }
    if let Ok(whole) = digits.parse::<u64>() {
        return Some(whole.into());
    }
    let double = match digits.get(..2).map(str::to_ascii_lowercase).as_deref() {
        Some("0x") => with_radix(&digits[2..], 16)?,
        Some("0o") => with_radix(&digits[2..], 8)?,
        Some("0b") => with_radix(&digits[2..], 2)?,
        // neither `inf` nor `nan`
        _ if digits.contains(|it: char| it.is_ascii_alphabetic() && !matches!(it, 'e' | 'E')) => return None,
        _ => digits.parse().ok()?,
    };
    tidied(double).or_else(|| Number::from_f64(double))
}

fn with_radix(digits: &str, radix: u32) -> Option<f64> {
    let digit = |it: char| it.to_digit(radix).map(f64::from);
    let number = digits.chars().try_fold(0.0, |so_far, it| Some(so_far * f64::from(radix) + digit(it)?));
    number.filter(|_| !digits.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_read_as_javascript_reads_it() {
        let number = |text: &str| serde_json::from_str::<Number>(text).ok();
        for (text, expected) in [
            ("2", "2"),
            (" \u{a0}5\u{feff}\n", "5"),
            ("  ", "0"),
            ("+5", "5"),
            ("007", "7"),
            (".5", "0.5"),
            ("5.", "5"),
            ("-0", "0"),
            ("1E3", "1000"),
            ("0X1f", "31"),
            ("0b11", "3"),
            ("0o17", "15"),
            ("1e300", "1e300"),
            ("9007199254740993", "9007199254740993"),
            ("18446744073709551615", "18446744073709551615"),
        ] {
            assert_eq!(read(text), number(expected), "{text:?}");
        }
        for text in [
            "", "x", "1_0", "-0x10", "0x", "0x1.8", "1e", "NaN", "Infinity", "inf", "1e400", "5 5", "1n",
            "\u{85}1", "é",
        ] {
            assert_eq!(read(text), None, "{text:?}");
        }
    }

    #[test]
    fn numbers_are_written_as_javascript_writes_them() {
        for (number, expected) in [
            ("-7", "-7"),
            ("1.0", "1"),
            ("-0.0", "0"),
            ("1.5", "1.5"),
            ("1e21", "1e+21"),
            ("-1.5e300", "-1.5e+300"),
            ("123456789012345680000", "123456789012345680000"),
            ("0.000001", "0.000001"),
            ("1e-7", "1e-7"),
            ("18446744073709551615", "18446744073709551615"),
        ] {
            assert_eq!(text(&serde_json::from_str(number).unwrap()), expected);
        }
    }

    #[test]
    fn whole_numbers_are_compared_to_the_last_digit() {
        let number = |text: &str| serde_json::from_str::<Number>(text).unwrap();
        assert_eq!(compare(&number("9007199254740993"), &number("9007199254740992")), Ordering::Greater);
        assert_eq!(compare(&number("1.0"), &number("1")), Ordering::Equal);
        assert_eq!(compare(&number("-0.0"), &number("0")), Ordering::Equal);
        assert_eq!(compare(&number("1e300"), &number("18446744073709551615")), Ordering::Greater);
        assert!(is_multiple(&number("1.5"), &number("0.5")) && !is_multiple(&number("1.2"), &number("0.5")));
        assert!(is_multiple(&number("9007199254740993"), &number("3")));
        assert!(!is_multiple(&number("9007199254740993"), &number("2")));
        assert!(!is_multiple(&number("1e300"), &number("1e-300")), "more than a double");
    }
}
