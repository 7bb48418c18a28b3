//! [`Connection`]: one connection to a server, from the first to the last that is said on it.

use super::{
    gathered::{Parcel, each},
    outgoing::{Hold, Outgoing},
    subject::{Address, Addressed, Subjects, each_own, ids, is_late},
};
use crate::broker::{Arrival, Delivery, Inbox, Ticket, Unsent};
use async_nats::{
    Client, Message, StatusCode, Subject, Subscriber, client::traits::Publisher, message::OutboundMessage,
};
use bytes::Bytes;
use futures_util::{FutureExt, StreamExt};
use std::{
    collections::HashMap,
    convert::Infallible,
    future::poll_fn,
    mem,
    pin::pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    task::Poll,
    time::Duration,
};
use tokio::{
    runtime::Handle,
    sync::{Notify, oneshot, watch},
    task::{coop::unconstrained, yield_now},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// The group of those that compete for the requests of one subject.
const GROUP: &str = "trunkline";

/// For the server; it takes an unreadable number, such as one of 20 digits, for none.
const AT_ONCE: u64 = u64::MAX;

/// After how many messages in a row those have their turn whom they are for: what they say to
/// them goes out, and is under way while the others are taken.
pub(super) const AT_A_TIME: usize = 32;

/// One connection to a server.
pub(super) struct Connection {
    /// Which of the times that the line was restored.
    pub(super) number: u64,
    client: Client,
    subjects: Arc<Subjects>,
    address: Address,
    inbox: Arc<dyn Inbox>,
    outgoing: Mutex<Outgoing>,
    /// Says that something is being [gathered](super::gathered).
    gathering: Notify,
    delivered: AtomicU64,
    /// Those who wait for their [marks](Self::mark); `None` once the connection is lost.
    marks: Mutex<Option<HashMap<u64, oneshot::Sender<()>>>>,
    /// Nothing is heard before it says so, and nothing at all if its sender is gone.
    opened: watch::Receiver<bool>,
    /// Nothing more is to be heard.
    closed: CancellationToken,
    serving: Mutex<Vec<Serving>>,
    /// Those who hear what is published.
    hearing: TaskTracker,
    runtime: Handle,
}

/// Who takes the requests that come to one subject.
#[derive(Clone)]
struct Serving {
    subject: Subject,
    /// No more of them are wanted.
    stopping: CancellationToken,
    task: TaskTracker,
}

impl Connection {
    pub(super) fn new(
        number: u64,
        client: Client,
        subjects: Arc<Subjects>,
        address: Address,
        inbox: Arc<dyn Inbox>,
        opened: watch::Receiver<bool>,
    ) -> Self {
        let closed = CancellationToken::new();
        Self {
            number,
            client,
            subjects,
            address,
            inbox,
            outgoing: Mutex::default(),
            gathering: Notify::new(),
            delivered: AtomicU64::new(0),
            marks: Mutex::new(Some(HashMap::new())),
            opened,
            closed,
            serving: Mutex::default(),
            hearing: TaskTracker::new(),
            runtime: Handle::current(),
        }
    }

    /// Takes requests that come to `subject`.
    pub(super) fn serve(self: &Arc<Self>, subject: Subject) {
        if let Some(calls) = at_once(self.client.queue_subscribe(subject.clone(), GROUP.to_owned())) {
            let (stopping, task) = (self.closed.child_token(), TaskTracker::new());
            task.spawn_on(self.clone().take(calls, stopping.clone()), &self.runtime);
            self.serving().push(Serving { subject, stopping, task });
        }
    }

    /// Hears what is published under `topic`, until it is `enough`.
    pub(super) fn subscribe(self: &Arc<Self>, topic: Box<str>, enough: CancellationToken) {
        if let Some(events) = at_once(self.client.subscribe(self.subjects.topic(&topic))) {
            self.hearing.spawn_on(self.clone().hear(topic, enough, events), &self.runtime);
        }
    }

    /// Asks soon, together with other requests that go to the same subject.
    pub(super) fn request(
        &self,
        to: Subject,
        id: &str,
        expires: Duration,
        body: Bytes,
    ) -> Result<(), Unsent> {
        let reply_to = self.address.answer(id, expires);
        let mut outgoing = self.room_for(&body, true)?;
        self.gather(body.len(), &mut outgoing)?;
        outgoing.gathered.request(to, reply_to, body);
        Ok(())
    }

    /// Answers soon, together with others that go to the same node.
    pub(super) fn answer(&self, reply_to: &str, body: Bytes) -> Result<(), Unsent> {
        // nobody is to be answered who has no such address
        let Some(node) = self.subjects.node(reply_to) else { return Ok(()) };
        let mut outgoing = self.room_for(&body, false)?;
        self.gather(body.len(), &mut outgoing)?;
        outgoing.gathered.answer(node, reply_to, body);
        Ok(())
    }

    /// Makes room for one that has so many bytes, and sees to it that it will be sent.
    fn gather(&self, bytes: usize, outgoing: &mut Outgoing) -> Result<(), Unsent> {
        if !outgoing.gathered.has_room(bytes, self.client.max_payload()) {
            self.post(outgoing)?;
        }
        if outgoing.gathered.is_empty() {
            self.gathering.notify_one();
        }
        Ok(())
    }

    pub(super) fn publish(&self, topic: &str, body: Bytes) -> Result<(), Unsent> {
        self.send(self.subjects.topic(topic), body, true)
    }

    /// Sends this, behind what is gathered.
    fn send(&self, subject: Subject, payload: Bytes, bounded: bool) -> Result<(), Unsent> {
        let mut outgoing = self.room_for(&payload, bounded)?;
        self.post(&mut outgoing)?;
        let message = OutboundMessage { subject, reply: None, payload, headers: None };
        self.say((1, message), &mut outgoing)
    }

    /// What waits to be sent, if there is room for that; if it is not `bounded`, there always is,
    /// where it is not too large.
    fn room_for(&self, payload: &Bytes, bounded: bool) -> Result<MutexGuard<'_, Outgoing>, Unsent> {
        let most = self.client.max_payload();
        if payload.len() > most {
            return Err(Unsent::TooLarge(most));
        }
        let mut outgoing = self.outgoing();
        if bounded && outgoing.is_full() {
            outgoing.taken(self.client.statistics().out_messages.load(Ordering::Relaxed));
            if outgoing.is_full() {
                return Err(Unsent::Full);
            }
        }
        Ok(outgoing)
    }

    /// Sends what is gathered, each time as soon as all those have spoken who were about to.
    pub(super) async fn keep_posting(&self) -> Infallible {
        loop {
            self.gathering.notified().await;
            turn_of_others().await;
            // what is lost is heard of otherwise
            let _ = self.post(&mut self.outgoing());
        }
    }

    /// Sends what is gathered.
    fn post(&self, outgoing: &mut Outgoing) -> Result<(), Unsent> {
        let parcels = outgoing.gathered.take();
        parcels.into_iter().try_for_each(|parcel| self.say(parcel, outgoing))
    }

    fn say(&self, (parts, message): Parcel, outgoing: &mut Outgoing) -> Result<(), Unsent> {
        let OutboundMessage { subject, reply, payload, .. } = &message;
        let size = payload.len() + subject.len() + reply.as_deref().map_or(0, str::len);
        at_once(self.client.publish_message(message)).ok_or(Unsent::Lost)?;
        outgoing.add(parts, size);
        Ok(())
    }

    /// Is done with a request that was delivered on this connection.
    pub(super) fn settle(&self) {
        self.outgoing().settle();
    }

    /// Waits until the server has done all that it was asked to before, and we have heard
    /// all that it said before that; or until the connection is lost.
    pub(super) async fn mark(&self) {
        let (sender, passed) = oneshot::channel();
        let number = rand::random();
        match &mut *self.marks() {
            Some(marks) => drop(marks.insert(number, sender)),
            None => return,
        }
        if self.send(self.address.mark(number), Bytes::new(), false).is_ok() {
            // it is dropped if the connection is lost
            let _ = passed.await;
        }
    }

    /// Takes no more requests but those that come to `kept`; ready once all are delivered
    /// that came.
    pub(super) fn stop_serving(&self, kept: Option<&Subject>) -> impl Future<Output = ()> + Send + use<> {
        let serving = self.serving();
        let stopped: Vec<_> = serving.iter().filter(|it| Some(&it.subject) != kept).cloned().collect();
        stopped.iter().for_each(|it| it.stopping.cancel());
        async move { are_done(stopped).await }
    }

    /// Something has come to our address. Gives back of how many requests.
    pub(super) fn answered(&self, message: Message) -> usize {
        let Message { subject, payload, status, .. } = message;
        let addressed = self.address.read(&subject);
        if let Some(Addressed::Mark(number)) = addressed {
            let passed = self.marks().as_mut().and_then(|marks| marks.remove(&number));
            if let Some(passed) = passed {
                // who waited for it may have gone
                let _ = passed.send(());
            }
            return 0;
        }
        if self.closed.is_cancelled() {
            return 0;
        }
        let answer = |body| self.inbox.arrived(Arrival::Answer(body));
        match (addressed, status) {
            (Some(Addressed::Requests(_)), None) => answer(payload),
            (Some(Addressed::Together), None) => return each(payload).map(answer).count(),
            (Some(Addressed::Requests(tokens)), Some(StatusCode::NO_RESPONDERS)) => {
                return ids(tokens).map(|id| self.inbox.arrived(Arrival::Unroutable { id: &id })).count();
            }
            _ => return 0,
        }
        1
    }

    /// Takes requests.
    async fn take(self: Arc<Self>, mut calls: Subscriber, stopping: CancellationToken) {
        if self.opened.clone().wait_for(|opened| *opened).await.is_err() {
            return;
        }
        {
            let mut stopping = pin!(stopping.cancelled());
            let mut taken = 0;
            loop {
                tokio::select! {
                    biased;
                    () = &mut stopping => break,
                    call = calls.next() => match call {
                        Some(call) => taken += self.requested(call),
                        None => return,
                    },
                }
                if taken >= AT_A_TIME {
                    taken = 0;
                    yield_now().await;
                }
            }
        }
        if self.closed.is_cancelled() {
            return;
        }
        // the client would forget at once what it hears of, and with it what is on its way;
        // so only the server is told, and what it has sent until then is heard
        let _ = calls.unsubscribe_after(AT_ONCE).await;
        self.closed.run_until_cancelled(self.mark()).await;
        let _ = calls.unsubscribe().await;
        while let Some(call) = calls.next().await
            && !self.closed.is_cancelled()
        {
            self.requested(call);
        }
    }

    /// Hears what is published.
    async fn hear(self: Arc<Self>, topic: Box<str>, enough: CancellationToken, mut events: Subscriber) {
        if self.opened.clone().wait_for(|opened| *opened).await.is_err() {
            return;
        }
        let (mut closed, mut enough) = (pin!(self.closed.cancelled()), pin!(enough.cancelled()));
        loop {
            tokio::select! {
                biased;
                () = &mut closed => return,
                // the server hears of it as the subscriber is dropped
                () = &mut enough => return,
                event = events.next() => match event {
                    Some(event) => self.inbox.arrived(Arrival::Event { topic: &topic, body: event.payload }),
                    None => return,
                },
            }
        }
    }

    /// A request has come, or several. Gives back how many.
    fn requested(&self, call: Message) -> usize {
        let Message { reply: Some(reply_to), payload, .. } = call else { return 0 };
        let Some(node) = self.subjects.node(&reply_to) else {
            tracing::debug!("a request is dropped: its answer would go to no node");
            return 0;
        };
        let mut each_own = each_own(node, &reply_to).peekable();
        if each_own.peek().is_none() {
            self.deliver(&reply_to, payload);
            return 1;
        }
        let (mut its, mut several) = (node.to_owned(), 0);
        for (own, body) in each_own.zip(each(payload)) {
            its.truncate(node.len());
            its.push_str(own);
            self.deliver(&its, body);
            several += 1;
        }
        several
    }

    fn deliver(&self, reply_to: &str, body: Bytes) {
        if is_late(reply_to) {
            return tracing::debug!("a request is dropped: it is late");
        }
        match self.hold() {
            Hold::Taken => {}
            Hold::FirstDropped => {
                return tracing::warn!(
                    "requests are dropped: too many wait to be answered, or too much to be sent"
                );
            }
            Hold::Dropped => return tracing::debug!("a request is dropped as well"),
        }
        let number = self.delivered.fetch_add(1, Ordering::Relaxed);
        let ticket = Ticket { restored: self.number, number };
        self.inbox.arrived(Arrival::Request(Delivery { reply_to, redelivered: false, body, ticket }));
    }

    fn hold(&self) -> Hold {
        let mut outgoing = self.outgoing();
        outgoing.taken(self.client.statistics().out_messages.load(Ordering::Relaxed));
        outgoing.hold()
    }

    /// Takes no more requests, and hears nothing more of what is published; of what is on its
    /// way nothing comes.
    pub(super) async fn hear_no_more(&self) {
        self.closed.cancel();
        self.are_done().await;
    }

    /// Ends the connection.
    pub(super) fn close(&self) {
        self.closed.cancel();
        let _ = self.post(&mut self.outgoing());
        at_once(self.client.drain());
    }

    /// Waits, of a connection that is lost or closed, until all is heard that has come.
    pub(super) async fn end(&self) {
        *self.marks() = None;
        self.are_done().await;
    }

    async fn are_done(&self) {
        self.hearing.close();
        let serving = self.serving().clone();
        are_done(serving).await;
        self.hearing.wait().await;
    }

    /// No code of others runs under this lock, so that it cannot be poisoned half-way.
    fn outgoing(&self) -> MutexGuard<'_, Outgoing> {
        self.outgoing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nor under this one.
    fn serving(&self) -> MutexGuard<'_, Vec<Serving>> {
        self.serving.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nor under this one.
    fn marks(&self) -> MutexGuard<'_, Option<HashMap<u64, oneshot::Sender<()>>>> {
        self.marks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits until nobody takes requests of these any more.
async fn are_done(serving: Vec<Serving>) {
    for Serving { task, .. } in serving {
        task.close();
        task.wait().await;
    }
}

/// Waits until all those have had their turn who wait for one; in the queue, where another
/// thread may take it up. `yield_now` waits until this one has read what has come, which it may
/// not do for as long as somebody computes on it.
async fn turn_of_others() {
    let mut is_over = false;
    poll_fn(|cx| match mem::replace(&mut is_over, true) {
        true => Poll::Ready(()),
        false => {
            cx.waker().wake_by_ref();
            Poll::Pending
        }
    })
    .await;
}

/// Gives a client something to do without waiting, for which there is [room](super::outgoing::ROOM);
/// `None` if its connection is lost.
fn at_once<T, E>(done: impl Future<Output = Result<T, E>>) -> Option<T> {
    unconstrained(done).now_or_never()?.ok()
}
