//! Writing messages piece by piece, straight into a buffer.
//!
//! For whoever writes the value between two pieces himself; [`Message`](super::Message)
//! and its kinds are the comfortable way. What is appended never contains a line
//! feed, as long as the values do not; [`raw`] sees to those that come from elsewhere.
//!
//! ```
//! use trunkline_dialects::jsonrpc::write;
//!
//! let mut out = Vec::new();
//! write::success_head(&mut out, "7");
//! out.extend_from_slice(b"[1,2]");
//! write::close(&mut out);
//! assert_eq!(out, br#"{"jsonrpc":"2.0","id":7,"result":[1,2]}"#);
//! ```

use std::fmt;

use super::string::plain;

/// Appends `{"jsonrpc":"2.0","id":ID,"result":`; the result and [`close`] follow.
#[inline]
pub fn success_head(out: &mut Vec<u8>, id: &str) {
    out.extend_from_slice(br#"{"jsonrpc":"2.0","id":"#);
    out.extend_from_slice(id.as_bytes());
    out.extend_from_slice(br#","result":"#);
}

/// How many bytes [`success_head`] appends.
#[cfg(feature = "dialect")]
pub(crate) fn success_head_len(id: &str) -> usize {
    br#"{"jsonrpc":"2.0","id":,"result":"#.len() + id.len()
}

/// Appends `{"jsonrpc":"2.0","id":ID,"method":METHOD`; [`params_head`] and the
/// parameters may follow, then [`close`].
#[inline]
pub fn request_head(out: &mut Vec<u8>, id: &str, method: &str) {
    out.extend_from_slice(br#"{"jsonrpc":"2.0","id":"#);
    out.extend_from_slice(id.as_bytes());
    out.extend_from_slice(br#","method":"#);
    string(out, method);
}

/// Appends `{"jsonrpc":"2.0","method":METHOD`; [`params_head`] and the parameters
/// may follow, then [`close`].
#[inline]
pub fn notification_head(out: &mut Vec<u8>, method: &str) {
    out.extend_from_slice(br#"{"jsonrpc":"2.0","method":"#);
    string(out, method);
}

/// Appends `,"params":`; an array or an object follows.
#[inline]
pub fn params_head(out: &mut Vec<u8>) {
    out.extend_from_slice(br#","params":"#);
}

/// Appends `}`, the end of every message.
#[inline]
pub fn close(out: &mut Vec<u8>) {
    out.push(b'}');
}

/// Appends a whole error reply. No `id` is written as null; `data` is JSON text.
pub fn failure(out: &mut Vec<u8>, id: Option<&str>, code: i64, message: &str, data: Option<&str>) {
    out.extend_from_slice(br#"{"jsonrpc":"2.0","id":"#);
    out.extend_from_slice(id.unwrap_or("null").as_bytes());
    out.extend_from_slice(br#","error":"#);
    error(out, code, message, data);
    close(out);
}

/// Appends an error object; `data` is JSON text.
pub fn error(out: &mut Vec<u8>, code: i64, message: &str, data: Option<&str>) {
    out.extend_from_slice(br#"{"code":"#);
    out.extend_from_slice(itoa::Buffer::new().format(code).as_bytes());
    out.extend_from_slice(br#","message":"#);
    string(out, message);
    if let Some(data) = data {
        out.extend_from_slice(br#","data":"#);
        raw(out, data);
    }
    close(out);
}

/// Appends `text` as a JSON string: only quotes, backslashes and control
/// characters are escaped.
#[inline]
pub fn string(out: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    out.reserve(bytes.len() + 2);
    out.push(b'"');
    let mut done = 0;
    loop {
        let special = plain(bytes, done);
        out.extend_from_slice(&bytes[done..special]);
        let Some(&byte) = bytes.get(special) else { break };
        escape(out, byte);
        done = special + 1;
    }
    out.push(b'"');
}

#[cold]
fn escape(out: &mut Vec<u8>, byte: u8) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let short = match byte {
        b'"' | b'\\' => byte,
        0x08 => b'b',
        0x09 => b't',
        0x0a => b'n',
        0x0c => b'f',
        0x0d => b'r',
        _ => {
            let hex = [HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]];
            out.extend_from_slice(b"\\u00");
            out.extend_from_slice(&hex);
            return;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}

/// Appends JSON text that comes from elsewhere, on one line.
///
/// A line feed in it can only be white space, and would end the document on a
/// newline-delimited stream, so it becomes a blank.
pub fn raw(out: &mut Vec<u8>, json: &str) {
    let start = out.len();
    out.extend_from_slice(json.as_bytes());
    for byte in &mut out[start..] {
        if *byte == b'\n' {
            *byte = b' ';
        }
    }
}

/// Shows what `write` appends to a buffer.
pub(super) fn display(f: &mut fmt::Formatter<'_>, write: impl FnOnce(&mut Vec<u8>)) -> fmt::Result {
    let mut out = Vec::new();
    write(&mut out);
    f.write_str(std::str::from_utf8(&out).map_err(|_| fmt::Error)?)
}
