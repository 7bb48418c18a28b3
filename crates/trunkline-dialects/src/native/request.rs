//! Requests, written and read.

use super::{
    ID, NAME,
    delivery::{Delivery, Heard},
    fields::{self, END, Input, field, text},
};
use crate::{
    jsonrpc::is_json,
    therms::{self, Origin, Passed, Provenance, SHORT, Trace, calling, is_truthy},
};
use serde_json::{Map, Value};
use std::{
    borrow::Cow,
    net::{IpAddr, SocketAddr},
    ops::Range,
    sync::Arc,
    time::Duration,
};
use trunkline_core::{
    About, Connection, ConnectionId, Context, Identity, Payload,
    envelope::{Asked, Opened},
    trace,
};

/// How a request begins.
const REQUEST: u8 = 0x81;

const INTERNAL: u8 = 0x01;
const EXACT: u8 = 0x02;
const REPEATED: u8 = 0x04;
const WEBSOCKET: u8 = 0x08;
const ANONYMOUS: u8 = 0x10;
/// Those that we know.
const FLAGS: u8 = INTERNAL | EXACT | REPEATED | WEBSOCKET | ANONYMOUS;

const CORRELATION: u8 = 1;
const SHOWN: u8 = 2;
const CALLER: u8 = 3;
const TRACE_ID: u8 = 4;
const PARENT: u8 = 5;
const ADDRESS: u8 = 6;
const CONNECTION: u8 = 7;
const PLACE: u8 = 8;
const DEPTH: u8 = 9;
const SUBJECT: u8 = 10;
const GROUPS: u8 = 11;
const CLAIMS: u8 = 12;

/// Room for what there usually is besides the arguments, so that it is not moved as it grows.
const USUAL_HEAD: usize = 96;

/// The gateways that a flag tells apart.
const GATEWAYS: [&str; 2] = ["HttpServer", "WebSocketServer"];

/// Appends the message that asks for a call; gives where its arguments stand.
pub(super) fn write(asked: &Asked<'_>, out: &mut Vec<u8>) -> Option<Range<usize>> {
    let context = asked.context;
    let said = Provenance::of(context);
    let internal = context.finds_internal();
    let caller = context.identity();
    let is_known =
        caller.subject().is_some() || caller.groups().next().is_some() || !caller.claims().is_empty();
    let client = Trace::of_client(context);
    let flags = [
        (internal, INTERNAL),
        (said.is_none_or(Provenance::is_exact), EXACT),
        (asked.repeated, REPEATED),
        (client.is_some_and(|(gateway, _)| gateway == GATEWAYS[1]), WEBSOCKET),
        // programs of the network are not asked who they are
        (asked.identified && !is_known && !internal, ANONYMOUS),
    ];
    out.reserve(USUAL_HEAD + asked.args.map_or(0, |args| args.size()));
    out.push(REQUEST);
    out.extend_from_slice(asked.id.as_bytes());
    out.push(flags.iter().filter(|(is_so, _)| *is_so).fold(0, |flags, (_, flag)| flags | flag));
    // no time at all would not be said: whoever waits for nothing does not ask
    fields::number(out, u64::try_from(asked.timeout.as_millis()).unwrap_or(u64::MAX).max(1));
    match asked.key.name() {
        Some(name) => fields::bytes(out, name.as_bytes()),
        // nobody serves it
        None => fields::bytes(out, asked.key.to_string().as_bytes()),
    }
    write_said(asked, said, out);
    match client {
        Some((_, address)) => write_address(out, address),
        None => {
            let minted = asked.id.get(..SHORT);
            write_trace(&Trace::of(context, minted), minted, out);
        }
    }
    let id = context.connection().id();
    if id.is_held() {
        field(out, CONNECTION, &id.to_bytes());
    }
    if let Some(trace) = context.trace() {
        let (id, span, state) = (trace.trace_id(), trace.span_id(), trace.state());
        field(out, PLACE, &[&id, &span[..], &[trace.flags()], state.as_bytes()].concat());
    }
    if internal && context.depth() > 1 {
        let mut depth = Vec::new();
        fields::number(&mut depth, context.depth() as u64);
        field(out, DEPTH, &depth);
    }
    if is_known {
        write_identity(caller, out);
    }
    out.push(END);
    let Some(Payload::Json(args)) = asked.args else { return None };
    let start = out.len();
    out.extend_from_slice(args.as_bytes());
    Some(start..out.len())
}

/// What the client says of its call, and of itself.
fn write_said(asked: &Asked<'_>, said: Option<&Provenance>, out: &mut Vec<u8>) {
    if let Some(correlation) = said.and_then(|said| said.correlation(asked.context)) {
        field(out, CORRELATION, correlation.as_bytes());
    }
    let shown = || if asked.identified { None } else { therms::Identity::shown(asked.context) };
    if let Some(identity) = said.and_then(Provenance::identity).cloned().or_else(shown) {
        // a value of JSON has a form in JSON
        field(out, SHOWN, &serde_json::to_vec(&identity).unwrap_or_default());
    }
}

/// Where a call comes from, if not from a client by itself; its id unless that was `minted`.
fn write_trace(trace: &Trace, minted: Option<&str>, out: &mut Vec<u8>) {
    field(out, CALLER, trace.caller.as_bytes());
    if Some(&*trace.id) != minted {
        field(out, TRACE_ID, trace.id.as_bytes());
    }
    if let Some(parent) = &trace.parent_id {
        field(out, PARENT, parent.as_bytes());
    }
    write_address(out, trace.ip_address);
}

fn write_address(out: &mut Vec<u8>, address: Option<IpAddr>) {
    match address {
        Some(IpAddr::V4(address)) => field(out, ADDRESS, &address.octets()),
        Some(IpAddr::V6(address)) => field(out, ADDRESS, &address.octets()),
        None => {}
    }
}

/// Who a gateway has found the caller to be. Until when that is known is its own
/// business: it has looked at the clock before it let the call pass.
fn write_identity(identity: &Identity, out: &mut Vec<u8>) {
    if let Some(subject) = identity.subject() {
        field(out, SUBJECT, subject.as_bytes());
    }
    let mut groups = Vec::new();
    identity.groups().for_each(|group| fields::bytes(&mut groups, group.as_bytes()));
    if !groups.is_empty() {
        field(out, GROUPS, &groups);
    }
    if !identity.claims().is_empty() {
        // values of JSON have a form in JSON
        field(out, CLAIMS, &serde_json::to_vec(identity.claims()).unwrap_or_default());
    }
}

/// What the fields of a request say.
#[derive(Default)]
struct Said<'b> {
    correlation: Option<&'b str>,
    shown: Option<therms::Identity>,
    caller: Option<&'b str>,
    trace_id: Option<&'b str>,
    parent: Option<&'b str>,
    address: Option<IpAddr>,
    connection: Option<ConnectionId>,
    place: Option<trace::Trace>,
    depth: Option<usize>,
    identity: Option<Identity>,
}

impl<'b> Said<'b> {
    /// Reads the fields, up to their end. What clients have said in them is nested no deeper
    /// than `max_depth`.
    fn read(input: &mut Input<'b>, max_depth: usize) -> Option<Self> {
        let mut said = Self::default();
        let mut number = END;
        loop {
            let (next, value) = input.field(number)?;
            number = next;
            match number {
                END => return Some(said),
                CORRELATION => said.correlation = Some(json(value, max_depth)?).filter(|id| is_truthy(id)),
                SHOWN => said.shown = Some(therms::Identity::passed(json(value, max_depth)?)?),
                CALLER => said.caller = Some(text(value)?),
                TRACE_ID => said.trace_id = Some(text(value)?),
                PARENT => said.parent = Some(text(value)?),
                ADDRESS => said.address = Some(address(value)?),
                CONNECTION => said.connection = Some(ConnectionId::from_bytes(value.try_into().ok()?)?),
                PLACE => said.place = Some(place(value)?),
                DEPTH => said.depth = Some(whole(value)?),
                SUBJECT => said.identity = Some(Identity::new(text(value)?.to_owned())),
                GROUPS => said.identity = Some(groups(value, said.identity.unwrap_or_default())?),
                CLAIMS => said.identity = Some(claims(value, said.identity.unwrap_or_default())?),
                _ => {}
            }
        }
    }
}

fn json(value: &[u8], max_depth: usize) -> Option<&str> {
    text(value).filter(|text| is_json(text, max_depth))
}

fn address(value: &[u8]) -> Option<IpAddr> {
    match value.len() {
        4 => <[u8; 4]>::try_from(value).ok().map(IpAddr::from),
        _ => <[u8; 16]>::try_from(value).ok().map(IpAddr::from),
    }
}

fn place(value: &[u8]) -> Option<trace::Trace> {
    let mut input = Input(value);
    let (id, span, flags) = (*input.array()?, *input.array()?, input.byte()?);
    let place = trace::Trace::of_parts(id, span, flags)?;
    Some(if input.0.is_empty() { place } else { place.with_state(text(input.0)?) })
}

fn whole(value: &[u8]) -> Option<usize> {
    let mut input = Input(value);
    let number = input.number()?;
    if input.0.is_empty() { Some(u32::try_from(number).ok()? as usize) } else { None }
}

fn groups(value: &[u8], mut identity: Identity) -> Option<Identity> {
    let mut input = Input(value);
    while !input.0.is_empty() {
        identity = identity.with_group(text(input.bytes()?)?.to_owned());
    }
    Some(identity)
}

fn claims(value: &[u8], identity: Identity) -> Option<Identity> {
    let claims: Map<String, Value> = serde_json::from_slice(value).ok()?;
    Some(claims.into_iter().fold(identity, |identity, (name, value)| identity.with_claim(name, value)))
}

/// Reads a message that asks for a call. JSON that is nested deeper than `max_depth` is none.
pub(super) fn open(body: &[u8], max_depth: usize) -> Option<Opened> {
    // the message of a client counts as one level, in whatever spelling it goes on
    let max_depth = max_depth.saturating_sub(1);
    let mut input = Input(body);
    if input.byte()? != REQUEST {
        return None;
    }
    let digits: &[u8; ID] = input.array()?;
    // all of them at once, in place of one after the other
    let are_digits = digits.iter().fold(true, |are, digit| are & digit.is_ascii_hexdigit());
    let id = text(digits).filter(|_| are_digits)?;
    let flags = input.byte()?;
    if flags & !FLAGS != 0 {
        return None;
    }
    let is = |flag| flags & flag != 0;
    let timeout = Duration::from_millis(input.number()?);
    let procedure = text(input.bytes()?).filter(|name| !name.is_empty())?;
    let named_until = input.at(body);
    let said = Said::read(&mut input, max_depth)?;
    if !input.0.is_empty() {
        json(input.0, max_depth)?;
    }
    let depth = if is(INTERNAL) { said.depth.unwrap_or(1).max(1) } else { 0 };
    let is_identified = is(ANONYMOUS) || said.identity.is_some();
    // where the gateway has not found out who the client is, that says it itself
    let own = said.shown.as_ref().filter(|_| !is_identified);
    let authorization = own.and_then(therms::Identity::authorization).map(Box::from);
    let connection = match said.connection {
        Some(id) => Connection::of_id(id, "broker", NAME),
        None => Connection::new("broker", NAME),
    };
    let connection = connection.with_remote(said.address.map(|address| SocketAddr::new(address, 0)));
    let passed = Passed {
        caller: match said.caller {
            Some(caller) => Cow::Owned(caller.to_owned()),
            None => Cow::Borrowed(GATEWAYS[usize::from(is(WEBSOCKET))]),
        },
        id: said.trace_id.map(Box::from),
        digits: *digits.first_chunk()?,
        internal: is(INTERNAL),
        ip_address: said.address,
        parent_id: said.parent.map(Box::from),
    };
    let provenance = Provenance::new(said.correlation, said.shown, Origin::Passed(passed));
    let context = Context::from(Arc::new(connection))
        .with_identity(said.identity.unwrap_or_default())
        .at_depth(depth)
        .with_about(&About::default().with_extension(provenance.at_depth(depth).exact(is(EXACT))));
    let context = match said.caller.and_then(calling) {
        Some(caller) => context.called_by(caller),
        None => context,
    };
    let heard = Heard {
        procedure: named_until - procedure.len()..named_until,
        args_at: input.at(body),
        about: Box::new(About::default().with_trace(said.place).with_timeout(Some(timeout))),
    };
    Some(Opened {
        id: id.into(),
        procedure: procedure.into(),
        internal: is(INTERNAL),
        repeated: is(REPEATED),
        understands: true,
        authorization,
        context,
        dialect: Box::new(Delivery { id: *digits, call: Some(heard) }),
    })
}
