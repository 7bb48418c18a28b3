//! The stream that a caller sends with its call, item by item.
//!
//! No other dialect of JSON-RPC has a word for it, so all of them are notifications
//! of names of our own. A call says which stream is meant, since it has one at most.
//!
//! | notification | from | says |
//! |---|---|---|
//! | `rpc.item` `{"call":ID,"item":ITEM}` | the caller | the next item |
//! | `rpc.end` `{"call":ID}` | the caller | there are no more |
//! | `rpc.end` `{"call":ID,"error":…}` | the caller | it breaks off |
//! | `rpc.more` `{"call":ID,"items":N}` | the callee | N more may be sent |
//! | `rpc.enough` `{"call":ID}` | the callee | no more will be looked at |
//!
//! What the callee says goes by other names than what the caller does, because both
//! sides call, and number their calls alike.

use super::{Id, Params, fault, scan, stream::END, write};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use trunkline_core::{Encode, EncodeError, Fault, FaultKind, Format, Payload, Signal};

/// What the next item comes by.
const ITEM: &str = "rpc.item";
/// What says that there is room for more items.
const MORE: &str = "rpc.more";
/// What says that no more are wanted.
const ENOUGH: &str = "rpc.enough";

/// Appends what comes next of the stream that is sent with a call.
pub(super) fn goes_on(
    out: &mut Vec<u8>,
    id: u64,
    outcome: Result<Option<&dyn Encode>, &Fault>,
    plain_code: i64,
) -> Result<(), EncodeError> {
    let mut number = itoa::Buffer::new();
    let id = number.format(id);
    match outcome {
        Ok(Some(item)) => {
            head(out, ITEM, id);
            out.extend_from_slice(br#","item":"#);
            item.encode(Format::Json, out)?;
        }
        Ok(None) => head(out, END, id),
        Err(fault) => {
            head(out, END, id);
            out.extend_from_slice(br#","error":"#);
            fault::write_object(out, fault, plain_code);
        }
    }
    out.extend_from_slice(b"}}");
    Ok(())
}

/// Appends for how many more items there is room of the stream that comes with a call.
pub(super) fn wanted(out: &mut Vec<u8>, id: &str, items: Option<u64>) {
    match items {
        Some(items) => {
            head(out, MORE, id);
            out.extend_from_slice(br#","items":"#);
            out.extend_from_slice(itoa::Buffer::new().format(items).as_bytes());
        }
        None => head(out, ENOUGH, id),
    }
    out.extend_from_slice(b"}}");
}

fn head(out: &mut Vec<u8>, method: &str, id: &str) {
    write::notification_head(out, method);
    write::params_head(out);
    out.extend_from_slice(br#"{"call":"#);
    write::raw(out, id);
}

/// Whether notifications of this name may be about a stream that is sent with a call.
pub(super) fn is_about_feeds(method: &str) -> bool {
    matches!(method, ITEM | MORE | ENOUGH | END)
}

/// What a notification says of a stream that is sent with a call, if it does.
pub(super) fn signal<'f>(method: &str, params: Option<&Params<'f>>) -> Option<Signal<'f>> {
    #[derive(Deserialize)]
    struct Said<'a> {
        #[serde(borrow)]
        call: &'a RawValue,
        #[serde(borrow, default, deserialize_with = "super::stream::present")]
        item: Option<&'a RawValue>,
        #[serde(borrow, default)]
        error: Option<&'a RawValue>,
        items: Option<u64>,
    }
    let Cow::Borrowed(params) = params?.clone().into_raw() else { return None };
    let said: Said<'f> = serde_json::from_str(params).ok()?;
    let call = said.call.get();
    Some(match (method, said.item, said.error, said.items) {
        (ITEM, Some(item), None, None) => Signal::Feed { call, outcome: Ok(Some(Payload::Json(item.get()))) },
        (END, None, None, None) => Signal::Feed { call, outcome: Ok(None) },
        (END, None, Some(error), None) => {
            Signal::Feed { call, outcome: Err(fault::read_loosely(error.get())) }
        }
        (MORE, None, None, Some(items)) => {
            Signal::Wants { id: Id::scanned(call)?.as_u64()?, items: Some(items) }
        }
        (ENOUGH, None, None, None) => Signal::Wants { id: Id::scanned(call)?.as_u64()?, items: None },
        _ => return None,
    })
}

/// The end of a stream of which an item was over the limit, as far as the beginning of
/// that shows it: as trunkline spells it.
pub(super) fn oversize(head: &[u8], limit: usize) -> Option<Signal<'_>> {
    let rest = head.strip_prefix(br#"{"jsonrpc":"2.0","method":"rpc.item","params":{"call":"#)?;
    let end = scan::scalar(rest, 0).ok()?;
    rest[end..].starts_with(br#","item":"#).then_some(())?;
    let call = std::str::from_utf8(&rest[..end]).ok()?;
    let message = format!("an item of the stream is over {limit} bytes, the limit `max_message`");
    Some(Signal::Feed { call, outcome: Err(Fault::new(FaultKind::RequestTooLarge, message)) })
}

/// What is said of a call with a stream where nothing can follow it.
pub(super) fn no_way_for_items(in_batch: bool, holding: bool) -> Fault {
    Fault::from(match (in_batch, holding) {
        (true, _) => "the procedure takes a stream of its caller: call it alone, not in a batch",
        (false, true) => {
            "the procedure takes a stream of its caller: end each message with a line feed to send one"
        }
        (false, false) => {
            "the procedure takes a stream of its caller, which takes a connection: use a WebSocket or a stream of bytes"
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(text: &str) -> Params<'_> {
        Params::trusted(Cow::Borrowed(text))
    }

    /// What is heard of a notification with these params, shortly.
    fn heard(method: &str, text: &str) -> String {
        match signal(method, Some(&params(text))) {
            Some(Signal::Feed { call, outcome: Ok(Some(Payload::Json(item))) }) => {
                format!("{} {item}", call)
            }
            Some(Signal::Feed { call, outcome: Ok(None) }) => format!("{} ends", call),
            Some(Signal::Feed { call, outcome: Err(fault) }) => format!("{} broke: {fault}", call),
            Some(Signal::Wants { id, items: Some(items) }) => format!("{id} wants {items}"),
            Some(Signal::Wants { id, items: None }) => format!("{id} wants none"),
            _ => "nothing".to_owned(),
        }
    }

    #[test]
    fn each_is_heard_for_what_it_is() {
        for (method, params, expected) in [
            ("rpc.item", r#"{"call":1,"item":null}"#, "1 null"),
            ("rpc.item", r#"{"item":{"a":[]},"call":"x"}"#, r#""x" {"a":[]}"#),
            ("rpc.end", r#"{"call":1}"#, "1 ends"),
            ("rpc.end", r#"{"call":1,"error":{"code":-7,"message":"no"}}"#, "1 broke: no"),
            ("rpc.end", r#"{"call":1,"error":"no"}"#, "1 broke: no"),
            ("rpc.more", r#"{"call":7,"items":3}"#, "7 wants 3"),
            ("rpc.more", r#"{"call":7,"items":0}"#, "7 wants 0"),
            ("rpc.enough", r#"{"call":7}"#, "7 wants none"),
        ] {
            assert_eq!(heard(method, params), expected, "{method} {params}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_nothing() {
        for (method, params) in [
            ("rpc.item", r#"{"call":1}"#),
            ("rpc.item", r#"{"item":1}"#),
            ("rpc.item", "[1,2]"),
            ("rpc.end", r#"{"subscription":"0x1"}"#),
            ("rpc.more", r#"{"call":"7","items":3}"#),
            ("rpc.more", r#"{"call":-7,"items":3}"#),
            ("rpc.more", r#"{"call":7,"items":-3}"#),
            ("rpc.more", r#"{"call":7}"#),
            ("rpc.enough", r#"{"call":"x"}"#),
            ("rpc.other", r#"{"call":7}"#),
        ] {
            assert_eq!(heard(method, params), "nothing", "{method} {params}");
        }
        assert!(signal("rpc.item", None).is_none());
    }

    #[test]
    fn what_is_written_is_heard() {
        let broken = Fault::from("broken");
        let mut written: Vec<(Vec<u8>, &str)> = Vec::new();
        let mut write = |outcome: Result<Option<&dyn Encode>, &Fault>, expected| {
            let mut out = Vec::new();
            goes_on(&mut out, 5, outcome, -32000).unwrap();
            written.push((out, expected));
        };
        write(Ok(Some(&[1, 2])), "5 [1,2]");
        write(Ok(None), "5 ends");
        write(Err(&broken), "5 broke: broken");
        for (items, expected) in [(Some(3), "5 wants 3"), (None, "5 wants none")] {
            let mut out = Vec::new();
            wanted(&mut out, "5", items);
            written.push((out, expected));
        }
        for (text, expected) in written {
            let value: serde_json::Value = serde_json::from_slice(&text).unwrap();
            let (method, params) = (value["method"].as_str().unwrap(), value["params"].to_string());
            assert!(is_about_feeds(method));
            assert_eq!(heard(method, &params), expected);
        }
    }

    #[test]
    fn an_item_that_is_too_large_ends_its_stream() {
        let mut out = Vec::new();
        goes_on(&mut out, 12, Ok(Some(&"x".repeat(100))), -32000).unwrap();
        for cut in [out.len(), 70] {
            let Some(Signal::Feed { call, outcome: Err(fault) }) = oversize(&out[..cut], 10) else {
                panic!("it is not recognized")
            };
            assert_eq!((call, fault.kind()), ("12", FaultKind::RequestTooLarge));
        }
        for cut in 0..56 {
            assert!(oversize(&out[..cut], 10).is_none(), "its number may go on");
        }
        assert!(
            oversize(br#"{"jsonrpc":"2.0","method":"rpc.item","params":{"call":{},"item":"#, 1).is_none()
        );
    }
}
