//! WebSocket (RFC 6455) as a framing: the handshake, and the frames after it.
//!
//! [`accept`] and [`connect`] agree on the upgrade over HTTP; [`WebSocket`] then
//! cuts the stream of bytes into messages, like any other framing, so nothing
//! above it knows that it is there. No extensions are agreed on, compression
//! included. Whether a page of another origin may connect is for the listener
//! to decide, before it accepts.
//!
//! Why the codec is our own: `docs/decisions/0001-own-websocket-codec.md`.

mod assembly;
mod carried;
mod close;
mod framing;
mod handshake;
mod header;
mod incoming;
mod marking;
mod mask;
mod utf8;

#[cfg(test)]
mod tests;

pub use self::{
    framing::WebSocket,
    handshake::{ConnectError, Connected, Refusal, accept, connect, is_requested},
    header::{Role, write_message},
};
