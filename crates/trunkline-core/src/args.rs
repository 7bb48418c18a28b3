//! [`decode`]: arguments by name or by position, into one type.
//!
//! A struct takes both: an object by field name, an array by field order. What
//! callers of other languages cannot help doing is met half-way, and only where
//! the strict reading has failed already, so it costs ordinary calls nothing:
//!
//! - no arguments at all, `[]` and `{}` mean the same to a procedure without any;
//! - `["Ada"]` fits a procedure whose only argument is a string.

use crate::{Fault, FaultKind, payload::Payload};
use serde::de::{DeserializeOwned, IgnoredAny};

/// Decodes the arguments of a call.
///
/// ```
/// # use trunkline_core::{Payload, args};
/// #[derive(serde::Deserialize, Debug, PartialEq)]
/// struct Divide { numerator: f64, denominator: f64 }
///
/// let by_name: Divide = args::decode(Some(Payload::Json(r#"{"denominator":2,"numerator":6}"#)))?;
/// let by_order: Divide = args::decode(Some(Payload::Json("[6, 2]")))?;
/// assert_eq!(by_name, by_order);
///
/// let () = args::decode(None)?;
/// let name: String = args::decode(Some(Payload::Json(r#"["Ada"]"#)))?;
/// # Ok::<(), trunkline_core::Fault>(())
/// ```
///
/// # Errors
///
/// Fails with [`FaultKind::InvalidArgs`] if an argument is missing, superfluous
/// or of another type; the fault says which.
pub fn decode<A: DeserializeOwned>(args: Option<Payload<'_>>) -> Result<A, Fault> {
    let Some(args) = args else { return absent() };
    let error = match args.decode() {
        Ok(args) => return Ok(args),
        Err(error) => error,
    };
    forgiving(args)
        .ok_or_else(|| Fault::new(FaultKind::InvalidArgs, "Invalid params").with_data(error.to_string()))
}

#[cold]
fn absent<A: DeserializeOwned>() -> Result<A, Fault> {
    ["null", "[]", "{}"].into_iter().find_map(|nothing| Payload::Json(nothing).decode().ok()).ok_or_else(
        || {
            Fault::new(FaultKind::InvalidArgs, "Invalid params")
                .with_data("the procedure takes arguments, but none were given")
        },
    )
}

#[cold]
fn forgiving<A: DeserializeOwned>(args: Payload<'_>) -> Option<A> {
    let Payload::Json(text) = args;
    let inner = text.trim_ascii().strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    match inner.map(str::trim_ascii) {
        // an object inside the array stays what it is: by name means without an array
        Some(only) if !only.is_empty() && !only.starts_with('{') => {
            args.decode::<(IgnoredAny,)>().ok()?;
            Payload::Json(only).decode().ok()
        }
        _ if args.decode::<[IgnoredAny; 0]>().is_ok() || is_empty_object(text) => {
            Payload::Json("null").decode().ok()
        }
        _ => None,
    }
}

fn is_empty_object(text: &str) -> bool {
    let inner = text.trim_ascii().strip_prefix('{').and_then(|text| text.strip_suffix('}'));
    inner.is_some_and(|inner| inner.trim_ascii().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Deserialize, Debug, PartialEq)]
    struct Pair {
        a: i64,
        b: i64,
    }

    #[track_caller]
    fn fits<A: DeserializeOwned + PartialEq + std::fmt::Debug>(args: &str, expected: A) {
        assert_eq!(decode::<A>(Some(Payload::Json(args))).unwrap(), expected);
    }

    #[track_caller]
    fn refused<A: DeserializeOwned + std::fmt::Debug>(args: &str) {
        let fault = decode::<A>(Some(Payload::Json(args))).unwrap_err();
        assert_eq!(fault.kind(), FaultKind::InvalidArgs);
    }

    #[test]
    fn a_struct_takes_names_and_positions() {
        fits(r#"{"b":2,"a":1}"#, Pair { a: 1, b: 2 });
        fits("[1,2]", Pair { a: 1, b: 2 });
    }

    #[test]
    fn too_many_too_few_and_ill_typed_are_refused() {
        for args in ["[1]", "[1,2,3]", r#"{"a":1}"#, r#"["1",2]"#, "[]", "{}", "[9223372036854775808,0]"] {
            refused::<Pair>(args);
        }
        refused::<()>("[1]");
        refused::<()>(r#"{"a":1}"#);
    }

    #[test]
    fn an_object_in_an_array_is_not_by_name() {
        refused::<Pair>(r#"[{"a":1,"b":2}]"#);
    }

    #[test]
    fn nothing_is_nothing_however_it_is_spelled() {
        fits("[]", ());
        fits("{}", ());
        fits(" [ ] ", ());
        decode::<()>(None).unwrap();
        assert_eq!(decode::<Vec<u8>>(None).unwrap(), Vec::<u8>::new());
        assert_eq!(decode::<Option<u8>>(None).unwrap(), None);
        assert_eq!(decode::<Pair>(None).unwrap_err().kind(), FaultKind::InvalidArgs);
    }

    #[test]
    fn one_positional_argument_fits_a_plain_type() {
        fits(r#"["Ada"]"#, "Ada".to_owned());
        fits("[ 5 ]", 5u8);
        fits("[[1,2]]", vec![1, 2]);
        fits("[1,2]", vec![1, 2]);
        refused::<u8>("[5,6]");
    }
}
