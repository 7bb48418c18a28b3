//! Streams as subscriptions, in the spelling of the Ethereum world.
//!
//! The call that opens a stream is answered with an id of the subscription; each
//! item is a notification `{"subscription":ID,"result":ITEM}`; one that breaks off
//! says `{"subscription":ID,"error":…}`, as jsonrpsee does. A stream that simply
//! ends has no word there, nor has a listener that can take only so much. For these
//! there are notifications of names that nobody else knows, and so nobody minds:
//!
//! | notification | from | says |
//! |---|---|---|
//! | `rpc.end` `{"subscription":ID}` | the server | there are no more items |
//! | `rpc.missed` `{"subscription":ID,"items":N}` | the server | N items were left out: the caller did not take them in time |
//! | `rpc.credit` `{"call":ID,"items":N}` | the caller | the stream that call ID, which is to come, will open may send N items before it waits for more credit |
//! | `rpc.credit` `{"subscription":ID,"items":N}` | the caller | it may send N more |
//!
//! Where credit says `"bytes":M` too, an item also needs a byte of that, and uses up as
//! many as it has.
//!
//! Where the first credit says `"together":B` too, items come as
//! `{"subscription":ID,"results":[ITEM,…]}`, as many as are there at the time, in
//! messages of up to B bytes; one that is longer comes alone.

use super::{Notification, fault, together::Together, write};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt::Write;
use trunkline_core::{Credit, Credited, Fault, Payload, Signal, StreamHead};

/// What says that a stream has no more items.
pub(super) const END: &str = "rpc.end";
/// What says that items of a stream were left out.
const MISSED: &str = "rpc.missed";
/// What says that there is room for more items.
pub(super) const CREDIT: &str = "rpc.credit";

/// What an item carries is called, and what is told where it breaks off.
const RESULT: &[u8] = br#","result":"#;
const RESULTS: &[u8] = br#","results":["#;
/// What stands after the last of several items.
const CLOSING: &[u8] = b"]}}";
const ERROR: &[u8] = br#","error":"#;

/// How the stream of a number is spelled, as geth spells its own.
fn spelling(stream: u64) -> String {
    let mut spelling = String::new();
    // a String takes whatever is written to it
    let _ = write!(spelling, "\"0x{stream:x}\"");
    spelling
}

/// A stream of items that are called `name`, and may come together in messages of so
/// many bytes.
pub(super) fn head(channel: u8, stream: u64, name: &str, together: usize) -> StreamHead {
    let spelling = spelling(stream);
    let mut before_item = Vec::new();
    write::notification_head(&mut before_item, name);
    write::params_head(&mut before_item);
    before_item.extend_from_slice(br#"{"subscription":"#);
    before_item.extend_from_slice(spelling.as_bytes());
    before_item.extend_from_slice(before_value(together));
    let together = if together > 0 { together.saturating_sub(CLOSING.len()).max(1) } else { 0 };
    let (before_item, spelling) = (before_item.into(), spelling.into());
    StreamHead { channel, before_item, spelling, together, separator: b',' }
}

/// What stands between how a stream is spelled and its item, or the first of several.
fn before_value(together: usize) -> &'static [u8] {
    if together > 0 { RESULTS } else { RESULT }
}

/// Appends what stands after an item, or the last of several.
#[inline]
pub(super) fn close_item(out: &mut Vec<u8>, stream: &StreamHead) {
    // each of a length that the compiler knows
    match stream.together {
        0 => out.extend_from_slice(b"}}"),
        _ => out.extend_from_slice(CLOSING),
    }
}

/// Appends why a stream breaks off.
pub(super) fn broken_off(out: &mut Vec<u8>, stream: &StreamHead, error: impl FnOnce(&mut Vec<u8>)) {
    let common = stream.before_item.len() - before_value(stream.together).len();
    out.extend_from_slice(&stream.before_item[..common]);
    out.extend_from_slice(ERROR);
    error(out);
    out.extend_from_slice(b"}}");
}

/// Appends that a stream has no more items.
pub(super) fn end(out: &mut Vec<u8>, stream: &StreamHead) {
    write::notification_head(out, END);
    write::params_head(out);
    out.extend_from_slice(br#"{"subscription":"#);
    out.extend_from_slice(stream.spelling.as_bytes());
    out.extend_from_slice(b"}}");
}

/// Appends that items of a stream were left out.
pub(super) fn missed(out: &mut Vec<u8>, stream: &StreamHead, items: u64) {
    with_items(out, MISSED, br#"{"subscription":"#, &stream.spelling, items);
    out.extend_from_slice(b"}}");
}

/// Appends that there is room for items of the stream that a call will open.
pub(super) fn credit_of_call(out: &mut Vec<u8>, id: u64, credit: Credit) {
    let which = br#"{"call":"#;
    with_items(out, CREDIT, which, itoa::Buffer::new().format(id), credit.items);
    with_bytes(out, credit.bytes);
    out.extend_from_slice(br#","together":"#);
    out.extend_from_slice(itoa::Buffer::new().format(credit.together).as_bytes());
    out.extend_from_slice(b"}}");
}

/// Appends that there is room for more items of a stream.
pub(super) fn credit_of_stream(out: &mut Vec<u8>, stream: &str, credit: Credit) {
    with_items(out, CREDIT, br#"{"subscription":"#, stream, credit.items);
    with_bytes(out, credit.bytes);
    out.extend_from_slice(b"}}");
}

/// Appends what says so many items of a stream, but for its end.
fn with_items(out: &mut Vec<u8>, method: &str, which: &[u8], id: &str, items: u64) {
    write::notification_head(out, method);
    write::params_head(out);
    out.extend_from_slice(which);
    write::raw(out, id);
    out.extend_from_slice(br#","items":"#);
    out.extend_from_slice(itoa::Buffer::new().format(items).as_bytes());
}

fn with_bytes(out: &mut Vec<u8>, bytes: u64) {
    if bytes < u64::MAX {
        out.extend_from_slice(br#","bytes":"#);
        out.extend_from_slice(itoa::Buffer::new().format(bytes).as_bytes());
    }
}

/// For what there is room, and how much.
pub(super) fn credited(params: &str) -> Option<(Credited<'_>, Credit)> {
    #[derive(Deserialize)]
    struct Said<'a> {
        #[serde(borrow)]
        call: Option<&'a RawValue>,
        subscription: Option<String>,
        items: u64,
        #[serde(default = "uncounted")]
        bytes: u64,
        #[serde(default)]
        together: usize,
    }
    let Said { call, subscription, items, bytes, together } = serde_json::from_str(params).ok()?;
    let of = match (call, subscription) {
        (Some(id), None) => Credited::Call(id.get()),
        (None, Some(id)) => Credited::Stream(number(&id)?),
        _ => return None,
    };
    Some((of, Credit { items, bytes, together }))
}

/// Who says nothing of bytes does not count them.
fn uncounted() -> u64 {
    u64::MAX
}

/// The number of the stream that `args` name: `["0x1"]` or `{"subscription":"0x1"}`.
pub(super) fn named(args: &Payload<'_>) -> Option<u64> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Which {
        ByPosition((String,)),
        ByName { subscription: String },
    }
    let (Which::ByPosition((id,)) | Which::ByName { subscription: id }) = args.decode().ok()?;
    number(&id)
}

fn number(id: &str) -> Option<u64> {
    u64::from_str_radix(id.strip_prefix("0x")?, 16).ok()
}

/// What is said of a stream that this side listens to.
#[derive(Debug, Deserialize)]
struct Heard<'a> {
    /// Which stream it is, as the far side spells it.
    #[serde(borrow)]
    subscription: &'a RawValue,
    #[serde(borrow, default, deserialize_with = "present")]
    result: Option<&'a RawValue>,
    #[serde(borrow)]
    results: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    error: Option<&'a RawValue>,
    items: Option<u64>,
}

/// A member that is null is there all the same.
pub(super) fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

/// What a notification says of a stream that this side listens to.
pub(super) enum Said<'f> {
    One(Signal<'f>),
    Several(Together),
}

/// What a notification in `text` says of a stream that this side listens to, if it does.
pub(super) fn said<'f>(text: &'f str, notification: &Notification<'f>) -> Option<Said<'f>> {
    let Cow::Borrowed(params) = notification.params.clone()?.into_raw() else { return None };
    let heard = serde_json::from_str::<Heard<'_>>(params).ok()?;
    let stream = heard.subscription.get();
    if notification.method == MISSED {
        return Some(Said::One(Signal::Missed { stream, items: heard.items? }));
    }
    let outcome = match (heard.result, heard.results, heard.error) {
        (Some(item), None, None) => Ok(Some(Payload::Json(item.get()))),
        (None, Some(results), None) => return Together::of(text, stream, results.get()).map(Said::Several),
        (None, None, Some(error)) => Err(fault::read_loosely(error.get())),
        (None, None, None) if notification.method == END => Ok(None),
        _ => return None,
    };
    Some(Said::One(Signal::Item { stream, outcome }))
}

/// What is said of a call for a stream where nothing can follow its answer.
pub(super) fn no_way_for_items(in_batch: bool, holding: bool) -> Fault {
    Fault::from(match (in_batch, holding) {
        (true, _) => "a stream cannot be opened in a batch, whose answers all come at once; call it alone",
        (false, true) => {
            "a stream takes a caller who ends each message with a line feed: others are answered slowly"
        }
        (false, false) => {
            "a stream takes a connection: use a WebSocket or a stream of bytes, or accept text/event-stream"
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_named_as_it_was_spelled() {
        let head = head(0, 26, "ticks", 0);
        assert_eq!(&*head.spelling, r#""0x1a""#);
        for args in [r#"["0x1a"]"#, r#"{"subscription":"0x1a"}"#] {
            assert_eq!(named(&Payload::Json(args)), Some(26));
        }
        for args in ["[]", "[26]", r#"["1a"]"#, r#"["0xg"]"#, r#"["0x11111111111111111"]"#, "{}"] {
            assert_eq!(named(&Payload::Json(args)), None);
        }
    }

    #[test]
    fn credit_is_for_a_call_or_for_a_stream() {
        let alone = |items| Credit { items, bytes: u64::MAX, together: 0 };
        assert_eq!(credited(r#"{"call":"a","items":2}"#), Some((Credited::Call("\"a\""), alone(2))));
        assert_eq!(credited(r#"{"subscription":"0x2","items":3}"#), Some((Credited::Stream(2), alone(3))));
        let bytes = Credit { items: 3, bytes: 80, together: 0 };
        let mut text = Vec::new();
        credit_of_stream(&mut text, "\"0x2\"", bytes);
        let value: serde_json::Value = serde_json::from_slice(&text).unwrap();
        assert_eq!(credited(&value["params"].to_string()), Some((Credited::Stream(2), bytes)));
        let together = Credit { items: 2, bytes: u64::MAX, together: 9000 };
        let (mut text, of) = (Vec::new(), Credited::Call("7"));
        credit_of_call(&mut text, 7, together);
        let value: serde_json::Value = serde_json::from_slice(&text).unwrap();
        assert_eq!(value["method"], CREDIT);
        let params = value["params"].to_string();
        assert_eq!(params, r#"{"call":7,"items":2,"together":9000}"#);
        assert_eq!(credited(&params), Some((of, together)));
        for params in [
            "{}",
            "[1,2]",
            r#"{"items":1}"#,
            r#"{"call":1,"subscription":"0x1","items":1}"#,
            r#"{"call":1,"items":-1}"#,
            r#"{"call":1,"items":1,"bytes":-1}"#,
            r#"{"call":1,"items":1,"together":-1}"#,
            r#"{"call":1,"items":1,"together":true}"#,
            r#"{"subscription":1,"items":1}"#,
        ] {
            assert_eq!(credited(params), None, "{params}");
        }
    }

    #[test]
    fn items_that_come_together_are_spelled_as_a_list() {
        let head = head(0, 1, "ticks", 100);
        let mut text = head.before_item.to_vec();
        text.extend_from_slice(b"1,[2]");
        close_item(&mut text, &head);
        assert_eq!(
            text,
            br#"{"jsonrpc":"2.0","method":"ticks","params":{"subscription":"0x1","results":[1,[2]]}}"#
        );
        let mut text = Vec::new();
        broken_off(&mut text, &head, |out| write::error(out, 1, "no", None));
        let value: serde_json::Value = serde_json::from_slice(&text).unwrap();
        assert_eq!(value["params"]["error"]["message"], "no");
        assert_eq!(value["params"]["subscription"], "0x1");
    }

    #[test]
    fn what_is_written_is_heard() {
        let head = head(0, 1, "a \"name\"", 0);
        let mut text = head.before_item.to_vec();
        text.extend_from_slice(b"null");
        close_item(&mut text, &head);
        let value: serde_json::Value = serde_json::from_slice(&text).unwrap();
        assert_eq!(value["method"], "a \"name\"");
        let params = value["params"].to_string();
        let item: Heard<'_> = serde_json::from_str(&params).unwrap();
        assert_eq!((item.subscription.get(), item.result.unwrap().get()), (r#""0x1""#, "null"));
        assert!(item.error.is_none());

        let mut text = Vec::new();
        broken_off(&mut text, &head, |out| write::error(out, 1, "no", None));
        let value: serde_json::Value = serde_json::from_slice(&text).unwrap();
        let params = value["params"].to_string();
        assert!(serde_json::from_str::<Heard<'_>>(&params).unwrap().error.is_some());

        let mut text = Vec::new();
        missed(&mut text, &head, 7);
        assert_eq!(
            text,
            br#"{"jsonrpc":"2.0","method":"rpc.missed","params":{"subscription":"0x1","items":7}}"#
        );

        let mut text = Vec::new();
        end(&mut text, &head);
        assert_eq!(text, br#"{"jsonrpc":"2.0","method":"rpc.end","params":{"subscription":"0x1"}}"#);
    }
}
