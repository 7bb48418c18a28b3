//! [`Over`]: requests that have come for one queue, while the node has its fill with those
//! of others, or is still being set up.

use crate::broker::waiting::Waiting;
use bytes::Bytes;
use std::{collections::VecDeque, time::Instant};

/// Requests that wait in a node, as RabbitMQ counts what it holds by the queue.
#[derive(Default)]
pub(super) struct Over {
    requests: VecDeque<Request>,
    waiting: Waiting,
}

/// A request that has come.
pub(super) struct Request {
    pub(super) tag: u64,
    pub(super) redelivered: bool,
    pub(super) reply_to: Box<str>,
    pub(super) body: Bytes,
    /// When it expires.
    pub(super) until: Option<Instant>,
}

impl Over {
    /// Whether as much waits as may. What comes then is given to the node at once, which
    /// refuses it, so that another may take it.
    pub(super) fn is_full(&self) -> bool {
        self.waiting.is_full()
    }

    pub(super) fn push(&mut self, request: Request) {
        self.waiting.add(1, request.body.len());
        self.requests.push_back(request);
    }

    pub(super) fn pop(&mut self) -> Option<Request> {
        let request = self.requests.pop_front()?;
        self.waiting.remove(1, request.body.len());
        Some(request)
    }

    pub(super) fn len(&self) -> usize {
        self.requests.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.requests.is_empty()
    }
}
