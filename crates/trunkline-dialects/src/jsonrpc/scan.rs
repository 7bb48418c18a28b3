//! The JSON scanner: finds where values end, and checks every byte on the way.
//!
//! Each function takes the position of a token and returns the position after
//! it. Nothing is decoded and nothing allocated: values stay slices of the
//! input, and whoever wants one decodes it. The whole grammar of RFC 8259 is
//! checked, also in parts nobody looks at, so that a message is refused or run
//! regardless of who reads it. The only thing let through is an escaped lone
//! surrogate (`"\ud800"`), which is grammar, but no text: decoding refuses it.
//!
//! Nesting needs no recursion: one bit a level tells arrays from objects.

use super::not_json::{NotJson, NotJsonReason as Reason};
use super::string;

/// A position in the text, or why there is none: boxed, so that a position
/// travels in a register.
pub(super) type Step = Result<usize, Box<NotJson>>;

/// The most levels the scanner can keep track of.
pub(super) const MAX_DEPTH: usize = 128;

/// Skips white space.
#[inline(always)]
pub(super) fn blank(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\t' | b'\r') = bytes.get(at) {
        at += 1;
    }
    at
}

/// Checks that only white space follows.
#[inline]
pub(super) fn end(bytes: &[u8], at: usize) -> Result<(), Box<NotJson>> {
    let at = blank(bytes, at);
    if at == bytes.len() { Ok(()) } else { Err(NotJson::new(bytes, at, Reason::ExpectedEnd)) }
}

/// Whether a text is one JSON value, nested no deeper than `limit`.
#[cfg(feature = "dialect")]
pub(crate) fn is_json(text: &str, limit: usize) -> bool {
    let bytes = text.as_bytes();
    value(bytes, blank(bytes, 0), limit, 0).and_then(|after| end(bytes, after)).is_ok()
}

/// Walks the array whose `[` is at `at`, calling `see` for each element.
pub(super) fn elements(bytes: &[u8], at: usize, limit: usize, mut see: impl FnMut()) -> Step {
    if limit == 0 {
        return Err(too_deep(bytes, at, limit));
    }
    let mut at = blank(bytes, at + 1);
    if bytes.get(at) == Some(&b']') {
        return Ok(at + 1);
    }
    loop {
        at = blank(bytes, value(bytes, at, limit, 1)?);
        see();
        match bytes.get(at) {
            Some(b',') => at = blank(bytes, at + 1),
            Some(b']') => return Ok(at + 1),
            _ => return Err(NotJson::new(bytes, at, Reason::ExpectedArrayEnd)),
        }
    }
}

/// Finds the end of the value at `at`, which stands inside `depth` levels.
#[inline]
pub(super) fn value(bytes: &[u8], at: usize, limit: usize, depth: usize) -> Step {
    match bytes.get(at) {
        Some(b'{' | b'[') => nested(bytes, at, limit, depth),
        _ => scalar(bytes, at),
    }
}

/// Finds the end of the array or object whose bracket is at `at`.
#[inline]
pub(super) fn nested(bytes: &[u8], at: usize, limit: usize, outer: usize) -> Step {
    let room = limit.min(MAX_DEPTH).saturating_sub(outer);
    match flat(bytes, at) {
        Some(end) if room > 0 => Ok(end),
        _ => deep(bytes, at, limit, room),
    }
}

/// Up to which length a text is looked at by [`flat`].
const FLAT: usize = 256;

/// Finds the end of an array or object as most params are: short, without blanks,
/// with only strings and whole numbers in it. `None` says nothing about the text.
///
/// Two thirds of the work of [`deep`], as there is nothing to keep in mind.
fn flat(bytes: &[u8], at: usize) -> Option<usize> {
    let bytes = bytes.get(..at + FLAT).unwrap_or(bytes);
    let is_object = *bytes.get(at)? == b'{';
    let close = if is_object { b'}' } else { b']' };
    let mut at = at + 1;
    loop {
        if is_object {
            at = flat_string(bytes, at)?;
            if *bytes.get(at)? != b':' {
                return None;
            }
            at += 1;
        }
        at = match *bytes.get(at)? {
            b'1'..=b'9' => digits(bytes, at + 1),
            b'0' => at + 1,
            _ => flat_string(bytes, at)?,
        };
        match *bytes.get(at)? {
            b',' => at += 1,
            byte => return (byte == close).then_some(at + 1),
        }
    }
}

#[inline(always)]
fn flat_string(bytes: &[u8], at: usize) -> Option<usize> {
    match *bytes.get(at)? {
        b'"' => Some(string::end(bytes, at + 1).ok()?.0 + 1),
        _ => None,
    }
}

/// The same for those that are not [`flat`].
fn deep(bytes: &[u8], mut at: usize, limit: usize, room: usize) -> Step {
    let mut depth = 0;
    let mut objects: u128 = 0; // a bit a level, the innermost lowest: 1 is an object
    loop {
        // At a value.
        match bytes.get(at) {
            Some(b'{') => {
                if depth == room {
                    return Err(too_deep(bytes, at, limit));
                }
                at = blank(bytes, at + 1);
                if bytes.get(at) == Some(&b'}') {
                    at += 1;
                } else {
                    (depth, objects) = (depth + 1, objects << 1 | 1);
                    at = name(bytes, at)?;
                    continue;
                }
            }
            Some(b'[') => {
                if depth == room {
                    return Err(too_deep(bytes, at, limit));
                }
                at = blank(bytes, at + 1);
                if bytes.get(at) == Some(&b']') {
                    at += 1;
                } else {
                    (depth, objects) = (depth + 1, objects << 1);
                    continue;
                }
            }
            _ => at = scalar(bytes, at)?,
        }
        // After a value.
        loop {
            if depth == 0 {
                return Ok(at);
            }
            at = blank(bytes, at);
            let in_object = objects & 1 == 1;
            match bytes.get(at) {
                Some(b',') => {
                    at = blank(bytes, at + 1);
                    if in_object {
                        at = name(bytes, at)?;
                    }
                    break;
                }
                Some(b'}') if in_object => {}
                Some(b']') if !in_object => {}
                _ if in_object => return Err(NotJson::new(bytes, at, Reason::ExpectedObjectEnd)),
                _ => return Err(NotJson::new(bytes, at, Reason::ExpectedArrayEnd)),
            }
            (at, depth, objects) = (at + 1, depth - 1, objects >> 1);
        }
    }
}

#[cold]
pub(super) fn too_deep(bytes: &[u8], at: usize, limit: usize) -> Box<NotJson> {
    let limit = u8::try_from(limit.min(MAX_DEPTH)).unwrap_or(u8::MAX);
    NotJson::new(bytes, at, Reason::TooDeep { limit })
}

/// Skips a member's name and its colon, up to the value.
#[inline(always)]
fn name(bytes: &[u8], at: usize) -> Step {
    if bytes.get(at) != Some(&b'"') {
        return Err(NotJson::new(bytes, at, Reason::ExpectedName));
    }
    colon(bytes, string::end(bytes, at + 1)?.0 + 1)
}

/// Skips the colon after a name, and the white space on both sides.
#[inline(always)]
pub(super) fn colon(bytes: &[u8], at: usize) -> Step {
    let at = blank(bytes, at);
    if bytes.get(at) != Some(&b':') {
        return Err(NotJson::new(bytes, at, Reason::ExpectedColon));
    }
    Ok(blank(bytes, at + 1))
}

/// Finds the end of the string, number or word at `at`.
#[inline(always)]
pub(super) fn scalar(bytes: &[u8], at: usize) -> Step {
    match bytes.get(at) {
        Some(b'"') => Ok(string::end(bytes, at + 1)?.0 + 1),
        Some(b'1'..=b'9') => number(bytes, at + 1),
        Some(_) => uncommon(bytes, at),
        None => Err(NotJson::new(bytes, at, Reason::ExpectedValue)),
    }
}

/// Finds the end of what is no string and begins with none of the digits 1 to 9.
fn uncommon(bytes: &[u8], at: usize) -> Step {
    match bytes.get(at) {
        Some(b'0') => number_end(bytes, at + 1),
        Some(b'-') => match bytes.get(at + 1) {
            Some(b'0') => number_end(bytes, at + 2),
            _ => number(bytes, digit(bytes, at + 1)?),
        },
        Some(b't') => word(bytes, at, b"true"),
        Some(b'f') => word(bytes, at, b"false"),
        Some(b'n') => word(bytes, at, b"null"),
        _ => Err(NotJson::new(bytes, at, Reason::ExpectedValue)),
    }
}

fn word(bytes: &[u8], at: usize, word: &[u8]) -> Step {
    match bytes.get(at..at + word.len()) {
        Some(found) if found == word => Ok(at + word.len()),
        _ => Err(NotJson::new(bytes, at, Reason::ExpectedValue)),
    }
}

/// Finds the end of the number whose first digit, which was none or no zero, is
/// behind us.
#[inline(always)]
fn number(bytes: &[u8], at: usize) -> Step {
    number_end(bytes, digits(bytes, at))
}

/// Finds the end of the number whose whole part is behind us. (No digit may
/// follow a leading zero; what follows it is looked at by whoever is next.)
#[inline(always)]
fn number_end(bytes: &[u8], at: usize) -> Step {
    match bytes.get(at) {
        Some(b'.' | b'e' | b'E') => fraction(bytes, at),
        _ => Ok(at),
    }
}

fn fraction(bytes: &[u8], mut at: usize) -> Step {
    if bytes.get(at) == Some(&b'.') {
        at = digits(bytes, digit(bytes, at + 1)?);
    }
    if let Some(b'e' | b'E') = bytes.get(at) {
        at += 1;
        if let Some(b'+' | b'-') = bytes.get(at) {
            at += 1;
        }
        at = digits(bytes, digit(bytes, at)?);
    }
    Ok(at)
}

/// Skips a digit that must be there.
fn digit(bytes: &[u8], at: usize) -> Step {
    match bytes.get(at) {
        Some(b'0'..=b'9') => Ok(at + 1),
        _ => Err(NotJson::new(bytes, at, Reason::ExpectedDigit)),
    }
}

/// Skips digits, as many as there are.
#[inline(always)]
fn digits(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b'0'..=b'9') = bytes.get(at) {
        at += 1;
    }
    at
}
