//! [`Request`]: what this dialect says of a call, for handlers.

use super::Identity;
use serde::Serialize;
use serde_json::{Value, value::RawValue};
use std::{
    hash::{BuildHasher, RandomState},
    net::IpAddr,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU32, Ordering},
    },
};
use trunkline_core::{Call, Connection, Extract, Fault, Key};

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
    /// that a client has called, for calls that are made for that one.
    pub caller: String,
    /// The correlation id, if that is a string of 1 to 255 bytes; else one of ours.
    pub id: String,
    /// Whether a handler of this program has made the call.
    pub internal: bool,
    /// Where the client is: the first entry of `X-Real-IP`, if a proxy says so that is
    /// [trusted](super::Therms::trust_proxies), or else the address at the far end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_address: Option<IpAddr>,
    /// The trace of the call that this one is made for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<String>,
}

/// What goes with a call on its way to its handler.
#[derive(Clone, Debug)]
pub(super) struct Said(pub(super) Arc<Saying>);

#[derive(Debug)]
pub(super) struct Saying {
    pub(super) procedure: Box<str>,
    pub(super) correlation: Option<Box<RawValue>>,
    pub(super) identity: Option<Identity>,
    pub(super) proxies: Arc<[IpAddr]>,
    pub(super) number: u32,
}

impl Saying {
    fn trace_id(&self) -> String {
        let correlation = self.correlation.as_ref().and_then(|id| serde_json::from_str(id.get()).ok());
        let fits = |id: &String| (1..=LONGEST_ID).contains(&id.len());
        correlation.filter(fits).unwrap_or_else(|| spelled(self.number))
    }
}

/// The number of the next call without a name.
pub(super) fn next_number() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// 24 digits: this process, and a number in it.
fn spelled(number: u32) -> String {
    static PROCESS: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one(std::process::id()));
    format!("{:016x}{number:08x}", *PROCESS)
}

/// By what way a client has called.
pub(super) fn caller(transport: &str) -> &'static str {
    match transport {
        "websocket" => "WebSocketServer",
        _ => "HttpServer",
    }
}

pub(super) fn ip_address(connection: &Connection, proxies: &[IpAddr]) -> Option<IpAddr> {
    let remote = connection.remote()?.ip().to_canonical();
    let told = || {
        let header = connection.headers().get("x-real-ip")?.to_str().ok()?;
        header.split(',').next()?.trim().parse().ok()
    };
    if proxies.contains(&remote) { told().or(Some(remote)) } else { Some(remote) }
}

impl Extract for Request {
    fn extract(call: &Call<'_>) -> Result<Self, Fault> {
        let Key { scope, procedure, version } = Key::of(call.procedure);
        let context = call.context;
        let said = context.extensions().get::<Said>().map(|said| &*said.0);
        let internal = context.depth() > 0;
        let own_id = said.filter(|_| !internal);
        let trace = Trace {
            caller: match said.filter(|_| internal) {
                Some(outer) => format!("RPCServer.call {}", Key::of(&outer.procedure)),
                None => caller(context.connection().transport()).to_owned(),
            },
            id: own_id.map_or_else(|| spelled(next_number()), Saying::trace_id),
            internal,
            ip_address: match internal {
                true => None,
                false => ip_address(context.connection(), said.map_or(&[], |said| &said.proxies)),
            },
            parent_id: said.filter(|_| internal).map(Saying::trace_id),
        };
        Ok(Self {
            scope: scope.to_owned(),
            procedure: procedure.to_owned(),
            version: version.to_owned(),
            correlation_id: own_id
                .and_then(|said| serde_json::from_str(said.correlation.as_ref()?.get()).ok()),
            identity: said.and_then(|said| said.identity.clone()),
            trace,
        })
    }
}
