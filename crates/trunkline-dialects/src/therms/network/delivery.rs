//! [`Delivery`]: one request, heard as a call and answered with a response.

use super::{
    super::code,
    fault,
    request::{Echo, Message},
};
use crate::jsonrpc::write::string;
use std::{borrow::Cow, net::SocketAddr, ops::Range, sync::Arc};
use trunkline_core::{
    About, CallId, Connection, Context, CowPayload, Dialect, Fault, FaultKind, Format, Frame, Key, OpenFrame,
    Outbox, Payload, Signal,
    envelope::Opened,
    key::{FIRST, GLOBAL},
};

/// Reads a message that asks for a call.
pub(super) fn open(body: &str) -> Option<Opened> {
    let Message { request } = serde_json::from_str(body).ok()?;
    let (scope, version) = (request.scope(), request.version());
    let key = Key {
        scope: scope.as_deref().unwrap_or(GLOBAL),
        procedure: Some(&*request.procedure).filter(|procedure| !procedure.is_empty())?,
        version: version.as_deref().unwrap_or(FIRST),
    };
    // a key that has no name is one that nobody serves
    let procedure: Box<str> = key.name().map_or_else(|| key.to_string().into(), |name| (&*name).into());
    let (trace, ours) = (&request.trace, request.trace.is_ours());
    let mut echo = String::new();
    if ours {
        let mut named = br#"{"trace":{"id":"#.to_vec();
        string(&mut named, &trace.id);
        named.extend_from_slice(b"}}");
        echo = String::from_utf8(named).ok()?;
    } else {
        echo.push_str(serde_json::from_str::<Echo<'_>>(body).ok()?.request.get());
    }
    let about = trace.about();
    let delivery = Delivery {
        call: Some(Heard {
            procedure: procedure.clone(),
            args: request.args.map(|args| place(body, args.get())),
            about: (!about.is_empty()).then(|| Box::new(about)),
        }),
        echo: echo.into(),
        correlation: request.correlation_id.map(|id| id.get().into()),
        id: (&*trace.id).into(),
        ours,
        before_data: 0,
    };
    let remote = trace.remote().map(|address| SocketAddr::new(address, 0));
    let connection = Connection::new("broker", "therms").with_remote(remote);
    let connection = match trace.connection_id() {
        Some(id) => connection.with_id(id),
        None => connection,
    };
    let context = Context::from(Arc::new(connection));
    Some(Opened {
        id: delivery.id.clone(),
        procedure,
        internal: trace.is_internal(),
        context: request.trace.known(context),
        dialect: Box::new(delivery),
    })
}

/// Where in `body` a part of it stands.
fn place(body: &str, part: &str) -> Range<usize> {
    let start = part.as_ptr() as usize - body.as_ptr() as usize;
    start..start + part.len()
}

/// One request, heard as a call and answered with a response.
struct Delivery {
    /// What is still to be heard.
    call: Option<Heard>,
    /// What is repeated of the request.
    echo: Box<str>,
    /// As the one who asks has spelled it.
    correlation: Option<Box<str>>,
    id: Box<str>,
    /// Whether a trunkline asks, which understands more.
    ours: bool,
    /// How much stands before the data of the response that is open.
    before_data: usize,
}

struct Heard {
    procedure: Box<str>,
    args: Option<Range<usize>>,
    about: Option<Box<About>>,
}

const DATA: &[u8] = br#","data":"#;

impl Delivery {
    /// Appends what stands before the data of a response.
    fn head(&self, code: i64, out: &mut Vec<u8>) {
        out.extend_from_slice(br#"{"request":"#);
        out.extend_from_slice(self.echo.as_bytes());
        out.extend_from_slice(br#","response":{"code":"#);
        out.extend_from_slice(itoa::Buffer::new().format(code).as_bytes());
        if let Some(correlation) = &self.correlation {
            out.extend_from_slice(br#","correlationId":"#);
            out.extend_from_slice(correlation.as_bytes());
        }
    }

    /// Appends what stands behind the message, or the data, of a response.
    fn tail(&self, outcome: Result<(), &Fault>, out: &mut Vec<u8>) {
        out.extend_from_slice(match outcome {
            Ok(()) => br#","success":true,"trace":{"id":"#.as_slice(),
            Err(_) => br#","success":false,"trace":{"id":"#,
        });
        string(out, &self.id);
        if let Err(fault) = outcome
            && self.ours
        {
            fault::write_kind(fault, out);
        }
        out.extend_from_slice(b"}}}");
    }

    fn refuse(&self, fault: &Fault, out: &mut Outbox) {
        out.frame(0, |body| {
            self.head(code(fault), body);
            if let Some(data) = fault.raw_data() {
                body.extend_from_slice(DATA);
                body.extend_from_slice(data.as_bytes());
            }
            body.extend_from_slice(br#","message":"#);
            string(body, if self.ours { fault.message() } else { fault::message(fault) });
            self.tail(Err(fault), body);
        });
    }
}

impl Dialect for Delivery {
    fn hear<'f>(&mut self, frame: &mut Frame<'f>, _out: &mut Outbox) -> Option<Signal<'f>> {
        let Heard { procedure, args, about } = self.call.take()?;
        // it has been read as text before, when it was opened
        let text = frame.body.as_text().ok()?;
        let args = args.and_then(|place| text.get(place));
        Some(Signal::Call {
            id: CallId { spelling: "", tag: 0 },
            procedure: Cow::Owned(procedure.into()),
            args: args.map(|args| CowPayload::Borrowed(Payload::Json(args))),
            about,
        })
    }

    fn open(&mut self, _id: &CallId<'_>, out: &mut Outbox) -> OpenFrame {
        let frame = out.open(0);
        self.head(200, out.body());
        self.before_data = out.written(frame).len();
        out.body().extend_from_slice(DATA);
        frame
    }

    fn close(&mut self, _id: &CallId<'_>, reply: OpenFrame, out: &mut Outbox) {
        // no data is not said, as nothing is that is absent
        if out.written(reply).get(self.before_data..) == Some(b",\"data\":null") {
            let end = out.body().len() - (DATA.len() + 4);
            out.body().truncate(end);
        }
        self.tail(Ok(()), out.body());
        out.close(reply);
    }

    fn fault(&mut self, _id: &CallId<'_>, fault: &Fault, out: &mut Outbox) {
        self.refuse(fault, out);
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
        Format::Json
    }
}
