//! [`Request`]: what this dialect says of a call, for handlers.

use super::{Identity, read::text};
use serde::Serialize;
use serde_json::Value;
use std::{
    borrow::Cow,
    net::IpAddr,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU32, Ordering},
    },
};
use trunkline_core::{Call, Context, Extract, Fault, Key, RandomId};

/// The longest correlation id that is taken for the id of a trace.
const LONGEST_ID: usize = 255;

/// What this dialect says of a call besides its arguments.
///
/// A handler takes it as it takes a [`Context`](trunkline_core::Context). Of calls that
/// come in another dialect, and of those that handlers make, it says what there is to
/// say: the latter have the identity of the call that they are made for.
///
/// ```
/// use trunkline_core::{Fault, Router};
/// use trunkline_dialects::therms::Request;
///
/// async fn whoami(request: Request) -> Result<String, Fault> {
///     let identity = request.identity.ok_or("you have not said who you are")?;
///     Ok(identity.device_name().unwrap_or("someone").to_owned())
/// }
///
/// let router = Router::new().procedure("test.whoami", whoami);
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Request {
    /// The procedure's scope, `global` if it has none.
    pub scope: String,
    /// The procedure's own name.
    pub procedure: String,
    /// Its version, `1` if none was asked for.
    pub version: String,
    /// By what the client knows its call, if it said so.
    pub correlation_id: Option<Value>,
    /// Who the client says that it is: with this call, or before on the connection.
    pub identity: Option<Identity>,
    /// Where the call comes from.
    pub trace: Trace,
}

/// Where a call comes from.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Trace {
    /// `HttpServer`, `WebSocketServer`, or `RPCServer.call` and the key of the procedure
    /// that calls.
    pub caller: String,
    /// The correlation id, if that is a string of 1 to 255 bytes; else 24 digits of ours.
    pub id: String,
    /// Whether a program of the network calls by itself, such as a handler does.
    pub internal: bool,
    /// Where the client is: the first entry of `X-Real-IP`, if a proxy says so that is
    /// [trusted](trunkline_core::Connection::trust_proxies), or else the address at the far end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_address: Option<IpAddr>,
    /// The trace of the call that this one is made for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<String>,
}

/// What goes with a call on its way to its handler: who it is from and where it comes
/// from, as this dialect has it. All that is called for it keeps it.
#[derive(Debug)]
pub(crate) struct Provenance {
    /// As it is spelled.
    correlation: Option<Box<str>>,
    identity: Option<Identity>,
    origin: Origin,
    /// How many calls there are around it: those that are made for it have more.
    depth: usize,
    /// Whether its arguments are for its handler as they are: its caller speaks another
    /// dialect, and another node has said so.
    exact: bool,
}

/// Where a call has come from.
#[derive(Debug)]
pub(crate) enum Origin {
    /// A client; and a number by which the call is known if it says nothing else.
    Client { number: u32 },
    /// Another node, which has said where from.
    Node(Arc<Trace>),
    /// The same in our own spelling.
    Passed(Passed),
}

impl Provenance {
    pub(crate) fn new(correlation: Option<&str>, identity: Option<Identity>, origin: Origin) -> Self {
        Self { correlation: correlation.map(Into::into), identity, origin, depth: 0, exact: false }
    }

    pub(crate) fn at_depth(self, depth: usize) -> Self {
        Self { depth, ..self }
    }

    pub(crate) fn exact(self, exact: bool) -> Self {
        Self { exact, ..self }
    }

    /// What is said of a call, or of the one that it is made for.
    pub(crate) fn of(context: &Context) -> Option<&Self> {
        context.said()
    }

    /// Whether this is said of the call itself.
    fn is_own(&self, context: &Context) -> bool {
        self.depth == context.depth()
    }

    /// By what its client knows the call, as that has spelled it.
    pub(crate) fn correlation(&self, context: &Context) -> Option<&str> {
        self.correlation.as_deref().filter(|_| self.is_own(context))
    }

    pub(crate) fn identity(&self) -> Option<&Identity> {
        self.identity.as_ref()
    }

    pub(crate) fn is_exact(&self) -> bool {
        self.exact
    }

    /// The id of its trace; `minted` if nobody has said another.
    fn trace_id(&self, minted: Option<&str>) -> String {
        match &self.origin {
            Origin::Node(trace) => trace.id.clone(),
            Origin::Passed(Passed { id: Some(id), .. }) => id.clone().into(),
            Origin::Passed(passed) => self.correlation_text().unwrap_or_else(|| passed.digits().to_owned()),
            Origin::Client { number } => {
                let minted = || minted.map_or_else(|| spelled(*number), str::to_owned);
                self.correlation_text().unwrap_or_else(minted)
            }
        }
    }

    /// The correlation id, if that may be the id of a trace.
    fn correlation_text(&self) -> Option<String> {
        let said = text(self.correlation.as_deref()?)?;
        (1..=LONGEST_ID).contains(&said.len()).then(|| said.into_owned())
    }
}

impl Trace {
    /// Where a call comes from, whose id is `minted` if nobody has said another.
    pub(crate) fn of(context: &Context, minted: Option<&str>) -> Self {
        let said = Provenance::of(context);
        let (own, outer) = match said {
            Some(said) if said.is_own(context) => (Some(said), None),
            said => (None, said),
        };
        match own.map(|said| &said.origin) {
            Some(Origin::Node(trace)) => return Self::clone(trace),
            Some(Origin::Passed(passed)) => return passed.trace(Self::id_of(context, minted)),
            Some(Origin::Client { .. }) | None => {}
        }
        let internal = context.is_internal();
        Self {
            caller: match context.caller() {
                Some(procedure) => format!("{CALL} {}", Key::of(procedure)),
                None if internal => CALL.to_owned(),
                None => gateway(context.connection().transport()).to_owned(),
            },
            id: Self::id_of(context, minted),
            internal,
            ip_address: if internal { None } else { context.connection().client_address() },
            parent_id: outer.map(|outer| outer.trace_id(None)),
        }
    }

    /// The id of the trace that a call is in, `minted` if nobody has said another.
    pub(super) fn id_of(context: &Context, minted: Option<&str>) -> String {
        match Provenance::of(context).filter(|said| said.is_own(context)) {
            Some(said) => said.trace_id(minted),
            None => minted.map_or_else(|| spelled(next_number()), str::to_owned),
        }
    }

    /// Where a call comes from that a client has made, and nobody in between: the
    /// [gateway], and the client's address. All else is known of it by its
    /// correlation id and its own.
    pub(crate) fn of_client(context: &Context) -> Option<(&'static str, Option<IpAddr>)> {
        let is_first =
            |said: &Provenance| matches!(said.origin, Origin::Client { .. }) && said.is_own(context);
        if !Provenance::of(context).is_none_or(is_first)
            || context.is_internal()
            || context.caller().is_some()
        {
            return None;
        }
        let connection = context.connection();
        Some((gateway(connection.transport()), connection.client_address()))
    }
}

/// The procedure that `caller` of a trace names, if that is one: by its own name.
pub(crate) fn calling(caller: &str) -> Option<Cow<'_, str>> {
    let key = caller.strip_prefix(CALL)?.strip_prefix(' ')?;
    Some(Key::of(key).name().unwrap_or(key.into()))
}

/// Where a call comes from, as one of ours has said it to another: made into a [`Trace`]
/// when somebody asks.
#[derive(Debug)]
pub(crate) struct Passed {
    pub(crate) caller: Cow<'static, str>,
    /// The id, if it is neither the correlation id nor made up.
    pub(crate) id: Option<Box<str>>,
    /// The id that was made up.
    pub(crate) digits: [u8; SHORT],
    pub(crate) internal: bool,
    pub(crate) ip_address: Option<IpAddr>,
    pub(crate) parent_id: Option<Box<str>>,
}

/// Digits of an id that was made up which the original's processes say.
pub(crate) const SHORT: usize = 24;

impl Passed {
    /// As it is told to handlers, who know it by `id`.
    fn trace(&self, id: String) -> Trace {
        Trace {
            caller: self.caller.clone().into_owned(),
            id,
            internal: self.internal,
            ip_address: self.ip_address,
            parent_id: self.parent_id.as_deref().map(str::to_owned),
        }
    }

    /// The id that was made up.
    fn digits(&self) -> &str {
        // those are ASCII
        std::str::from_utf8(&self.digits).unwrap_or_default()
    }
}

/// How programs of the network call.
const CALL: &str = "RPCServer.call";

/// The number of the next call without a name.
pub(super) fn next_number() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// 24 digits: this process, and a number in it.
fn spelled(number: u32) -> String {
    static PROCESS: LazyLock<RandomId> = LazyLock::new(RandomId::new);
    format!("{:.16}{number:08x}", PROCESS.as_str())
}

/// By what way a client has called.
pub(super) fn gateway(transport: &str) -> &'static str {
    match transport {
        "websocket" => "WebSocketServer",
        _ => "HttpServer",
    }
}

impl Extract for Request {
    fn extract(call: &Call<'_>) -> Result<Self, Fault> {
        let Key { scope, procedure, version } = Key::of(call.procedure);
        let said = Provenance::of(call.context);
        let correlation = said.and_then(|said| said.correlation(call.context));
        Ok(Self {
            scope: scope.to_owned(),
            procedure: procedure.to_owned(),
            version: version.to_owned(),
            correlation_id: correlation.and_then(|id| serde_json::from_str(id).ok()),
            identity: said.and_then(Provenance::identity).cloned(),
            trace: Trace::of(call.context, None),
        })
    }
}
