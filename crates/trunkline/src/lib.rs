//! Register a procedure once; every kind of caller can reach it.
//!
//! ```
//! use trunkline::{Fault, Router};
//!
//! #[derive(serde::Deserialize, schemars::JsonSchema)]
//! struct Join { room: String, guest: String }
//!
//! async fn join(ask: Join) -> Result<String, Fault> {
//!     Ok(format!("{} is in {}", ask.guest, ask.room))
//! }
//!
//! let router = Router::new().procedure("rooms.join", join);
//! ```
//!
//! - serve: [`Router`], [`Server`], [`Listener`], [`Limits`], [`Hooks`]
//! - call: [`Client`]
//! - in a handler: [`Fault`], [`Peer`], [`Context`], [`State`], [`handler`](fn@handler)
//! - messages without a server: [`jsonrpc`]

pub mod client;
pub mod rpc_websockets;
pub mod server;

pub use crate::client::Client;
pub use crate::server::{BindError, Bound, Listener, Server};
pub use trunkline_core::{
    Answer, Call, Catalog, Connection, ConnectionId, Context, Details, Extract, Fault, FaultKind, Format,
    Handler, Headers, IntoReply, Lag, Limits, Middleware, Next, Open, OwnedCall, OwnedPayload, Payload,
    Plain, Procedure, ProcedureName, RawArgs, Registration, Router, Signature, State, States, catalog,
    framing, handler::handler, schema, schemars,
};
pub use trunkline_dialects::jsonrpc::{self, JsonRpc};
#[cfg(feature = "http")]
pub use trunkline_net::http;
#[cfg(feature = "tls")]
pub use trunkline_net::tls;
#[cfg(feature = "ws")]
pub use trunkline_net::ws;
pub use trunkline_net::{
    Calling, Ended, FaultReport, Hooks, Link, Peer, Peers, Service, Subscription, listen::Shutdown, open,
    serve,
};

/// The code in the documents for readers, compiled.
#[cfg(doctest)]
mod documents {
    #[doc = include_str!("../../../README.md")]
    struct Readme;
    #[doc = include_str!("../../../docs/from-json-rpc-server-stream.md")]
    struct FromJsonRpcServerStream;
    #[doc = include_str!("../../../docs/from-ws-rpc-messaging.md")]
    struct FromWsRpcMessaging;
    #[doc = include_str!("../../../docs/streams.md")]
    struct Streams;
}
