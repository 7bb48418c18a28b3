//! [`Wire`]: the line of one node.

use super::{frames::Message, outbox::Outbox};
use crate::broker::{Line, Request, Soon, Ticket, Unsent};
use bytes::Bytes;
use std::{sync::Arc, time::Duration};
use trunkline_core::Key;

/// The line of one node.
pub(super) struct Wire(pub(super) Arc<Outbox>);

/// The longest expiration that RabbitMQ knows; what expires later, need not expire.
const LONGEST_EXPIRATION: Duration = Duration::from_millis(u32::MAX as u64);

impl Wire {
    fn message<'a>(&'a self, kind: &'a str, body: &'a Bytes) -> Message<'a> {
        Message {
            exchange: "",
            routing_key: &[],
            mandatory: false,
            correlation_id: None,
            wants_answer: false,
            expiration: None,
            message_id: None,
            kind,
            app_id: &self.0.member.name,
            body,
        }
    }
}

impl Line for Wire {
    fn serve(&self, key: &Key<'_>) {
        self.0.serve(key.to_string());
    }

    fn subscribe(&self, topic: &str) {
        self.0.subscribe(topic);
    }

    fn unsubscribe(&self, topic: &str) {
        self.0.unsubscribe(topic);
    }

    fn request(&self, key: &Key<'_>, request: Request<'_>) -> Result<(), Unsent> {
        let expires = request.expires.min(LONGEST_EXPIRATION);
        let correlation = (request.correlation)();
        let message = Message {
            exchange: self.0.names.exchange_of_scope(key.scope),
            routing_key: &[key.scope, "::", key.procedure, "::", key.version],
            mandatory: true,
            correlation_id: Some(&correlation),
            wants_answer: true,
            // rounded up: what expires in 0 ms is dropped unless it is delivered at once
            expiration: u32::try_from(expires.as_nanos().div_ceil(1_000_000)).ok(),
            message_id: Some(request.id),
            ..self.message("request", &request.body)
        };
        self.0.say(message, true)
    }

    fn answer(&self, reply_to: &str, id: &str, body: Bytes) -> Result<(), Unsent> {
        let routing_key = &[reply_to];
        let message = Message { routing_key, correlation_id: Some(id), ..self.message("response", &body) };
        self.0.say(message, false)
    }

    fn publish(&self, topic: &str, body: Bytes) -> Result<(), Unsent> {
        let (exchange, routing_key) = (&*self.0.names.events, &[topic]);
        let message = Message { exchange, routing_key, ..self.message("event", &body) };
        self.0.say(message, true)
    }

    fn settle(&self, ticket: Ticket) {
        self.0.settle(ticket);
    }

    fn stop_serving(&self, kept: Option<&Key<'_>>) -> Soon<'_> {
        let stopped = self.0.stop_serving(kept.map(ToString::to_string));
        Box::pin(async {
            // failed is as good: then it is stopped, too
            let _ = stopped.await;
        })
    }

    fn leave(&self) -> Soon<'_> {
        self.0.leave();
        Box::pin(self.0.ended.cancelled())
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.0.dropped.cancel();
    }
}
