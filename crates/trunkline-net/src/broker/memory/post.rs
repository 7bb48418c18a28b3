//! [`Post`]: what a node is to be told, once the lock has been let go.

use crate::broker::{Arrival, Delivery, Inbox, Ticket};
use bytes::Bytes;
use std::sync::Arc;

/// What is to be told, and to whom.
pub(super) type Posts = Vec<(Arc<dyn Inbox>, Post)>;

/// An [`Arrival`] to come.
#[derive(Clone)]
pub(super) enum Post {
    Request { reply_to: Box<str>, redelivered: bool, body: Bytes, ticket: Ticket },
    Answer(Bytes),
    Unroutable { id: Box<str> },
    Event { topic: Box<str>, body: Bytes },
    Lost,
    Restored,
}

impl Post {
    pub(super) fn arrival(&self) -> Arrival<'_> {
        match self {
            Self::Request { reply_to, redelivered, body, ticket } => Arrival::Request(Delivery {
                reply_to,
                redelivered: *redelivered,
                body: body.clone(),
                ticket: *ticket,
            }),
            Self::Answer(body) => Arrival::Answer(body.clone()),
            Self::Unroutable { id } => Arrival::Unroutable { id },
            Self::Event { topic, body } => Arrival::Event { topic, body: body.clone() },
            Self::Lost => Arrival::Lost,
            Self::Restored => Arrival::Restored,
        }
    }
}
