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

use super::{Notification, fault, write};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt::Write;
use trunkline_core::{Credited, Fault, Payload, Signal, StreamHead};

/// What says that a stream has no more items.
pub(super) const END: &str = "rpc.end";
/// What says that items of a stream were left out.
const MISSED: &str = "rpc.missed";
/// What says that there is room for more items.
pub(super) const CREDIT: &str = "rpc.credit";

/// What an item carries is called, and what is told where it breaks off.
const RESULT: &[u8] = br#","result":"#;
const ERROR: &[u8] = br#","error":"#;

/// How the stream of a number is spelled, as geth spells its own.
fn spelling(stream: u64) -> String {
    let mut spelling = String::new();
    // a String takes whatever is written to it
    let _ = write!(spelling, "\"0x{stream:x}\"");
    spelling
}

/// A stream of items that are called `name`.
pub(super) fn head(channel: u8, stream: u64, name: &str) -> StreamHead {
    let spelling = spelling(stream);
    let mut before_item = Vec::new();
    write::notification_head(&mut before_item, name);
    write::params_head(&mut before_item);
    before_item.extend_from_slice(br#"{"subscription":"#);
    before_item.extend_from_slice(spelling.as_bytes());
    before_item.extend_from_slice(RESULT);
    StreamHead { channel, before_item: before_item.into(), spelling: spelling.into() }
}

/// Appends why a stream breaks off.
pub(super) fn broken_off(out: &mut Vec<u8>, stream: &StreamHead, error: impl FnOnce(&mut Vec<u8>)) {
    let common = stream.before_item.len() - RESULT.len();
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
}

/// Appends that there is room for items of the stream that a call will open.
pub(super) fn credit_of_call(out: &mut Vec<u8>, id: u64, items: u64) {
    with_items(out, CREDIT, br#"{"call":"#, itoa::Buffer::new().format(id), items);
}

/// Appends that there is room for more items of a stream.
pub(super) fn credit_of_stream(out: &mut Vec<u8>, stream: &str, items: u64) {
    with_items(out, CREDIT, br#"{"subscription":"#, stream, items);
}

fn with_items(out: &mut Vec<u8>, method: &str, which: &[u8], id: &str, items: u64) {
    write::notification_head(out, method);
    write::params_head(out);
    out.extend_from_slice(which);
    write::raw(out, id);
    out.extend_from_slice(br#","items":"#);
    out.extend_from_slice(itoa::Buffer::new().format(items).as_bytes());
    out.extend_from_slice(b"}}");
}

/// For what there is room, and how much.
pub(super) fn credited(params: &str) -> Option<(Credited<'_>, u64)> {
    #[derive(Deserialize)]
    struct Credit<'a> {
        #[serde(borrow)]
        call: Option<&'a RawValue>,
        subscription: Option<String>,
        items: u64,
    }
    let Credit { call, subscription, items } = serde_json::from_str(params).ok()?;
    let of = match (call, subscription) {
        (Some(id), None) => Credited::Call(id.get()),
        (None, Some(id)) => Credited::Stream(number(&id)?),
        _ => return None,
    };
    Some((of, items))
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
    #[serde(borrow, default, deserialize_with = "present")]
    error: Option<&'a RawValue>,
    items: Option<u64>,
}

/// A member that is null is there all the same.
pub(super) fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

/// What a notification says of a stream that this side listens to, if it does.
pub(super) fn signal<'f>(notification: &Notification<'f>) -> Option<Signal<'f>> {
    let Cow::Borrowed(params) = notification.params.clone()?.into_raw() else { return None };
    let heard = serde_json::from_str::<Heard<'_>>(params).ok()?;
    if notification.method == MISSED {
        return Some(Signal::Missed { stream: heard.subscription.get(), items: heard.items? });
    }
    let outcome = match (heard.result, heard.error) {
        (Some(item), None) => Ok(Some(Payload::Json(item.get()))),
        (None, Some(error)) => Err(fault::read_loosely(error.get())),
        (None, None) if notification.method == END => Ok(None),
        _ => return None,
    };
    Some(Signal::Item { stream: heard.subscription.get(), outcome })
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
        let head = head(0, 26, "ticks");
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
        assert_eq!(credited(r#"{"call":"a","items":2}"#), Some((Credited::Call("\"a\""), 2)));
        assert_eq!(credited(r#"{"subscription":"0x2","items":3}"#), Some((Credited::Stream(2), 3)));
        for params in [
            "{}",
            "[1,2]",
            r#"{"items":1}"#,
            r#"{"call":1,"subscription":"0x1","items":1}"#,
            r#"{"call":1,"items":-1}"#,
            r#"{"subscription":1,"items":1}"#,
        ] {
            assert_eq!(credited(params), None, "{params}");
        }
    }

    #[test]
    fn what_is_written_is_heard() {
        let head = head(0, 1, "a \"name\"");
        let mut text = head.before_item.to_vec();
        text.extend_from_slice(b"null}}");
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
