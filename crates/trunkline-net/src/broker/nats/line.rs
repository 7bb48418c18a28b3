//! [`Wire`]: the line of one node.

use super::{Nats, connection::Connection, subject::Subjects, supervisor::Supervisor};
use crate::broker::{Inbox, Line, Member, Request, Soon, Ticket, Unsent};
use async_nats::Subject;
use bytes::Bytes;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use trunkline_core::Key;

/// The line of one node.
pub(super) struct Wire {
    state: Arc<State>,
    /// The node leaves.
    leaving: CancellationToken,
    /// Ends when it has left.
    supervisor: TaskTracker,
}

/// What a line is to be, and what there is of it.
pub(super) struct State {
    pub(super) subjects: Arc<Subjects>,
    now: Mutex<Now>,
}

#[derive(Default)]
pub(super) struct Now {
    /// What the node takes part in serving.
    serves: Vec<Subject>,
    /// What it hears, each until that is enough.
    topics: HashMap<Box<str>, CancellationToken>,
    /// It serves nothing any more.
    stopped: bool,
    connection: Option<Arc<Connection>>,
    /// Whether the line is restored.
    open: bool,
}

impl Wire {
    #[track_caller]
    pub(super) fn attach(broker: Nats, member: &Member, inbox: Arc<dyn Inbox>) -> Self {
        let state = State { subjects: Arc::new(Subjects::of(&member.network)), now: Mutex::default() };
        let (state, leaving, supervisor) = (Arc::new(state), CancellationToken::new(), TaskTracker::new());
        let its = Supervisor::new(broker, &member.name, state.clone(), leaving.clone());
        supervisor.spawn(its.run(inbox));
        supervisor.close();
        Self { state, leaving, supervisor }
    }
}

impl State {
    /// Makes of a new connection what the line is to be. Nothing is said on it before it is
    /// [open](Self::open).
    pub(super) fn join(&self, connection: &Arc<Connection>) {
        let mut now = self.now();
        now.serves.iter().for_each(|subject| connection.serve(subject.clone()));
        now.topics.iter().for_each(|(topic, enough)| connection.subscribe(topic.clone(), enough.clone()));
        now.connection = Some(connection.clone());
    }

    pub(super) fn open(&self) {
        self.now().open = true;
    }

    pub(super) fn lose(&self) {
        let mut now = self.now();
        (now.open, now.connection) = (false, None);
    }

    /// What can be spoken on, if there is anything.
    fn connection(&self) -> Result<Arc<Connection>, Unsent> {
        let now = self.now();
        now.connection.clone().filter(|_| now.open).ok_or(Unsent::Lost)
    }

    /// No code of others runs under this lock, so that it cannot be poisoned half-way.
    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Line for Wire {
    fn serve(&self, key: &Key<'_>) {
        let subject = self.state.subjects.call(key);
        let mut now = self.state.now();
        if now.stopped || now.serves.contains(&subject) {
            return;
        }
        if let Some(connection) = &now.connection {
            connection.serve(subject.clone());
        }
        now.serves.push(subject);
    }

    fn subscribe(&self, topic: &str) {
        let mut now = self.state.now();
        if now.topics.contains_key(topic) {
            return;
        }
        let enough = CancellationToken::new();
        if let Some(connection) = &now.connection {
            connection.subscribe(topic.into(), enough.clone());
        }
        now.topics.insert(topic.into(), enough);
    }

    fn unsubscribe(&self, topic: &str) {
        if let Some(enough) = self.state.now().topics.remove(topic) {
            enough.cancel();
        }
    }

    fn request(&self, key: &Key<'_>, request: Request<'_>) -> Result<(), Unsent> {
        let Request { id, expires, body, .. } = request;
        self.state.connection()?.request(self.state.subjects.call(key), id, expires, body)
    }

    fn answer(&self, reply_to: &str, _id: &str, body: Bytes) -> Result<(), Unsent> {
        self.state.connection()?.answer(reply_to, body)
    }

    fn publish(&self, topic: &str, body: Bytes) -> Result<(), Unsent> {
        self.state.connection()?.publish(topic, body)
    }

    fn settle(&self, ticket: Ticket) {
        if let Ok(connection) = self.state.connection()
            && connection.number == ticket.restored
        {
            connection.settle();
        }
    }

    fn stop_serving(&self, kept: Option<&Key<'_>>) -> Soon<'_> {
        let kept = kept.map(|key| self.state.subjects.call(key));
        let stopping = {
            let mut now = self.state.now();
            now.stopped = true;
            now.serves.retain(|subject| Some(subject) == kept.as_ref());
            now.connection.as_ref().map(|connection| connection.stop_serving(kept.as_ref()))
        };
        Box::pin(async move {
            if let Some(stopping) = stopping {
                stopping.await;
            }
        })
    }

    fn leave(&self) -> Soon<'_> {
        Box::pin(async move {
            if let Ok(connection) = self.state.connection() {
                connection.mark().await;
            }
            self.leaving.cancel();
            self.supervisor.wait().await;
        })
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.leaving.cancel();
    }
}
