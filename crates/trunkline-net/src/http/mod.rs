//! One HTTP port: POST, WebSocket, health, and whatever is mounted beside them.
//!
//! [`Http`] listens, over HTTP/1.1 and HTTP/2, with or without TLS. Paths are
//! taken by [`Endpoint`]s, each with a service, and by a mounted service, such
//! as an axum router; the other way round, [`IntoService`] makes an endpoint a
//! service for somebody else's server.
//!
//! hyper is driven directly and nothing stands between it and the exchange, as
//! every layer would be paid for by every call. Compression is not there, but for
//! requests to a gateway, up to a limit: those who want more have a proxy.

mod body;
mod claims;
mod connection;
mod door;
mod endpoint;
mod events;
mod gate;
mod gateway;
mod identify;
mod into_service;
mod line;
mod listener;
mod mapped;
mod mount;
mod origins;
mod port;
mod post;
mod reply;
mod request_id;
mod session;
mod site;
mod spares;
mod speaking;
mod unsent;
mod watch;
mod wire;

pub use self::{endpoint::Endpoint, into_service::IntoService, listener::Http, reply::ReplyBody};
