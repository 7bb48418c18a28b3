//! [`ConnectionState`]: how a client's connection is doing.

use std::{fmt, sync::Arc};

/// How a client's connection is doing.
///
/// It begins with `Connecting`. `Connected` is followed by `Disconnected`, that
/// by `Connecting` again, and so on until `Closed`, which is final. A client over
/// HTTP is `Connected` until it is `Closed`.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ConnectionState {
    /// An attempt is being made.
    Connecting,
    /// There is a connection.
    Connected,
    /// The connection was lost, or not made. The next attempt follows after a pause.
    Disconnected {
        /// What happened, in words.
        reason: Arc<str>,
    },
    /// There will be no connection any more: the client was closed, or reconnecting
    /// is off or was given up.
    Closed,
}

impl fmt::Display for ConnectionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connecting => f.write_str("connecting"),
            Self::Connected => f.write_str("connected"),
            Self::Disconnected { reason } => write!(f, "disconnected: {reason}"),
            Self::Closed => f.write_str("closed"),
        }
    }
}
