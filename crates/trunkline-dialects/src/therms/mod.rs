//! The protocols of @therms/rpc-server: its dialect over HTTP and WebSocket, and how its
//! processes spell calls [between them](Network).
//!
//! A request is a JSON object with a `procedure`, and perhaps a `scope` and `version`;
//! a response has a `code` and `success`, and perhaps `data` and a `message`. Which
//! procedure that is of the router, [`Key`](trunkline_core::Key) says: `test.echo@2` is
//! the procedure `echo` of the scope `test` in version `2`.
//!
//! - [`Therms`] is the language, with its settings;
//! - handlers take a [`Request`] to learn what only this dialect says of a call: its
//!   correlation id, the [`Identity`] that came with it, its [`Trace`];
//! - a [`Response`](trunkline_core::Response) is a success with a code of its own;
//! - a [`Fault`](trunkline_core::Fault) with a code is a failure with that code, one
//!   without has [that of its kind](code).
//!
//! What the reference server does of which clients need nothing, and which is of no good
//! (a frame that ends the process, identities that are dropped unsaid), is not copied.

#[cfg(feature = "therms")]
pub mod args;
#[cfg(feature = "therms")]
mod coercion;
mod fault;
mod hear;
mod identity;
mod network;
mod options;
mod read;
mod request;
mod say;
#[cfg(feature = "therms")]
mod spelled;
mod write;

#[cfg(feature = "therms")]
pub use self::coercion::{BadArgsSchema, Coercion};
pub use self::{
    fault::code,
    identity::Identity,
    network::Network,
    options::Therms,
    request::{Request, Trace},
    say::SERVER_MESSAGE,
};

pub(crate) use self::{
    hear::is_ours,
    network::{why, why_named},
    read::is_truthy,
    request::{Origin, Passed, Provenance, SHORT, calling},
};

#[cfg(test)]
pub(crate) use self::network::tests::KINDS;

#[cfg(test)]
mod tests;
