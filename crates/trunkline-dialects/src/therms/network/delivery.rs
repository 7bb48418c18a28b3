//! [`Delivery`]: one request, heard as a call and answered with a response.

use super::{
    super::{
        Identity,
        fault::{self, By, Refusal},
        read::{is_truthy, read},
        request::{Origin, Provenance, Trace},
        write::Form,
    },
    exactly,
    request::Traced,
};
use crate::jsonrpc::write::string;
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
struct Message<'a> {
    #[serde(borrow)]
    request: &'a RawValue,
}

/// Reads a message that asks for a call.
pub(super) fn open(body: &str, max_depth: usize) -> Option<Opened> {
    let Message { request } = serde_json::from_str(body).ok()?;
    let message = read(request.get(), max_depth).ok()?;
    let parts = message.parts().ok()??;
    let key = Key { scope: &parts.scope, procedure: &parts.procedure, version: &parts.version };
    // a key that has no name is one that nobody serves
    let procedure: Box<str> = key.name().map_or_else(|| key.to_string().into(), |name| (&*name).into());
    let trace: Traced<'_> = serde_json::from_str(message.trace?).ok()?;
    let (ours, told) = (trace.key(), trace.told());
    let identity = match message.identity.filter(|identity| is_truthy(identity)) {
        Some(identity) => Identity::read(identity).map(Some).ok_or(Refusal::Identity),
        None => Ok(None),
    };
    // where the gateway has not found out who the client is, that says it itself
    let own = identity.as_ref().ok().and_then(Option::as_ref).filter(|_| !trace.is_identified());
    let authorization = own.and_then(Identity::authorization).map(Box::from);
    let repeated = trace.repeated;
    let heard = identity.map(|identity| {
        let provenance = Provenance::new(message.correlation(), identity, Origin::Node(told.clone()));
        let provenance = provenance.at_depth(trace.depth()).exact(trace.is_exact());
        Heard {
            procedure: procedure.clone(),
            args: message.args.map(|args| place(body, args)),
            about: Box::new(trace.about().with_extension(provenance.said())),
        }
    });
    let mut before = br#"{"request":"#.to_vec();
    match ours {
        Some(key) => trace_of(&mut before, br#"{"trace":{"id":"#, &told.id, key),
        None => before.extend_from_slice(request.get().as_bytes()),
    }
    before.extend_from_slice(br#","response":"#);
    let mut after = br#","trace":{"id":"#.to_vec();
    string(&mut after, &told.id);
    let id: Box<str> = ours.unwrap_or(&told.id).into();
    let connection = Connection::new("broker", "therms")
        .with_remote(told.ip_address.map(|address| SocketAddr::new(address, 0)));
    let connection = match trace.connection_id() {
        Some(id) => connection.with_id(id),
        None => connection,
    };
    let mut context = trace.known(Context::from(Arc::new(connection)));
    if let Some(calling) = told.calling() {
        context = context.called_by(Key::of(calling).name().unwrap_or(calling.into()));
    }
    let delivery = Delivery {
        call: Some(heard),
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
    trace: Trace,
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
        with(&Form { before: &self.before, id, after: &[&self.after, more, "}}"].concat() })
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
