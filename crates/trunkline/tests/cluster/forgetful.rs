//! [`Forgetful`]: a broker that holds nothing back and delivers nothing again, as NATS.

use crate::world::World;
use bytes::Bytes;
use std::sync::{
    Arc, OnceLock, Weak,
    atomic::{AtomicUsize, Ordering},
};
use trunkline::{
    Key,
    broker::{Arrival, Broker, Inbox, Line, Member, Memory, Request, Soon, Ticket, Unsent},
};

/// The broker in memory, which forgets a request as soon as it has delivered it; and which
/// carries no messages that are larger than it is told, and counts requests.
#[derive(Clone, Default)]
pub(crate) struct Forgetful {
    memory: Memory,
    largest: Option<usize>,
    requests: Arc<AtomicUsize>,
}

impl Forgetful {
    pub(crate) fn carrying(largest: usize) -> Self {
        Self { largest: Some(largest), ..Self::default() }
    }

    /// How many requests have been sent.
    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }

    fn carries(&self, body: &[u8]) -> Result<(), Unsent> {
        match self.largest {
            Some(largest) if body.len() > largest => Err(Unsent::TooLarge(largest)),
            _ => Ok(()),
        }
    }
}

impl Broker for Forgetful {
    fn attach(&self, member: Member, inbox: Arc<dyn Inbox>) -> Arc<dyn Line> {
        let forgetting = Arc::new(Forgetting { inbox, line: OnceLock::new() });
        let line = self.memory.attach(Member { prefetch: usize::MAX, ..member }, forgetting.clone());
        let _ = forgetting.line.set(Arc::downgrade(&line));
        Arc::new(Wire { line, broker: self.clone() })
    }
}

struct Forgetting {
    inbox: Arc<dyn Inbox>,
    line: OnceLock<Weak<dyn Line>>,
}

impl Inbox for Forgetting {
    fn arrived(&self, arrival: Arrival<'_>) {
        let ticket = match &arrival {
            Arrival::Request(delivery) => Some(delivery.ticket),
            _ => None,
        };
        self.inbox.arrived(arrival);
        if let (Some(ticket), Some(line)) = (ticket, self.line.get().and_then(Weak::upgrade)) {
            line.settle(ticket);
        }
    }
}

struct Wire {
    line: Arc<dyn Line>,
    broker: Forgetful,
}

impl Line for Wire {
    fn serve(&self, key: &Key<'_>) {
        self.line.serve(key);
    }

    fn subscribe(&self, topic: &str) {
        self.line.subscribe(topic);
    }

    fn unsubscribe(&self, topic: &str) {
        self.line.unsubscribe(topic);
    }

    fn request(&self, key: &Key<'_>, request: Request<'_>) -> Result<(), Unsent> {
        self.broker.carries(&request.body)?;
        self.broker.requests.fetch_add(1, Ordering::Relaxed);
        self.line.request(key, request)
    }

    fn answer(&self, reply_to: &str, id: &str, body: Bytes) -> Result<(), Unsent> {
        self.broker.carries(&body)?;
        self.line.answer(reply_to, id, body)
    }

    fn publish(&self, topic: &str, body: Bytes) -> Result<(), Unsent> {
        self.line.publish(topic, body)
    }

    /// It is forgotten already.
    fn settle(&self, _ticket: Ticket) {}

    fn stop_serving(&self, kept: Option<&Key<'_>>) -> Soon<'_> {
        self.line.stop_serving(kept)
    }

    fn leave(&self) -> Soon<'_> {
        self.line.leave()
    }
}

impl World for Forgetful {
    const REDELIVERS: bool = false;
    const IS_MISSED_AT_ONCE: bool = true;

    async fn any() -> Self {
        Self::default()
    }

    async fn own() -> Self {
        Self::default()
    }

    fn broker(&self) -> Arc<dyn Broker> {
        Arc::new(self.clone())
    }

    async fn lose(&mut self) {
        self.memory.lose();
    }

    async fn restore(&mut self) {
        self.memory.restore();
    }
}
