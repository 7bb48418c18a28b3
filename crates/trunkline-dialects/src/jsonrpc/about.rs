//! What a message says of a call in members that JSON-RPC does not know:
//! `traceparent`, `tracestate` and `timeout`.

use super::{Item, Message, Rules, write};
use serde_json::value::RawValue;
use std::{borrow::Cow, time::Duration};
use trunkline_core::{About, Trace};

/// The shortest that any of the members makes a message longer: `,"timeout":1`.
const SHORTEST: usize = 12;

/// Members that are longer than this, as spelled, are none of ours.
const LONGEST: usize = 2048;

#[derive(serde::Deserialize)]
struct Members<'a> {
    #[serde(borrow)]
    traceparent: Option<&'a RawValue>,
    #[serde(borrow)]
    tracestate: Option<&'a RawValue>,
    #[serde(borrow)]
    timeout: Option<&'a RawValue>,
}

/// What the message that was read from `text` says of the call besides. Nothing is
/// looked for in those that have no room for it between the members of the protocol.
pub(super) fn read(text: &str, item: &Item<'_>, rules: &Rules) -> Option<Box<About>> {
    let known = match item {
        Ok(Message::Request(request)) => {
            let params = request.params.as_ref().map_or(0, |params| params.as_raw().len() + 10);
            request.id.as_raw().len() + 6 + request.method.len() + params
        }
        Ok(Message::Notification(notification)) => {
            let params = notification.params.as_ref().map_or(0, |params| params.as_raw().len() + 10);
            notification.method.len() + params
        }
        _ => return None,
    };
    // as short as {"jsonrpc":"2.0","method":""}, or {"method":""}
    let least = if rules.any_version { 13 } else { 29 };
    if text.len() < known + least + SHORTEST { None } else { find(text) }
}

#[inline(never)]
fn find(text: &str) -> Option<Box<About>> {
    let members: Members<'_> = serde_json::from_str(text).ok()?;
    let trace = members.traceparent.and_then(string).and_then(|parent| Trace::parse(&parent));
    let state = members.tracestate.and_then(string);
    let trace = match (trace, state) {
        (Some(trace), Some(state)) => Some(trace.with_state(&state)),
        (trace, _) => trace,
    };
    let timeout = members.timeout.and_then(|timeout| timeout.get().parse::<u64>().ok());
    let timeout = timeout.filter(|millis| *millis > 0).map(Duration::from_millis);
    let about = About::default().with_trace(trace).with_timeout(timeout);
    (!about.is_empty()).then(|| Box::new(about))
}

fn string(raw: &RawValue) -> Option<Cow<'_, str>> {
    if raw.get().len() > LONGEST {
        return None;
    }
    serde_json::from_str::<String>(raw.get()).ok().map(Cow::Owned)
}

/// Appends the members to a message that has others already.
pub(super) fn write_members(out: &mut Vec<u8>, about: &About) {
    if let Some(trace) = &about.trace {
        out.extend_from_slice(br#","traceparent":"#);
        write::string(out, &trace.to_string());
        if !trace.state().is_empty() {
            out.extend_from_slice(br#","tracestate":"#);
            write::string(out, trace.state());
        }
    }
    if let Some(timeout) = about.timeout {
        // no time at all is not said: the call ends here
        let millis = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX).max(1);
        out.extend_from_slice(br#","timeout":"#);
        out.extend_from_slice(itoa::Buffer::new().format(millis).as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jsonrpc::{Document, read as read_document};

    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn about(text: &str) -> Option<About> {
        let rules = Rules::default();
        match read_document(text, &rules) {
            Ok(Document::One(item)) => read(text, &item, &rules).map(|about| *about),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let trace = Trace::parse(PARENT).unwrap().with_state("a=1");
        for wanted in [
            About::default().with_timeout(Some(Duration::from_millis(1))),
            About::default().with_trace(Some(trace.clone())),
            About::default().with_trace(Some(trace)).with_timeout(Some(Duration::from_secs(7))),
        ] {
            for head in [r#""method":"a""#, r#""id":1,"method":"a""#, r#""id":1,"method":"a","params":[]"#] {
                let mut text = format!(r#"{{"jsonrpc":"2.0",{head}"#).into_bytes();
                write_members(&mut text, &wanted);
                text.push(b'}');
                assert_eq!(about(std::str::from_utf8(&text).unwrap()), Some(wanted.clone()));
            }
        }
    }

    /// T31 and T41: what makes no sense is as good as absent, and each for itself.
    #[test]
    fn nonsense_is_ignored() {
        let long = format!("\"{}\"", "0".repeat(1 << 20));
        for (name, value) in [
            ("timeout", "0"),
            ("timeout", "-1"),
            ("timeout", "1e3"),
            ("timeout", "0.5"),
            ("timeout", "18446744073709551616"),
            ("timeout", "\"5\""),
            ("timeout", "{}"),
            ("traceparent", "7"),
            ("traceparent", "null"),
            ("traceparent", r#""00-\n""#),
            ("traceparent", &long),
            ("tracestate", &long),
        ] {
            let text = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"a","{name}":{value}}}"#);
            assert_eq!(about(&text), None, "{name}");
        }
        let text =
            format!(r#"{{"jsonrpc":"2.0","id":1,"method":"a","timeout":-1,"traceparent":"{PARENT}"}}"#);
        assert_eq!(about(&text), Some(About::default().with_trace(Trace::parse(PARENT))));
        let text = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"a","timeout":{}}}"#, u64::MAX);
        assert_eq!(about(&text).unwrap().timeout, Some(Duration::from_millis(u64::MAX)));
    }
}
