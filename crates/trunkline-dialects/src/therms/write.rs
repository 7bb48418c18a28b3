//! Responses, written piece by piece. The order of their members is that of the
//! reference server.

use crate::jsonrpc::write::string;
use trunkline_core::{OpenFrame, Outbox, response::Written};

/// Appends what stands before the data of a success, known to its client by `id`.
pub(super) fn success_head(out: &mut Vec<u8>, id: &str) {
    head(out, "200", id);
    out.extend_from_slice(br#","data":"#);
}

/// Appends what stands behind it.
pub(super) fn success_tail(out: &mut Vec<u8>) {
    out.extend_from_slice(br#","success":true}"#);
}

/// Closes a success that was opened with [`success_head`], and tells its code, if it has
/// one of its own.
pub(super) fn close_success(out: &mut Outbox, reply: OpenFrame, id: &str) {
    let mut usual = Vec::new();
    success_head(&mut usual, id);
    let value = out.written(reply).get(usual.len()..).unwrap_or_default();
    if value.first() == Some(&0) {
        let value = value.to_vec();
        out.rewind(reply);
        if let Some(said) = Written::read(&value) {
            success(out.body(), &said, id);
        }
    } else {
        success_tail(out.body());
    }
    out.close(reply);
}

/// Appends a success with a code of its own.
pub(super) fn success(out: &mut Vec<u8>, said: &Written<'_>, id: &str) {
    head(out, said.code, id);
    for (name, value) in [("data", said.data), ("message", said.message)] {
        if let Some(value) = value {
            member(out, name);
            out.extend_from_slice(value.as_bytes());
        }
    }
    success_tail(out);
}

/// Appends a failure. An empty message is left out.
pub(super) fn failure(out: &mut Vec<u8>, code: i64, id: &str, data: Option<&str>, message: &str) {
    head(out, itoa::Buffer::new().format(code), id);
    if let Some(data) = data {
        member(out, "data");
        out.extend_from_slice(data.as_bytes());
    }
    if !message.is_empty() {
        member(out, "message");
        string(out, message);
    }
    out.extend_from_slice(br#","success":false}"#);
}

fn head(out: &mut Vec<u8>, code: &str, id: &str) {
    out.extend_from_slice(br#"{"code":"#);
    out.extend_from_slice(code.as_bytes());
    if !id.is_empty() {
        member(out, "correlationId");
        out.extend_from_slice(id.as_bytes());
    }
}

fn member(out: &mut Vec<u8>, name: &str) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}
