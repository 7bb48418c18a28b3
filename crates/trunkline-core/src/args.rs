//! [`decode`]: arguments by name or by position, into one type.
//!
//! A struct takes both: an object by field name, an array by field order. What
//! callers of other languages cannot help doing is met half-way, and only where
//! the strict reading has failed already, so it costs ordinary calls nothing:
//!
//! - no arguments at all, `[]` and `{}` mean the same to a procedure without any;
//! - `["Ada"]` fits a procedure whose only argument is a string;
//! - the last arguments may be left out of an array, where they are optional.

mod asked;
mod filler;
mod left_out;

pub use self::asked::{Asked, Step};

pub(crate) use self::asked::asked;

use self::left_out::{Unfit, decode_short};
use crate::{
    Fault, FaultKind,
    payload::{DecodeError, Payload},
};
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
///
/// #[derive(serde::Deserialize, Debug, PartialEq)]
/// struct Page { of: String, from: Option<u64> }
///
/// let first: Page = args::decode(Some(Payload::Json(r#"["guests"]"#)))?;
/// assert_eq!(first, Page { of: "guests".into(), from: None });
/// # Ok::<(), trunkline_core::Fault>(())
/// ```
///
/// # Errors
///
/// Fails with [`FaultKind::InvalidArgs`] if an argument is missing, superfluous
/// or of another type; the fault says which.
pub fn decode<A: DeserializeOwned>(args: Option<Payload<'_>>) -> Result<A, Fault> {
    let Some(args) = args else { return absent().map(|(args, _)| args) };
    args.decode().or_else(|error| forgiving(args, &error).map(|(args, _)| args))
}

/// Decodes the arguments of a call, and says what they were taken for: a value may
/// have been given in a list of one, or as nothing at all.
pub(crate) fn read<'a, A: DeserializeOwned>(args: Option<Payload<'a>>) -> Result<(A, Payload<'a>), Fault> {
    let Some(args) = args else { return absent() };
    match args.decode() {
        Ok(decoded) => Ok((decoded, args)),
        Err(error) => forgiving(args, &error),
    }
}

/// Where the strict reading has failed.
#[cold]
fn forgiving<'a, A: DeserializeOwned>(
    args: Payload<'a>,
    error: &DecodeError,
) -> Result<(A, Payload<'a>), Fault> {
    let missing = match decode_short(args) {
        Ok(decoded) => return Ok((decoded, args)),
        Err(missing @ Unfit::Missing(_)) => Some(missing.to_string()),
        Err(Unfit::Otherwise) => None,
    };
    unwrapped(args).ok_or_else(|| unfit(missing.unwrap_or_else(|| error.to_string())))
}

#[cold]
fn absent<'a, A: DeserializeOwned>() -> Result<(A, Payload<'a>), Fault> {
    let spelled = ["null", "[]", "{}"].map(Payload::Json);
    let short = || Some((decode_short(spelled[1]).ok()?, spelled[1]));
    spelled
        .iter()
        .find_map(|nothing| Some((nothing.decode().ok()?, *nothing)))
        .or_else(short)
        .ok_or_else(|| unfit("the procedure takes arguments, but none were given"))
}

fn unfit(why: impl serde::Serialize) -> Fault {
    Fault::new(FaultKind::InvalidArgs, "Invalid params").with_data(why)
}

/// The only argument, out of the array around it; or nothing, out of brackets.
#[cold]
fn unwrapped<A: DeserializeOwned>(args: Payload<'_>) -> Option<(A, Payload<'_>)> {
    let inner = only(args)?;
    Some((inner.decode().ok()?, inner))
}

/// What the only argument is that is given, or `null` if there is none.
pub(crate) fn only(args: Payload<'_>) -> Option<Payload<'_>> {
    let Payload::Json(text) = args;
    let inner = text.trim_ascii().strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    match inner.map(str::trim_ascii) {
        // an object inside the array stays what it is: by name means without an array
        Some(only) if !only.is_empty() && !only.starts_with('{') => {
            args.decode::<(IgnoredAny,)>().ok()?;
            Some(Payload::Json(only))
        }
        _ if args.decode::<[IgnoredAny; 0]>().is_ok() || is_empty_object(text) => Some(Payload::Json("null")),
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
    use serde_json::Value;

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

    #[derive(Deserialize, Debug, PartialEq)]
    struct Few {
        a: i64,
        b: Option<i64>,
    }

    #[derive(Deserialize, Debug, PartialEq)]
    struct Any {
        a: Option<i64>,
        b: Option<Value>,
    }

    #[test]
    fn the_last_arguments_may_be_left_out_where_they_are_optional() {
        fits("[1]", Few { a: 1, b: None });
        fits(" [ 1 ] ", (1, None::<i64>));
        for nothing in ["[]", "{}", " [ ] "] {
            fits(nothing, Any { a: None, b: None });
        }
        fits("[]", (None::<u8>, None::<u8>));
        assert_eq!(decode::<Any>(None).unwrap(), Any { a: None, b: None });
        assert_eq!(decode::<(Option<u8>,)>(None).unwrap(), (None,));
        // an element is an argument before it is taken for a list of them
        fits("[[1,2]]", (serde_json::json!([1, 2]), None::<Value>));
        fits("[[1,2]]", Pair { a: 1, b: 2 });
    }

    #[test]
    fn what_is_missing_is_named() {
        let told = |args, decode: fn(Option<Payload<'_>>) -> Option<Fault>| {
            decode(Some(Payload::Json(args))).unwrap().data::<String>().unwrap()
        };
        let pair = |args| told(args, |args| decode::<Pair>(args).err());
        assert_eq!(pair("[1]"), "missing argument `b`");
        assert_eq!(pair("[]"), "missing argument `a`");
        assert!(pair(r#"{"a":1}"#).starts_with("missing field `b`"));
        assert!(pair(r#"["x"]"#).starts_with("invalid type: string \"x\""));
        assert!(pair("[1,2,3]").starts_with("trailing characters"));
        assert_eq!(told("[]", |args| decode::<Few>(args).err()), "missing argument `a`");
        assert_eq!(told("[1]", |args| decode::<(u8, u8)>(args).err()), "missing argument 2 of 2");
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
