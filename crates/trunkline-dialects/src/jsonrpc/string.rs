//! JSON strings: where they end, and what they say.

use std::borrow::Cow;

use super::not_json::{NotJson, NotJsonReason as Reason};
use super::scan::Step;

/// The text of the string `raw`, which the scanner has seen, with escapes
/// resolved; nothing if `raw` is no string, or has an escaped lone surrogate.
#[inline(always)]
pub(super) fn text(raw: &str, escaped: bool) -> Option<Cow<'_, str>> {
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    if escaped { unescape(raw) } else { Some(Cow::Borrowed(inner)) }
}

#[cold]
fn unescape(raw: &str) -> Option<Cow<'_, str>> {
    serde_json::from_str(raw).ok().map(Cow::Owned)
}

/// Finds the quote that ends the string whose first byte is at `at`, and tells
/// whether there are escapes before it.
#[inline(always)]
pub(super) fn end(bytes: &[u8], start: usize) -> Result<(usize, bool), Box<NotJson>> {
    // Names and most values are short: before eight bytes are looked at together
    // (14 operations), a few are passed one by one.
    let mut at = start;
    while at < start + SHORT {
        match bytes.get(at) {
            Some(b'"') => return Ok((at, false)),
            Some(b'\\' | ..b' ') | None => break,
            Some(_) => at += 1,
        }
    }
    long_end(bytes, at)
}

/// How much of a string is looked at byte by byte.
const SHORT: usize = 8;

#[inline(never)]
fn long_end(bytes: &[u8], mut at: usize) -> Result<(usize, bool), Box<NotJson>> {
    let mut escaped = false;
    loop {
        at = plain(bytes, at);
        match bytes.get(at) {
            Some(b'"') => return Ok((at, escaped)),
            Some(b'\\') => {
                escaped = true;
                at = escape(bytes, at)?;
            }
            Some(_) => return Err(NotJson::new(bytes, at, Reason::ControlCharacter)),
            None => return Err(NotJson::new(bytes, at, Reason::ExpectedQuote)),
        }
    }
}

/// Skips the escape whose backslash is at `at`.
fn escape(bytes: &[u8], at: usize) -> Step {
    match bytes.get(at + 1) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 2),
        Some(b'u') => match bytes.get(at + 2..at + 6) {
            Some(hex) if hex.iter().all(u8::is_ascii_hexdigit) => Ok(at + 6),
            _ => Err(NotJson::new(bytes, at, Reason::ExpectedEscape)),
        },
        _ => Err(NotJson::new(bytes, at, Reason::ExpectedEscape)),
    }
}

/// Finds the next byte that cannot stand for itself in a string: a quote, a
/// backslash or a control character; else the end.
#[inline(always)]
pub(super) fn plain(bytes: &[u8], mut at: usize) -> usize {
    let short = at + 32;
    loop {
        let special = special(eight(bytes, at));
        if special != 0 {
            // The lowest flag is exact, as borrows only run upwards, and what is
            // past the end is flagged: it reads as control characters.
            return at + (special.trailing_zeros() / 8) as usize;
        }
        at += 8;
        if at >= short {
            at = plain_blocks(bytes, at);
        }
    }
}

/// The eight bytes from `at`, the first one lowest; zeros for those past the end.
#[inline(always)]
pub(super) fn eight(bytes: &[u8], at: usize) -> u64 {
    let rest = bytes.get(at..).unwrap_or_default();
    match (rest.first_chunk(), bytes.last_chunk()) {
        (Some(next), _) => u64::from_le_bytes(*next),
        (None, Some(last)) if !rest.is_empty() => u64::from_le_bytes(*last) >> (64 - 8 * rest.len()),
        _ => rest.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte)),
    }
}

/// Skips blocks of 64 bytes that all stand for themselves: a loop without
/// branches, which compilers turn into vector instructions.
#[inline(never)]
fn plain_blocks(bytes: &[u8], mut at: usize) -> usize {
    while let Some(block) = bytes.get(at..).and_then(<[u8]>::first_chunk::<64>) {
        let special =
            block.iter().fold(false, |found, &byte| found | (byte == b'"') | (byte == b'\\') | (byte < b' '));
        if special {
            break;
        }
        at += 64;
    }
    at
}

/// Flags the bytes of `word` that cannot stand for themselves in a string.
#[inline(always)]
fn special(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let quote = word ^ (ONES * b'"' as u64);
    let backslash = word ^ (ONES * b'\\' as u64);
    let below_blank = word.wrapping_sub(ONES * b' ' as u64) & !word;
    let is_quote = quote.wrapping_sub(ONES) & !quote;
    let is_backslash = backslash.wrapping_sub(ONES) & !backslash;
    (below_blank | is_quote | is_backslash) & HIGH
}
