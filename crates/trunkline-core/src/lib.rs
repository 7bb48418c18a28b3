//! The nouns of trunkline, and nothing that touches a socket.
//!
//! Everything a procedure, a dialect or a transport needs to meet the others
//! lives here; none of them is here. Most programs use the crate `trunkline`,
//! which re-exports what they need.
//!
//! - what is done: [`handler`], [`procedure`], [`provide`], [`router`], with [`states`], [`extract`],
//!   [`args`], [`check`](mod@check), [`outcome`], [`feed`], [`lag`], [`reply`], [`response`],
//!   [`middleware`]
//! - what is said of it: [`registration`], [`signature`], [`catalog`], [`schema`], [`open`]
//! - what is known of a call: [`call`], [`context`], [`connection`], [`about`], [`attempt`], [`trace`], [`fault`],
//!   [`limits`]
//! - and of who makes it: [`identity`], [`session`], [`security`]
//! - what is said on a connection: [`dialect`], [`signal`], [`payload`]
//! - and between nodes of a network: [`envelope`], [`key`]
//! - how it is cut into messages: [`frame`], [`framing`], [`input`], [`outbox`]

pub mod about;
pub mod args;
pub mod attempt;
pub mod call;
pub mod catalog;
mod chain;
pub mod check;
#[doc(hidden)]
pub mod clock;
pub mod coerce;
pub mod connection;
pub mod connection_id;
pub mod context;
mod crowded;
pub mod dialect;
pub mod envelope;
pub mod extract;
pub mod fault;
pub mod feed;
pub mod frame;
pub mod framing;
pub mod handler;
pub mod identity;
pub mod input;
pub mod key;
pub mod lag;
pub mod limits;
pub mod middleware;
pub mod open;
mod ordered;
pub mod outbox;
pub mod outcome;
pub mod payload;
pub mod procedure;
pub mod provide;
mod random_id;
pub mod registration;
pub mod relay;
pub mod reply;
pub mod response;
pub mod router;
pub mod schema;
pub mod security;
pub mod session;
pub mod signal;
pub mod signature;
pub mod states;
pub mod trace;

pub use crate::{
    about::About,
    attempt::Attempt,
    call::{Call, OwnedCall},
    catalog::Catalog,
    check::Check,
    coerce::Coerce,
    connection::Connection,
    connection_id::{ConnectionId, Holder},
    context::Context,
    dialect::{BatchItem, Dialect, Language, Speaker, StreamHead},
    envelope::Envelope,
    extract::{Extract, Headers, ProcedureName, RawArgs, State},
    fault::{CallError, Fault, FaultKind, TypedFault},
    feed::{Feed, Incoming},
    frame::{Body, Frame},
    handler::Handler,
    identity::Identity,
    input::Input,
    key::Key,
    lag::Lag,
    limits::Limits,
    middleware::{Answer, Middleware, Next},
    open::Open,
    outbox::{OpenFrame, Outbox},
    outcome::Outcome,
    payload::{CowPayload, DecodeError, Encode, EncodeError, Format, OwnedPayload, Payload},
    procedure::{BoxRunning, Procedure, Running},
    provide::Provide,
    random_id::RandomId,
    registration::{Details, Registration},
    relay::CallingPeer,
    reply::{IntoReply, Plain, Reply},
    response::Response,
    router::{Route, Router},
    security::{Credentials, Security},
    session::Session,
    signal::{CallId, Credit, Credited, OwnedCallId, Signal},
    signature::Signature,
    states::States,
    trace::Trace,
};

/// JSON Schema, of which the types of arguments and results derive `JsonSchema`.
pub use schemars;
