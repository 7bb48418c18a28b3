//! [`parse`]: durations as people write them.

use std::time::Duration;

/// Reads `500ms`, `5s`, `2m`, `1h 30m`.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(Duration::ZERO) => Err("it is nothing at all; write 500ms, 5s or 2m".into()),
        Ok(duration) => Ok(duration),
        Err(error) => Err(format!("{error}; write 500ms, 5s or 2m")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_units_are_read() {
        for (text, millis) in [("500ms", 500), ("5s", 5_000), ("2m", 120_000), ("1h 30m", 5_400_000)] {
            assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn others_are_refused_with_an_example() {
        for text in ["5", "", "s", "-1s", "0s", "soon", "5 parsecs"] {
            assert!(parse(text).unwrap_err().ends_with("write 500ms, 5s or 2m"), "{text}");
        }
    }
}
