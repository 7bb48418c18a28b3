//! [`read`] and [`positional`]: the parameters of a call, as somebody typed them.

use crate::failure::Failure;
use serde_json::value::RawValue;
use std::io::{self, Read};

/// Parameters as text: kept as they were spelled, so that no digit is lost.
pub(crate) type Params = Option<Box<RawValue>>;

/// Reads the parameters: JSON, or `-` for what stdin has to say.
pub(crate) fn read(typed: Option<&str>) -> Result<Params, Failure> {
    match typed {
        None => Ok(None),
        Some("-") => {
            let text = io::read_to_string(io::stdin())
                .map_err(|error| Failure::usage("cannot read the parameters from stdin").cause(&error))?;
            parse(&text).map(Some)
        }
        Some(text) => parse(text).map(Some),
    }
}

/// Reads a file, or stdin if its name is `-`.
pub(crate) fn read_file(path: &str) -> Result<String, Failure> {
    let text = match path {
        "-" => io::read_to_string(io::stdin()),
        path => std::fs::File::open(path).and_then(|mut file| {
            let mut text = String::new();
            file.read_to_string(&mut text)?;
            Ok(text)
        }),
    };
    text.map_err(|error| Failure::usage(format!("cannot read `{path}`")).cause(&error))
}

fn parse(text: &str) -> Result<Box<RawValue>, Failure> {
    let value = serde_json::from_str(text).map_err(|error| {
        Failure::usage(format!("the parameters are not JSON: {error}"))
            .hint(r#"an array, such as '[2, 3]', an object, such as '{"name": "Ada"}', or '"Ada"', its quotes included"#)
    })?;
    Ok(positional(value))
}

/// A value that is neither array nor object is the only parameter there is.
pub(crate) fn positional(value: Box<RawValue>) -> Box<RawValue> {
    match value.get().as_bytes().first() {
        Some(b'[' | b'{') => value,
        // what is valid stays valid within brackets
        _ => RawValue::from_string(format!("[{value}]")).unwrap_or(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn reads(typed: &str, params: &str) {
        assert_eq!(read(Some(typed)).unwrap().unwrap().get(), params);
    }

    #[test]
    fn arrays_and_objects_are_kept_as_they_are() {
        reads("[1, 2.50, 12345678901234567890123]", "[1, 2.50, 12345678901234567890123]");
        reads(r#" {"a": 1} "#, r#"{"a": 1}"#);
        assert!(read(None).unwrap().is_none());
    }

    #[test]
    fn a_value_of_its_own_is_the_only_parameter() {
        reads("5", "[5]");
        reads(r#""Ada""#, r#"["Ada"]"#);
        reads("null", "[null]");
        reads("-1e400", "[-1e400]");
    }

    #[test]
    fn what_is_not_json_is_refused() {
        for typed in ["Ada", "", "[1,]", "{} {}", "'a'"] {
            assert!(read(Some(typed)).is_err(), "{typed}");
        }
    }
}
