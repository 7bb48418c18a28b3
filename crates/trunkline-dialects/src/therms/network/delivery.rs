//! [`Delivery`]: one request, heard as a call and answered with a response.

use super::{
    super::{
        Identity,
        fault::{self, By, Refusal},
        read::{Message, is_truthy},
        request::{Origin, Provenance, Trace, calling},
        write::Form,
    },
    exactly,
    request::Traced,
};
use crate::jsonrpc::{is_json, write::string};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::{borrow::Cow, net::SocketAddr, ops::Range, sync::Arc};
use trunkline_core::{
    About, CallId, Connection, Context, CowPayload, Dialect, Fault, FaultKind, Format, Frame, Key, OpenFrame,
    Outbox, Payload, Signal,
    envelope::{Opened, Remark},
};

/// The message that asks for a call.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    request: &'a RawValue,
}

/// A request as it is spelled, and its members.
type Asked<'a> = (&'a str, Message<'a, Traced<'a>>);

/// Finds the request in `body`, and reads it.
fn asked(body: &str) -> Option<Asked<'_>> {
    // as all spell it that speak of nothing else: if what is inside of these is one object, it is it
    let inside = body.strip_prefix(r#"{"request":"#).and_then(|rest| rest.strip_suffix('}'));
    if let Some((request, message)) = inside.and_then(|inside| Some((inside, members(inside)?))) {
        return Some((request, message));
    }
    let request = serde_json::from_str::<Envelope<'_>>(body).ok()?.request.get();
    Some((request, members(request)?))
}

fn members(request: &str) -> Option<Message<'_, Traced<'_>>> {
    // an array of values would do as well
    if request.starts_with('{') { serde_json::from_str(request).ok() } else { None }
}

/// Reads a message that asks for a call. What is nested deeper than `max_depth` is none.
pub(super) fn open(body: &str, max_depth: usize) -> Option<Opened> {
    let (request, mut message) = asked(body)?;
    let trace = message.trace.take()?;
    // that of the object that they are in is one
    let is_flat = |part: &&str| is_json(part, max_depth.saturating_sub(1));
    if ![message.args, message.identity, message.correlation()].iter().flatten().all(is_flat) {
        return None;
    }
    let parts = message.parts().ok()??;
    let key = Key { scope: &parts.scope, procedure: &parts.procedure, version: &parts.version };
    // a key that has no name is one that nobody serves
    let procedure: Box<str> =
        key.name().map_or_else(|| key.to_string().into(), |name| name.into_owned().into());
    let (ours, told) = (trace.key(), Arc::new(trace.told()));
    let identity = match message.identity.filter(|identity| is_truthy(identity)) {
        Some(identity) => Identity::passed(identity).map(Some).ok_or(Refusal::Identity),
        None => Ok(None),
    };
    // where the gateway has not found out who the client is, that says it itself
    let own = identity.as_ref().ok().and_then(Option::as_ref).filter(|_| !trace.is_identified());
    let authorization = own.and_then(Identity::authorization).map(Box::from);
    let repeated = trace.repeated;
    let said = |identity| {
        let provenance = Provenance::new(message.correlation(), identity, Origin::Node(told.clone()));
        provenance.at_depth(trace.depth()).exact(trace.is_exact())
    };
    let (call, said) = match identity {
        Ok(identity) => {
            let args = message.args.map(|args| place(body, args));
            let heard = Heard { procedure: procedure.clone(), args, about: Box::new(trace.about()) };
            (Ok(heard), Some(said(identity)))
        }
        Err(refusal) => (Err(refusal), None),
    };
    let mut before =
        Vec::with_capacity(USUAL_HEAD + told.id.len() + if ours.is_some() { 0 } else { request.len() });
    before.extend_from_slice(br#"{"request":"#);
    match ours {
        Some(key) => trace_of(&mut before, br#"{"trace":{"id":"#, &told.id, key),
        None => before.extend_from_slice(request.as_bytes()),
    }
    before.extend_from_slice(br#","response":"#);
    let mut after = Vec::with_capacity(USUAL_HEAD + told.id.len());
    after.extend_from_slice(br#","trace":{"id":"#);
    string(&mut after, &told.id);
    let id: Arc<str> = ours.unwrap_or(&told.id).into();
    let connection = match trace.connection_id() {
        Some(id) => Connection::of_id(id, "broker", "therms"),
        None => Connection::new("broker", "therms"),
    };
    let connection = connection.with_remote(told.ip_address.map(|address| SocketAddr::new(address, 0)));
    let mut context = trace.known(Context::from(Arc::new(connection)));
    if let Some(said) = said {
        context = context.with_about(&About::default().with_extension(said));
    }
    if let Some(calling) = calling(&told.caller) {
        context = context.called_by(calling);
    }
    let delivery = Delivery {
        call: Some(call),
        before: String::from_utf8(before).ok()?,
        correlation: message.correlation().filter(|_| ours.is_none()).map(Into::into),
        after: String::from_utf8(after).ok()?,
        ours: ours.is_some(),
        trace: told,
    };
    let internal = delivery.trace.internal;
    Some(Opened {
        id,
        procedure,
        internal,
        repeated,
        understands: ours.is_some(),
        authorization,
        context,
        dialect: Box::new(delivery),
    })
}

/// Room for what a response has besides the id of its trace and the request, if it repeats that.
const USUAL_HEAD: usize = 96;

/// Appends what one of ours is told of its request.
fn trace_of(out: &mut Vec<u8>, head: &[u8], id: &str, key: &str) {
    out.extend_from_slice(head);
    string(out, id);
    out.extend_from_slice(br#","key":"#);
    string(out, key);
    out.extend_from_slice(b"}}");
}

/// Where in `body` a part of it stands.
fn place(body: &str, part: &str) -> Range<usize> {
    let start = part.as_ptr() as usize - body.as_ptr() as usize;
    start..start + part.len()
}

/// One request, heard as a call and answered with a response.
struct Delivery {
    /// What is still to be heard.
    call: Option<Result<Heard, Refusal>>,
    /// What stands before the response: what is repeated of the request.
    before: String,
    /// As the one who asks has spelled it, and looks for it.
    correlation: Option<Box<str>>,
    /// What stands behind its last member, but for what is said to our own kind and the end.
    after: String,
    /// Whether a trunkline asks, which understands more.
    ours: bool,
    /// Where the call comes from.
    trace: Arc<Trace>,
}

struct Heard {
    procedure: Box<str>,
    args: Option<Range<usize>>,
    about: Box<About>,
}

/// What an answer ends with: its trace, the response, the message.
const END: &[u8] = b"}}}";

/// Says more in the trace of an answer.
pub(super) fn remark(answer: &mut Vec<u8>, remark: Remark) {
    if answer.ends_with(END) {
        answer.truncate(answer.len() - END.len());
        answer.extend_from_slice(match remark {
            Remark::NotStarted => br#","started":false"#.as_slice(),
            Remark::Idempotent => br#","idempotent":true"#,
        });
        answer.extend_from_slice(END);
    }
}

impl Delivery {
    /// The form of the response, with `more` said to our own kind in its trace.
    fn form<R>(&self, more: &str, with: impl FnOnce(&Form<'_>) -> R) -> R {
        let id = self.correlation.as_deref().unwrap_or_default();
        with(&Form { before: &self.before, id, after: [&self.after, more, "}}"] })
    }

    fn refuse(&self, fault: &Fault, out: &mut Outbox) {
        if !self.ours {
            let by = By::of(&self.trace);
            return self.form("", |form| out.frame(0, |out| fault::write(out, form, fault, by)));
        }
        let (code, data) = (fault::code(fault), fault.raw_data());
        self.form(&exactly::told(fault), |form| {
            out.frame(0, |out| form.failure(out, code, data, fault.message()));
        });
    }
}

impl Dialect for Delivery {
    fn hear<'f>(&mut self, frame: &mut Frame<'f>, out: &mut Outbox) -> Option<Signal<'f>> {
        let Heard { procedure, args, about } = match self.call.take()? {
            Ok(heard) => heard,
            Err(refusal) => {
                self.form("", |form| out.frame(0, |out| refusal.write(out, form)));
                return None;
            }
        };
        // it has been read as text before, when it was opened
        let text = frame.body.as_text().ok()?;
        let args = args.and_then(|place| text.get(place));
        Some(Signal::Call {
            id: CallId { spelling: "", tag: 0 },
            procedure: Cow::Owned(procedure.into()),
            args: args.map(|args| CowPayload::Borrowed(Payload::Json(args))),
            about: Some(about),
        })
    }

    fn open(&mut self, _id: &CallId<'_>, out: &mut Outbox) -> OpenFrame {
        self.form("", |form| form.open(out))
    }

    fn close(&mut self, _id: &CallId<'_>, reply: OpenFrame, out: &mut Outbox) {
        self.form("", |form| form.close(out, reply));
    }

    fn fault(&mut self, _id: &CallId<'_>, fault: &Fault, out: &mut Outbox) {
        self.refuse(fault, out);
    }

    fn code(&self, _id: Option<&CallId<'_>>, fault: &Fault) -> Option<i64> {
        Some(fault::code(fault))
    }

    fn oversize<'h>(
        &mut self,
        _channel: u8,
        limit: usize,
        _head: &'h [u8],
        out: &mut Outbox,
    ) -> Option<Signal<'h>> {
        let message = format!("the message is over {limit} bytes");
        self.refuse(&Fault::new(FaultKind::RequestTooLarge, message), out);
        None
    }

    fn unframed(&mut self, _out: &mut Outbox) {}

    fn format(&self) -> Format {
        Format::CodedJson
    }
}
