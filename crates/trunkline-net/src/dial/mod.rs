//! Dialling: an address becomes a [`Link`](crate::Link), or a way to post messages.
//!
//! | address | what it is |
//! |---|---|
//! | `tcp://host:port` | a TCP stream |
//! | `tls+tcp://host:port` | the same under TLS; feature `tls` |
//! | `unix:/path` | a Unix socket |
//! | `ws://host:port/path`, `wss://…` | a WebSocket; features `ws`, and `tls` for `wss` |
//! | `stdio:command arg…` | a child process, started for the purpose |
//! | `stdio+lsp:command arg…` | the same, with the framing of the Language Server Protocol |
//! | `http://host:port/path`, `https://…` | one POST a message; features `http-client`, and `tls` for `https` |
//!
//! A child process is told to end by closing its standard input, and the
//! connection ends when it has. It has ten seconds for that; then it is killed.
//! One that still runs when the runtime ends is killed at once.

mod address;
mod child;
mod connect;
mod error;
#[cfg(feature = "http-client")]
mod post;

#[cfg(feature = "http-client")]
pub(crate) use self::post::EventStream;
#[cfg(feature = "http-client")]
pub use self::post::HttpCaller;
pub use self::{
    address::Address,
    connect::{Dialer, MakeStream},
    error::DialError,
};
