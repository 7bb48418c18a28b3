//! [`Trouble`]: why a connection to the broker has ended, or did not come about.

use super::frames::Unreadable;
use std::io;

/// Why a connection to the broker has ended, or did not come about.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    #[error("the connection failed: {0}")]
    Io(#[from] io::Error),
    #[error("it did not answer within {} s", super::opening::PATIENCE.as_secs())]
    Late,
    #[error("it has said nothing for two heartbeats")]
    Silent,
    #[error("it has closed the connection without a word")]
    Closed,
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    #[error("it says {0} {1}")]
    Refused(u16, String),
    #[error("the queue that consumer `{0}` had was deleted")]
    QueueDeleted(String),
}

impl Trouble {
    /// What somebody can do about it.
    pub(super) fn advice(&self) -> &'static str {
        match self {
            Self::Refused(403, _) => {
                "check the user and the password of the URI, and that the user may configure, write and \
                 read in this virtual host"
            }
            Self::Refused(404 | 530, _) => "check the virtual host of the URI, what follows the port",
            Self::Refused(406, _) => {
                "another program has declared it otherwise: delete it there, or give the servers a network of \
                 their own"
            }
            Self::Unreadable(_) => "check that host and port of the URI are those of RabbitMQ",
            _ => "it is tried again until it succeeds",
        }
    }

    /// The same, where one queue is refused.
    pub(super) fn advice_on_a_queue(&self) -> &'static str {
        match self {
            Self::Refused(404, _) => {
                "the node that has the queue is down, in a cluster of RabbitMQ: start it, or have the others \
                 forget it"
            }
            Self::Refused(405, _) => "another program has this queue for itself: end it there",
            _ => self.advice(),
        }
    }
}
