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
//! - call: [`Client`], [`InProcess`]
//! - a trait for both sides: [`macro@service`], errors that both know: [`derive@Fault`]
//! - clients that call each other by way of the server: [`Server::peers_by_name`]
//! - several servers that are one: [`Server::broker`], [`Cluster`], [`broker`], [`node`]
//! - who may call: [`access`], [`Security`], [`Identity`]
//! - in a handler: [`Fault`](struct@Fault), [`Peer`], [`Caller`], [`Cluster`], [`Context`], [`Session`],
//!   [`State`], [`handler`](fn@handler)
//! - clients of @therms/rpc-server: [`therms`], [`Server::therms`], [`Response`]
//! - messages without a server: [`jsonrpc`]
//! - tests of services: `testing`, with the feature of that name

#[doc(hidden)]
pub mod __private;
pub mod access;
pub mod calls;
pub mod client;
mod envelope;
pub mod in_process;
pub mod rpc_websockets;
pub mod server;
#[cfg(feature = "testing")]
pub mod testing;

pub use crate::calls::Calls;
pub use crate::client::Client;
pub use crate::envelope::envelope;
pub use crate::in_process::InProcess;
pub use crate::server::{BindError, Bound, Listener, Reloader, SchemaError, Server};
pub use trunkline_core::{
    About, Answer, Attempt, Call, CallError, CallingPeer, Catalog, Connection, ConnectionId, Context,
    Credentials, Details, Envelope, Extract, Fault, FaultKind, Feed, Format, Handler, Headers, Holder,
    Identity, Incoming, IntoReply, Key, Lag, Limits, Middleware, Next, Open, OwnedCall, OwnedPayload,
    Payload, Plain, Procedure, ProcedureName, Provide, RawArgs, Registration, Response, Router, Security,
    Session, Signature, State, States, Trace, TypedFault, catalog, framing, handler::handler, relay, schema,
    schemars, security,
};
pub use trunkline_dialects::{
    Mixed,
    jsonrpc::{self, JsonRpc},
    native,
    therms::{self, Therms},
};
#[doc = include_str!("../../../docs/errors.md")]
pub use trunkline_macros::Fault;
#[doc = include_str!("../../../docs/services.md")]
pub use trunkline_macros::service;
#[cfg(feature = "http")]
pub use trunkline_net::http;
#[cfg(feature = "tls")]
pub use trunkline_net::tls;
#[cfg(feature = "ws")]
pub use trunkline_net::ws;
pub use trunkline_net::{
    Batch, Caller, Calling, Cluster, Decoded, Ended, FaultReport, Hooks, Link, NodeInfo, Peer, Peers,
    Published, Service, Subscription, listen::Shutdown, open, serve,
};
pub use trunkline_net::{broker, node};

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
    #[doc = include_str!("../../../docs/access.md")]
    struct Access;
    #[doc = include_str!("../../../docs/cluster.md")]
    struct Cluster;
    #[cfg(feature = "amqp")]
    #[doc = include_str!("../../../docs/rabbitmq.md")]
    struct RabbitMq;
    #[doc = include_str!("../../../docs/peers.md")]
    struct PeersByName;
    #[cfg(feature = "testing")]
    #[doc = include_str!("../../../docs/testing.md")]
    struct Testing;
    #[cfg(feature = "validate")]
    #[doc = include_str!("../../../docs/validation.md")]
    struct Validation;
    #[cfg(feature = "otel")]
    #[doc = include_str!("../../../docs/tracing.md")]
    struct Tracing;
    #[doc = include_str!("../../../docs/calls.md")]
    struct Calls;
    #[cfg(feature = "http")]
    #[doc = include_str!("../../../docs/therms.md")]
    struct Therms;
}
