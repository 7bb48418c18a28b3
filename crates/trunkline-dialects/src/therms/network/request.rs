//! Requests: written, and what the original does not say of itself read.

use super::super::{
    Identity,
    read::text as said,
    request::{Provenance, SHORT, Trace},
};
use crate::jsonrpc::write::string;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, value::RawValue};
use std::{borrow::Cow, net::IpAddr, ops::Range, time::Duration};
use trunkline_core::{About, ConnectionId, Context, Payload, envelope::Asked, trace};

/// Digits of one of ours.
const LONG: usize = 32;

/// Room for what there usually is besides the arguments, so that it is not moved as it grows.
const USUAL_HEAD: usize = 384;

/// Appends the message that asks for a call; gives where its arguments stand.
pub(super) fn write(asked: &Asked<'_>, out: &mut Vec<u8>) -> Option<Range<usize>> {
    let said = Provenance::of(asked.context);
    out.reserve(USUAL_HEAD + asked.args.map_or(0, |args| args.size()));
    out.extend_from_slice(br#"{"request":{"#);
    let mut place = None;
    if let Some(Payload::Json(args)) = asked.args {
        member(out, r#""args":"#, args);
        place = Some(out.len() - args.len()..out.len());
        out.push(b',');
    }
    if let Some(correlation) = said.and_then(|said| said.correlation(asked.context)) {
        member(out, r#""correlationId":"#, correlation);
        out.push(b',');
    }
    let shown = || if asked.identified { None } else { Identity::shown(asked.context) };
    if let Some(identity) = said.and_then(Provenance::identity).cloned().or_else(shown) {
        out.extend_from_slice(br#""identity":"#);
        json(out, &identity);
        out.push(b',');
    }
    for (name, value) in [
        (r#""procedure":"#, asked.key.procedure),
        (r#","scope":"#, asked.key.scope),
        (r#","version":"#, asked.key.version),
    ] {
        text(out, name, value);
    }
    out.extend_from_slice(br#","trace":"#);
    write_trace(asked, said, out);
    out.extend_from_slice(b"}}");
    place
}

/// What the original says of where a call comes from.
pub(super) fn told(asked: &Asked<'_>) -> Trace {
    let mut told = Trace::of(asked.context, asked.id.get(..SHORT));
    told.internal = asked.context.finds_internal();
    told
}

/// The same, and what we say besides.
fn write_trace(asked: &Asked<'_>, said: Option<&Provenance>, out: &mut Vec<u8>) {
    let told = told(asked);
    json(out, &told);
    // it goes on
    out.pop();
    text(out, r#","key":"#, asked.id);
    // no time at all would not be said: whoever waits for nothing does not ask
    let millis = u64::try_from(asked.timeout.as_millis()).unwrap_or(u64::MAX).max(1);
    number(out, r#","timeout":"#, millis);
    if said.is_none_or(Provenance::is_exact) {
        out.extend_from_slice(br#","exact":true"#);
    }
    if let Some(trace) = asked.context.trace() {
        text(out, r#","traceparent":"#, &trace.to_string());
        if !trace.state().is_empty() {
            text(out, r#","tracestate":"#, trace.state());
        }
    }
    if told.internal {
        number(out, r#","depth":"#, asked.context.depth().max(1) as u64);
    }
    if asked.repeated {
        out.extend_from_slice(br#","repeated":true"#);
    }
    let id = asked.context.connection().id();
    if id.is_held() {
        text(out, r#","connectionId":"#, &id.to_string());
    }
    let is_known = write_identity(out, asked.context.identity());
    // programs of the network are not asked who they are
    if asked.identified && !is_known && !told.internal {
        out.extend_from_slice(br#","anonymous":true"#);
    }
    out.push(b'}');
}

fn member(out: &mut Vec<u8>, name: &str, value: &str) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(value.as_bytes());
}

fn text(out: &mut Vec<u8>, name: &str, value: &str) {
    out.extend_from_slice(name.as_bytes());
    string(out, value);
}

fn number(out: &mut Vec<u8>, name: &str, value: u64) {
    member(out, name, itoa::Buffer::new().format(value));
}

/// Appends a value of which nothing has no form in JSON: texts, and values of JSON.
pub(super) fn json(out: &mut Vec<u8>, value: &impl Serialize) {
    let written = serde_json::to_writer(&mut *out, value);
    debug_assert!(written.is_ok(), "{written:?}");
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

/// Whether there is anything to be said.
fn write_identity(out: &mut Vec<u8>, identity: &trunkline_core::Identity) -> bool {
    let subject = identity.subject().map(Cow::Borrowed);
    let groups: Vec<_> = identity.groups().map(Cow::Borrowed).collect();
    let claims = identity.claims();
    let is_known = subject.is_some() || !groups.is_empty() || !claims.is_empty();
    if is_known {
        out.extend_from_slice(br#","identity":"#);
        json(out, &Known { subject, groups, claims: Cow::Borrowed(claims) });
    }
    is_known
}

impl Known<'_> {
    fn identity(self) -> trunkline_core::Identity {
        let mut identity = match self.subject {
            Some(subject) => trunkline_core::Identity::new(subject.into_owned()),
            None => trunkline_core::Identity::anonymous(),
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

/// What a message says in `trace`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Traced<'a> {
    #[serde(borrow)]
    pub(super) id: Cow<'a, str>,
    #[serde(borrow, default)]
    key: Option<&'a str>,
    #[serde(borrow, default)]
    caller: Option<&'a RawValue>,
    #[serde(borrow, default)]
    internal: Option<&'a RawValue>,
    #[serde(borrow, default)]
    ip_address: Option<&'a RawValue>,
    #[serde(borrow, default)]
    parent_id: Option<&'a RawValue>,
    #[serde(default)]
    timeout: Option<u64>,
    #[serde(default)]
    exact: bool,
    #[serde(borrow, default)]
    traceparent: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    tracestate: Option<Cow<'a, str>>,
    #[serde(default)]
    depth: Option<u32>,
    #[serde(default)]
    pub(super) repeated: bool,
    #[serde(borrow, default)]
    connection_id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    identity: Option<Known<'a>>,
    #[serde(default)]
    anonymous: bool,
}

impl<'a> Traced<'a> {
    /// The id that a trunkline has made up, if one asks.
    pub(super) fn key(&self) -> Option<&'a str> {
        self.key.filter(|key| key.len() == LONG && key.bytes().all(|byte| byte.is_ascii_hexdigit()))
    }

    pub(super) fn is_exact(&self) -> bool {
        self.exact
    }

    /// Whether a program of the network calls by itself.
    fn is_internal(&self) -> bool {
        self.internal.is_some_and(|internal| internal.get() == "true")
    }

    pub(super) fn depth(&self) -> usize {
        match self.is_internal() {
            true => self.depth.map_or(1, |depth| depth.max(1)) as usize,
            false => 0,
        }
    }

    /// As it is told to handlers.
    pub(super) fn told(&self) -> Trace {
        let owned = |member: Option<&RawValue>| Some(said(member?.get())?.into_owned());
        Trace {
            caller: owned(self.caller).unwrap_or_default(),
            id: self.id.clone().into_owned(),
            internal: self.is_internal(),
            ip_address: self.remote(),
            parent_id: owned(self.parent_id),
        }
    }

    pub(super) fn about(&self) -> About {
        let trace = self.traceparent.as_deref().and_then(trace::Trace::parse);
        let trace = trace.map(|trace| match &self.tracestate {
            Some(state) => trace.with_state(state),
            None => trace,
        });
        About::default().with_trace(trace).with_timeout(self.timeout.map(Duration::from_millis))
    }

    /// The caller's connection, which another node holds.
    pub(super) fn connection_id(&self) -> Option<ConnectionId> {
        said(self.connection_id?.get())?.parse().ok()
    }

    pub(super) fn remote(&self) -> Option<IpAddr> {
        said(self.ip_address?.get())?.parse().ok()
    }

    /// Whether the gateway has found out who the client is, be it nobody.
    pub(super) fn is_identified(&self) -> bool {
        self.identity.is_some() || self.anonymous
    }

    /// What is known of the caller, in `context`.
    pub(super) fn known(self, context: Context) -> Context {
        let depth = self.depth();
        context.with_identity(self.identity.map(Known::identity).unwrap_or_default()).at_depth(depth)
    }
}
