//! Requests: written, and read.

use crate::jsonrpc::write::string;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value, value::RawValue};
use std::{borrow::Cow, net::IpAddr};
use trunkline_core::{About, ConnectionId, Context, Identity, Payload, Trace, envelope::Asked};

/// Appends the message that asks for a call.
pub(super) fn write(asked: &Asked<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(br#"{"request":{"#);
    if let Some(Payload::Json(args)) = asked.args {
        out.extend_from_slice(br#""args":"#);
        out.extend_from_slice(args.as_bytes());
        out.push(b',');
    }
    for (name, value) in [
        (r#""procedure":"#, asked.key.procedure),
        (r#","scope":"#, asked.key.scope),
        (r#","version":"#, asked.key.version),
        (r#","trace":{"caller":"#, caller(asked)),
        (r#","id":"#, asked.id),
    ] {
        text(out, name, value);
    }
    out.extend_from_slice(if asked.internal { br#","internal":true"# } else { br#","internal":false"# });
    if let Some(remote) = asked.context.connection().remote().filter(|_| !asked.internal) {
        text(out, r#","ipAddress":"#, &remote.ip().to_canonical().to_string());
    }
    // no time at all would not be said: whoever waits for nothing does not ask
    let millis = u64::try_from(asked.timeout.as_millis()).unwrap_or(u64::MAX).max(1);
    number(out, r#","timeout":"#, millis);
    if let Some(trace) = asked.context.trace() {
        text(out, r#","traceparent":"#, &trace.to_string());
        if !trace.state().is_empty() {
            text(out, r#","tracestate":"#, trace.state());
        }
    }
    if let Some(parent) = asked.parent {
        text(out, r#","parentId":"#, parent);
    }
    if asked.internal {
        number(out, r#","depth":"#, asked.context.depth().max(1) as u64);
    }
    let id = asked.context.connection().id();
    if id.is_held() {
        text(out, r#","connectionId":"#, &id.to_string());
    }
    write_identity(out, asked.context.identity());
    out.extend_from_slice(b"}}}");
}

/// Where the call comes from, in the original's words.
fn caller(asked: &Asked<'_>) -> &'static str {
    match asked.context.connection().transport() {
        _ if asked.internal => "RPCServer.call",
        "websocket" => "WebSocketServer",
        _ => "HttpServer",
    }
}

fn text(out: &mut Vec<u8>, name: &str, value: &str) {
    out.extend_from_slice(name.as_bytes());
    string(out, value);
}

fn number(out: &mut Vec<u8>, name: &str, value: u64) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// Who a gateway has found the caller to be. Until when that is known is its own
/// business: it has looked at the clock before it let the call pass.
#[derive(Deserialize, Serialize)]
struct Known<'a> {
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    subject: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    groups: Vec<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    claims: Cow<'a, Map<String, Value>>,
}

fn write_identity(out: &mut Vec<u8>, identity: &Identity) {
    let subject = identity.subject().map(Cow::Borrowed);
    let groups: Vec<_> = identity.groups().map(Cow::Borrowed).collect();
    let claims = identity.claims();
    if subject.is_none() && groups.is_empty() && claims.is_empty() {
        return;
    }
    let before = out.len();
    out.extend_from_slice(br#","identity":"#);
    // texts and values of JSON have a form in it
    if serde_json::to_writer(&mut *out, &Known { subject, groups, claims: Cow::Borrowed(claims) }).is_err() {
        out.truncate(before);
    }
}

impl Known<'_> {
    fn identity(self) -> Identity {
        let mut identity = match self.subject {
            Some(subject) => Identity::new(subject.into_owned()),
            None => Identity::anonymous(),
        };
        for group in self.groups {
            identity = identity.with_group(group.into_owned());
        }
        for (name, value) in self.claims.into_owned() {
            identity = identity.with_claim(name, value);
        }
        identity
    }
}

/// The message that asks for a call.
#[derive(Deserialize)]
pub(super) struct Message<'a> {
    #[serde(borrow)]
    pub(super) request: Request<'a>,
}

/// The same, to be repeated.
#[derive(Deserialize)]
pub(super) struct Echo<'a> {
    #[serde(borrow)]
    pub(super) request: &'a RawValue,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request<'a> {
    #[serde(borrow, default, deserialize_with = "some")]
    pub(super) args: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) correlation_id: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) procedure: Cow<'a, str>,
    #[serde(borrow, default)]
    scope: Option<&'a RawValue>,
    #[serde(borrow, default)]
    version: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) trace: Said<'a>,
}

/// What the message says in `trace`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Said<'a> {
    #[serde(borrow)]
    pub(super) id: Cow<'a, str>,
    #[serde(borrow, default)]
    internal: Option<&'a RawValue>,
    #[serde(borrow, default)]
    ip_address: Option<&'a RawValue>,
    #[serde(default)]
    timeout: Option<u64>,
    #[serde(borrow, default)]
    traceparent: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    tracestate: Option<Cow<'a, str>>,
    #[serde(default)]
    depth: Option<u32>,
    #[serde(borrow, default)]
    connection_id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    identity: Option<Known<'a>>,
}

/// A value that may be null, which is not the same as absent.
pub(super) fn some<'de, D: Deserializer<'de>>(value: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(value).map(Some)
}

impl Request<'_> {
    pub(super) fn scope(&self) -> Option<Cow<'_, str>> {
        word(self.scope)
    }

    pub(super) fn version(&self) -> Option<Cow<'_, str>> {
        word(self.version)
    }
}

/// A text that may be absent, null or empty, which is the same; a number is its digits.
fn word(value: Option<&RawValue>) -> Option<Cow<'_, str>> {
    let text = value?.get();
    let word = match text.starts_with('"') {
        true => serde_json::from_str::<String>(text).ok()?.into(),
        false => Cow::Borrowed(text),
    };
    Some(word).filter(|word| !word.is_empty())
}

impl Said<'_> {
    /// Whether a trunkline has said it.
    pub(super) fn is_ours(&self) -> bool {
        self.timeout.is_some()
    }

    pub(super) fn is_internal(&self) -> bool {
        self.internal.is_some_and(|internal| internal.get() == "true")
    }

    pub(super) fn about(&self) -> About {
        let trace = self.traceparent.as_deref().and_then(Trace::parse);
        let trace = trace.map(|trace| match &self.tracestate {
            Some(state) => trace.with_state(state),
            None => trace,
        });
        About::default().with_trace(trace).with_timeout(self.timeout.map(std::time::Duration::from_millis))
    }

    /// The caller's connection, which another node holds.
    pub(super) fn connection_id(&self) -> Option<ConnectionId> {
        serde_json::from_str(self.connection_id?.get()).ok()
    }

    pub(super) fn remote(&self) -> Option<IpAddr> {
        serde_json::from_str(self.ip_address?.get()).ok()
    }

    /// What is known of the caller, in `context`.
    pub(super) fn known(self, context: Context) -> Context {
        let depth = match self.is_internal() {
            true => self.depth.map_or(1, |depth| depth.max(1)),
            false => 0,
        };
        let identity = self.identity.map(Known::identity).unwrap_or_default();
        context.with_identity(identity).at_depth(depth as usize)
    }
}
