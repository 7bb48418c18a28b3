//! [`Topics`]: who listens to what on this node.

use crate::broker::Line;
use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};
use trunkline_core::{Fault, FaultKind, OwnedPayload};

/// How much is kept for one who does not take it in time: events, and bytes of all but one.
pub(super) const MOST: (usize, usize) = (1024, 1 << 20);

/// How many topics may be listened to: each is something that the broker keeps.
pub(super) const MOST_TOPICS: usize = 10_000;

/// Who listens to what on this node.
#[derive(Default)]
pub(super) struct Topics(Mutex<HashMap<Box<str>, Vec<Arc<Queue>>>>);

impl Topics {
    /// Has `queue` hear what is published under `topic`, unless that is one topic too many;
    /// the broker is told if it is the first to do so. While the lock is held, so that in
    /// between nobody is the last.
    pub(super) fn add(
        &self,
        topic: &str,
        queue: Arc<Queue>,
        line: impl FnOnce() -> Option<Arc<dyn Line>>,
    ) -> Result<(), Fault> {
        let mut topics = self.lock();
        if topics.len() >= MOST_TOPICS && !topics.contains_key(topic) {
            return Err(too_many());
        }
        let queues = topics.entry(topic.into()).or_default();
        queues.push(queue);
        if let (1, Some(line)) = (queues.len(), line()) {
            line.subscribe(topic);
        }
        Ok(())
    }

    /// Has `queue` hear no more; the broker is told if it was the last to do so.
    pub(super) fn remove(
        &self,
        topic: &str,
        queue: &Arc<Queue>,
        line: impl FnOnce() -> Option<Arc<dyn Line>>,
    ) {
        let mut topics = self.lock();
        let Some(queues) = topics.get_mut(topic) else { return };
        queues.retain(|one| !Arc::ptr_eq(one, queue));
        if queues.is_empty() {
            topics.remove(topic);
            if let Some(line) = line() {
                line.unsubscribe(topic);
            }
        }
    }

    /// Tells a broker, which is there now, of all topics that somebody listens to.
    pub(super) fn joined(&self, line: &dyn Line) {
        self.lock().keys().for_each(|topic| line.subscribe(topic));
    }

    /// Tells those who listen.
    pub(super) fn tell(&self, topic: &str, event: &OwnedPayload) {
        let Some(queues) = self.lock().get(topic).cloned() else { return };
        let event = Arc::new(event.clone());
        queues.iter().for_each(|queue| queue.push(event.clone()));
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }

    /// No code of others runs under this lock but that of lines, which call nobody back.
    fn lock(&self) -> MutexGuard<'_, HashMap<Box<str>, Vec<Arc<Queue>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cold]
fn too_many() -> Fault {
    let message = format!("this server listens to {MOST_TOPICS} topics, as many as it may");
    Fault::new(FaultKind::Unavailable, message)
        .with_data("say what an event is about in its value rather than in its topic, or end subscriptions")
}

/// What one listener has not taken yet.
#[derive(Default)]
pub(super) struct Queue(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    events: VecDeque<Arc<OwnedPayload>>,
    bytes: usize,
    missed: u64,
    waker: Option<Waker>,
}

impl Waiting {
    fn pop(&mut self) -> Option<Arc<OwnedPayload>> {
        let event = self.events.pop_front()?;
        self.bytes -= event.borrow().size();
        Some(event)
    }
}

impl Queue {
    /// Keeps an event, and leaves out the oldest if that is too much.
    fn push(&self, event: Arc<OwnedPayload>) {
        let waker = {
            let mut waiting = self.lock();
            waiting.bytes += event.borrow().size();
            waiting.events.push_back(event);
            let (events, bytes) = MOST;
            while waiting.events.len() > events || (waiting.bytes > bytes && waiting.events.len() > 1) {
                waiting.pop();
                waiting.missed += 1;
            }
            waiting.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    pub(super) fn poll(&self, cx: &mut Context<'_>) -> Poll<Arc<OwnedPayload>> {
        let mut waiting = self.lock();
        match waiting.pop() {
            Some(event) => Poll::Ready(event),
            None => {
                waiting.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    pub(super) fn missed(&self) -> u64 {
        self.lock().missed
    }

    /// No code of others runs under this lock but that of wakers that are cloned.
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
