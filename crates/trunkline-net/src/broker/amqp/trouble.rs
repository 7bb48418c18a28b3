//! [`Trouble`]: why a connection to the broker has ended, or did not come about.

use super::frames::Unreadable;
use amq_protocol::protocol::channel;
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
    #[error("it takes bodies of {0} bytes at most, and was sent a larger one")]
    TooLarge(usize),
    #[error("the queue that consumer `{0}` had was deleted")]
    QueueDeleted(String),
}

impl Trouble {
    /// Why a channel was closed.
    pub(super) fn of_channel(close: &channel::Close) -> Self {
        let (code, text) = (close.reply_code, close.reply_text.as_str());
        match (code, close.class_id, close.method_id, largest(text)) {
            (406 | 311 | 501, 60, 40, Some(largest)) => Self::TooLarge(largest),
            _ => Self::Refused(code, text.to_owned()),
        }
    }

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
            Self::TooLarge(_) => {
                "larger bodies are refused from now on; `max_message_size` of RabbitMQ is 128 MiB by default, \
                 16 MiB since its version 4"
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

/// The size that a text says last: the largest, after that of the message that is over it.
fn largest(text: &str) -> Option<usize> {
    let (_, said) = text.split_once("message size")?;
    said.split(|char: char| !char.is_ascii_digit()).filter_map(|digits| digits.parse().ok()).next_back()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rabbitmq_says_what_it_takes_at_most() {
        let close = |code, method_id, text: &str| {
            let close = channel::Close { reply_code: code, reply_text: text.into(), class_id: 60, method_id };
            Trouble::of_channel(&close)
        };
        let said = "PRECONDITION_FAILED - message size 2097152 is larger than configured max size 1048576";
        assert!(matches!(close(406, 40, said), Trouble::TooLarge(1_048_576)));
        assert!(matches!(close(406, 40, "message size 2 larger than max size 1"), Trouble::TooLarge(1)));
        assert!(matches!(close(406, 20, said), Trouble::Refused(406, text) if text == said));
        assert!(matches!(close(406, 40, "unknown delivery tag 7"), Trouble::Refused(406, _)));
        assert!(matches!(close(406, 40, "message size"), Trouble::Refused(406, _)));
    }
}
