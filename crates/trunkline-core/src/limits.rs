//! [`Limits`]: bounds on everything a stranger can send, on by default.

use std::time::Duration;

/// What one listener, connection or caller may take up.
///
/// Every default is safe for a server that faces strangers. A fault that a
/// limit causes names the limit and the field that changes it.
///
/// ```
/// # use trunkline_core::Limits;
/// # use std::time::Duration;
/// let limits = Limits::default().max_message(1 << 20).call_timeout(Duration::from_secs(5));
/// assert_eq!(limits.max_batch, 1024);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of one message, coming in. Default 10 MiB.
    pub max_message: usize,
    /// Bytes of one reply; those of all batches of a connection that are under
    /// way count as one. Default 32 MiB.
    pub max_reply: usize,
    /// Levels of nesting in one message. Default 128.
    pub max_depth: usize,
    /// Messages in one batch. Default 1,024.
    pub max_batch: usize,
    /// Calls of one connection under way at a time; beyond it the connection is
    /// not read. A batch counts as its items, but one batch is always admitted.
    /// Default 256.
    pub max_in_flight: usize,
    /// Connections of one listener; more are closed as they arrive. Default 16,384.
    pub max_connections: usize,
    /// Unsent bytes at which a connection is no longer read. Default 256 KiB.
    pub max_unsent: usize,
    /// Bytes of HTTP request head, and of a WebSocket handshake. Default 64 KiB.
    pub max_head: usize,
    /// How long TLS, and the head of an HTTP request, may take. A stream without
    /// either has no handshake; if it stays silent, `idle_timeout` ends it. Default 10 s.
    pub handshake_timeout: Duration,
    /// How long a message that has begun to arrive may take to arrive whole. Default 60 s.
    pub message_timeout: Duration,
    /// How long the far side may refuse to take what is sent to it before the
    /// connection is closed. Default 30 s.
    pub stall_timeout: Duration,
    /// How long a connection may stay without a sign of life. WebSocket peers are
    /// pinged at half of it, so only dead ones are cut. Default 5 min.
    pub idle_timeout: Duration,
    /// How long a call may run. A caller may ask for less, not for more. Default 60 s.
    pub call_timeout: Duration,
    /// How long an orderly shutdown waits for calls that are under way. Default 30 s.
    pub drain_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_message: 10 << 20,
            max_reply: 32 << 20,
            max_depth: 128,
            max_batch: 1024,
            max_in_flight: 256,
            max_connections: 16_384,
            max_unsent: 256 << 10,
            max_head: 64 << 10,
            handshake_timeout: Duration::from_secs(10),
            message_timeout: Duration::from_secs(60),
            stall_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(300),
            call_timeout: Duration::from_secs(60),
            drain_timeout: Duration::from_secs(30),
        }
    }
}

macro_rules! setters {
    ($($name:ident: $type:ty),* $(,)?) => {
        impl Limits {
            $(
                #[doc = concat!("Sets [`", stringify!($name), "`](Self#structfield.", stringify!($name), ").")]
                #[must_use]
                pub fn $name(mut self, $name: $type) -> Self {
                    self.$name = $name;
                    self
                }
            )*
        }
    };
}

setters! {
    max_message: usize, max_reply: usize, max_depth: usize, max_batch: usize, max_in_flight: usize,
    max_connections: usize, max_unsent: usize, max_head: usize, handshake_timeout: Duration,
    message_timeout: Duration, stall_timeout: Duration, idle_timeout: Duration, call_timeout: Duration,
    drain_timeout: Duration,
}
