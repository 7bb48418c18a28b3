//! [`Limits`]: bounds on everything a stranger can send, on by default.

use std::time::Duration;

/// The default of [`Limits::max_chain`].
pub(crate) const MAX_CHAIN: u32 = 32;

/// What one listener, connection or caller may take up.
///
/// Every default is safe for a server that faces strangers. A fault that a
/// limit causes names the limit and the field that changes it. The one value
/// serves all: the engine, the listeners, and the language that is spoken.
///
/// # Memory
///
/// What one connection can make a server keep is bounded by
///
/// - one message that is arriving: `max_message`;
/// - calls under way: `max_in_flight` times the arguments of one, `max_message`
///   at most, as handlers have decoded them. As many again may be running on the
///   pool of blocking threads though they were cancelled; and while answers to
///   our own calls are awaited, or an `rpc.authenticate` is not done, up to
///   `max_in_flight` more wait, with their arguments, and behind the latter up to
///   `max_batch` besides;
/// - replies: `max_unsent`, and one reply more, `max_reply`; and `max_reply` for
///   the batches under way, together;
/// - streams: the items that their [lag policies](crate::Lag) keep, none by default;
///   and `max_reply` for the items of streams of other peers, all together;
///   of those that callers send, the items that wait for handlers: four times
///   `max_message`; and what their handlers keep, of which the arguments are
///   `max_message` at most: they are not counted as calls under way;
/// - for each item of those batches an answer that there was no room for its own,
///   which is its id and some 250 bytes.
///
/// With the defaults the second is by far the most, 2.5 GiB: a server of many
/// strangers with small arguments does well to lower `max_message`, and one whose
/// calls are quick `max_in_flight`. `max_connections` multiplies all of it.
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
    /// Bytes of one message, coming in. Default 10 MiB; at least 1.
    pub max_message: usize,
    /// Bytes of one reply; those of all batches of a connection that are under
    /// way count as one. Default 32 MiB; at least 1.
    pub max_reply: usize,
    /// Levels of nesting in one message. Default 128, which is also the most that
    /// JSON-RPC keeps track of: what is above counts as 128. At least 1.
    pub max_depth: usize,
    /// Calls inside of each other: how often the procedure of one may make the next,
    /// of this program's. 0 refuses them all. Each takes some room on the stack, so
    /// more than some hundreds want a runtime with larger ones. Default 32.
    pub max_chain: usize,
    /// Messages in one batch; 0 refuses batches. Default 1,024.
    pub max_batch: usize,
    /// Calls of one connection under way at a time; beyond it the connection is
    /// not read. A batch is admitted whole as soon as there is room for one call,
    /// and all its items run at the same time, so up to `max_batch` calls less one
    /// may come on top. Default 256; at least 1.
    pub max_in_flight: usize,
    /// Streams of one connection that are open at a time, in both directions together.
    /// Default 1,024; 0 refuses streams.
    pub max_streams: usize,
    /// Names that one connection may have where [peers are called by
    /// name](crate::relay). Default 8; 0 refuses names.
    pub max_names: usize,
    /// Connections of one listener; more are closed as they arrive. Default 16,384;
    /// at least 1.
    pub max_connections: usize,
    /// Unsent bytes at which a connection is no longer read, or, over HTTP/2, the
    /// calls of a connection wait. Default 256 KiB; at least 1.
    pub max_unsent: usize,
    /// Bytes of HTTP request head, and of a WebSocket handshake. Default 64 KiB;
    /// at least 1.
    pub max_head: usize,
    /// How long TLS, and the head of an HTTP request, may take. A stream without
    /// either has no handshake; if it stays silent, `idle_timeout` ends it. Default 10 s.
    pub handshake_timeout: Duration,
    /// How long a message that has begun to arrive may take to arrive whole. Default 60 s.
    pub message_timeout: Duration,
    /// How long the far side may refuse to take what is sent to it before the
    /// connection is closed; over HTTP/2, to take the next 16 KiB of any of the
    /// replies. Default 30 s.
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
            max_chain: MAX_CHAIN as usize,
            max_batch: 1024,
            max_in_flight: 256,
            max_streams: 1024,
            max_names: 8,
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
    ($($name:ident: $type:ty $(, at least $least:literal)?;)*) => {
        impl Limits {
            $(
                #[doc = concat!(
                    "Sets [`", stringify!($name), "`](Self#structfield.", stringify!($name), ")."
                    $(, " What is below ", stringify!($least), " counts as ", stringify!($least), ".")?
                )]
                #[must_use]
                pub fn $name(mut self, $name: $type) -> Self {
                    self.$name = $name $(.max($least))?;
                    self
                }
            )*
        }
    };
}

setters! {
    max_message: usize, at least 1;
    max_reply: usize, at least 1;
    max_depth: usize, at least 1;
    max_chain: usize;
    max_batch: usize;
    max_in_flight: usize, at least 1;
    max_streams: usize;
    max_names: usize;
    max_connections: usize, at least 1;
    max_unsent: usize, at least 1;
    max_head: usize, at least 1;
    handshake_timeout: Duration;
    message_timeout: Duration;
    stall_timeout: Duration;
    idle_timeout: Duration;
    call_timeout: Duration;
    drain_timeout: Duration;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_of_nothing_is_one_of_one_where_nothing_would_make_no_sense() {
        let nothing = Limits::default()
            .max_message(0)
            .max_reply(0)
            .max_depth(0)
            .max_batch(0)
            .max_in_flight(0)
            .max_connections(0)
            .max_unsent(0)
            .max_head(0);
        let Limits { max_message, max_reply, max_depth, max_batch, .. } = nothing;
        assert_eq!((max_message, max_reply, max_depth, max_batch), (1, 1, 1, 0));
        let Limits { max_in_flight, max_connections, max_unsent, max_head, .. } = nothing;
        assert_eq!((max_in_flight, max_connections, max_unsent, max_head), (1, 1, 1, 1));
    }
}
