//! [`Outbox`]: what a node says, until its connection takes it.
//!
//! It is written as frames at once, and so leaves in the order in which it was said.

use super::{
    frames::Message,
    names::{self, Names},
    topology,
};
use crate::broker::{Member, Ticket, Unsent, waiting::Waiting};
use bytes::BytesMut;
use rand::random;
use std::{
    collections::HashSet,
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
};
use tokio::{
    select,
    sync::{Notify, oneshot},
};
use tokio_util::sync::CancellationToken;

/// The largest body: what RabbitMQ takes by default since its version 4.
pub(super) const LARGEST: usize = 16 << 20;

/// A buffer that has grown over this is not kept.
const USUAL_BUFFER: usize = 1 << 20;

/// What a node says, until its connection takes it.
pub(super) struct Outbox {
    pub(super) names: Names,
    pub(super) member: Member,
    state: Mutex<State>,
    /// There is something to be taken.
    pub(super) said: Notify,
    /// The line was dropped.
    pub(super) dropped: CancellationToken,
    /// Whoever kept the connection has ended.
    pub(super) ended: CancellationToken,
}

#[derive(Default)]
struct State {
    reach: Reach,
    /// What is to be sent.
    out: BytesMut,
    waiting: Waiting,
    /// The largest body, if this broker takes less than others.
    largest: Option<usize>,
    /// The broker takes nothing for now.
    is_blocked: bool,
    frame_max: usize,
    /// Where answers go.
    reply_to: String,
    events: String,
    /// How often the line was restored.
    restored: u64,
    settled: Vec<u64>,
    /// What is served, and what is subscribed to, also while the broker is lost.
    keys: Vec<Served>,
    topics: HashSet<String>,
    /// Which topics the connection is to be sent, and those of which it was told otherwise.
    heard: HashSet<String>,
    changed: HashSet<String>,
    has_stopped: bool,
    /// What is served all the same.
    kept: Option<String>,
    /// Who waits until nothing is served any more.
    stops: Vec<oneshot::Sender<()>>,
}

#[derive(Default, Eq, PartialEq)]
enum Reach {
    #[default]
    Lost,
    /// It delivers what is served, and nothing can be said to it yet.
    Coming,
    There,
    /// The node has left, or is about to.
    Left,
}

/// What a connection is to do besides sending what it has taken.
pub(super) struct Orders {
    /// What is to be served before anything else is taken.
    pub(super) to_serve: Vec<String>,
    /// What is served no more, by its numbers, as far as that was not said yet.
    pub(super) to_stop: Vec<usize>,
    pub(super) leave: bool,
}

/// A procedure that is served; its number on a connection is its place.
struct Served {
    key: String,
    /// It is served no more, and the connection has been told so.
    is_over: bool,
}

impl State {
    /// Whether a procedure is to be served.
    fn wants(&self, served: &Served) -> bool {
        !self.has_stopped || self.kept.as_ref() == Some(&served.key)
    }

    /// Whether a connection is yet to be told to serve it no more.
    fn is_to_stop(&self, served: &Served) -> bool {
        !served.is_over && !self.wants(served)
    }

    /// What is to be served no more of the first `known`, but for what the connection was told
    /// of.
    fn take_unwanted(&mut self, known: usize) -> Vec<usize> {
        // most of the time, and then procedures may be many
        if !self.has_stopped {
            return Vec::new();
        }
        let known = self.keys.iter().take(known).enumerate();
        let unwanted = known.filter(|(_, served)| self.is_to_stop(served));
        let numbers: Vec<_> = unwanted.map(|(number, _)| number).collect();
        numbers.iter().for_each(|number| self.keys[*number].is_over = true);
        numbers
    }

    /// Remembers whether the connection is to be told of a topic; no more than there is to
    /// be told, however often it changes.
    fn note(&mut self, topic: &str) {
        if self.topics.contains(topic) == self.heard.contains(topic) {
            self.changed.remove(topic);
        } else {
            self.changed.insert(topic.to_owned());
        }
    }

    /// Says in `out` to be sent what is subscribed to, and nothing else.
    fn hear(&mut self, names: &Names, out: &mut BytesMut) {
        for topic in mem::take(&mut self.changed) {
            if self.topics.contains(&topic) {
                topology::hear(out, names, &self.events, &topic);
                self.heard.insert(topic);
            } else {
                topology::hear_no_more(out, names, &self.events, &topic);
                self.heard.remove(&topic);
            }
        }
    }
}

impl Outbox {
    pub(super) fn new(member: Member) -> Self {
        Self {
            names: Names::new(&member.network),
            member,
            state: Mutex::default(),
            said: Notify::new(),
            dropped: CancellationToken::new(),
            ended: CancellationToken::new(),
        }
    }

    /// Says something, if there is room, or it `needs` none.
    pub(super) fn say(&self, message: Message<'_>, needs_room: bool) -> Result<(), Unsent> {
        let mut state = self.state();
        let largest = state.largest.unwrap_or(LARGEST);
        if message.body.len() > largest {
            return Err(Unsent::TooLarge(largest));
        }
        let State { reach, out, waiting, is_blocked, frame_max, reply_to, .. } = &mut *state;
        if *reach != Reach::There {
            return Err(Unsent::Lost);
        }
        if needs_room && (*is_blocked || waiting.is_full()) {
            return Err(Unsent::Full);
        }
        waiting.add(1, message.body.len());
        message.write(reply_to, out, *frame_max);
        drop(state);
        self.said.notify_one();
        Ok(())
    }

    pub(super) fn settle(&self, ticket: Ticket) {
        let mut state = self.state();
        if state.reach == Reach::There && state.restored == ticket.restored {
            state.settled.push(ticket.number);
            drop(state);
            self.said.notify_one();
        }
    }

    pub(super) fn serve(&self, key: String) {
        let mut state = self.state();
        if state.has_stopped || state.reach == Reach::Left || state.keys.iter().any(|it| it.key == key) {
            return;
        }
        state.keys.push(Served { key, is_over: false });
        drop(state);
        self.said.notify_one();
    }

    pub(super) fn subscribe(&self, topic: &str) {
        self.change(topic, |topics| topics.insert(topic.to_owned()));
    }

    pub(super) fn unsubscribe(&self, topic: &str) {
        self.change(topic, |topics| topics.remove(topic));
    }

    /// Changes what is subscribed to, of which the connection is told if there is one.
    fn change(&self, topic: &str, change: impl FnOnce(&mut HashSet<String>) -> bool) {
        let mut state = self.state();
        if state.reach == Reach::Left || !change(&mut state.topics) || state.reach != Reach::There {
            return;
        }
        state.note(topic);
        drop(state);
        self.said.notify_one();
    }

    /// Serves nothing any more but `kept`; ready, or failed, once nothing else will be
    /// delivered.
    pub(super) fn stop_serving(&self, kept: Option<String>) -> oneshot::Receiver<()> {
        let (sender, receiver) = oneshot::channel();
        let mut state = self.state();
        (state.has_stopped, state.kept) = (true, kept);
        let is_to_be_said = state.keys.iter().any(|it| state.is_to_stop(it));
        let delivers = matches!(state.reach, Reach::Coming | Reach::There);
        if delivers && (is_to_be_said || !state.stops.is_empty()) {
            state.stops.push(sender);
            drop(state);
            self.said.notify_one();
        }
        receiver
    }

    /// Says nothing more after what has been said.
    pub(super) fn leave(&self) {
        self.state().reach = Reach::Left;
        self.said.notify_one();
    }

    pub(super) fn has_left(&self) -> bool {
        self.dropped.is_cancelled() || self.state().reach == Reach::Left
    }

    /// Waits until the node leaves, or its line is dropped.
    pub(super) async fn left(&self) {
        while !self.has_left() {
            select! {
                () = self.said.notified() => {}
                () = self.dropped.cancelled() => {}
            }
        }
    }

    /// Declares what a node is to have before it serves anything, and binds what there is
    /// to hear, in queues of new names; the broker says so when it has done the last of it.
    pub(super) fn set_up(&self, out: &mut BytesMut) -> SetUp {
        let queue = |what| names::private_queue(&self.member.name, what, random());
        let (reply_to, events) = (queue("rpc"), queue("events"));
        let topics = self.state().topics.clone();
        topology::prefetch(out, self.member.prefetch);
        topology::exchanges(out, &self.names);
        topology::private_queue(out, &events, false);
        topics.iter().for_each(|topic| topology::hear(out, &self.names, &events, topic));
        topology::private_queue(out, &reply_to, true);
        SetUp { topics, reply_to, events }
    }

    /// What there is to serve on a new connection, which counts it anew.
    pub(super) fn to_serve(&self) -> Vec<String> {
        let mut state = self.state();
        let wanted: Vec<_> = mem::take(&mut state.keys).into_iter().filter(|it| state.wants(it)).collect();
        state.keys = wanted;
        state.keys.iter().map(|it| it.key.clone()).collect()
    }

    /// Requests are about to be taken: which of the `known` procedures are not to be served any
    /// more, unless the node has left.
    pub(super) fn begin(&self, known: usize) -> Option<Vec<usize>> {
        let mut state = self.state();
        if state.reach == Reach::Left {
            return None;
        }
        state.reach = Reach::Coming;
        Some(state.take_unwanted(known))
    }

    /// The broker is there, and has been set up: says in `out` to take answers and events,
    /// before anything else is said. Which of the times that this happens, unless the node has
    /// left meanwhile.
    pub(super) fn restore(&self, set_up: SetUp, frame_max: usize, out: &mut BytesMut) -> Option<u64> {
        let mut state = self.state();
        if state.reach == Reach::Left {
            return None;
        }
        let SetUp { topics: heard, reply_to, events } = set_up;
        topology::consume_replies(out, &reply_to, topology::ANSWERS);
        topology::consume_replies(out, &events, topology::EVENTS);
        // what has changed since
        state.changed = state.topics.symmetric_difference(&heard).cloned().collect();
        state.heard = heard;
        state.reach = Reach::There;
        (state.reply_to, state.events, state.frame_max) = (reply_to, events, frame_max);
        state.restored += 1;
        Some(state.restored)
    }

    /// The broker is lost, with all that was said and had not reached it.
    pub(super) fn lose(&self) {
        let mut state = self.state();
        if state.reach != Reach::Left {
            state.reach = Reach::Lost;
        }
        (state.out, state.waiting, state.is_blocked) = (BytesMut::new(), Waiting::default(), false);
        state.settled.clear();
        state.stops.clear();
        (state.heard, state.changed) = (HashSet::new(), HashSet::new());
    }

    /// The broker takes no larger bodies than this.
    pub(super) fn take_no_larger(&self, largest: usize) {
        self.state().largest = Some(largest.min(LARGEST));
    }

    pub(super) fn block(&self, is_blocked: bool) {
        self.state().is_blocked = is_blocked;
    }

    /// Takes what has been said into `out`, which is empty, and what was settled; but if
    /// there is more to serve than is `known`, only that: it is to be so when what was said
    /// after it is heard.
    pub(super) fn take(&self, known: usize, out: &mut BytesMut, settled: &mut Vec<u64>) -> Orders {
        if out.capacity() > USUAL_BUFFER {
            *out = BytesMut::new();
        }
        let mut state = self.state();
        let leave = state.reach == Reach::Left;
        if !leave && let Some(more @ [_, ..]) = state.keys.get(known..) {
            let to_serve = more.iter().map(|it| it.key.clone()).collect();
            return Orders { to_serve, to_stop: Vec::new(), leave };
        }
        if leave {
            (state.has_stopped, state.kept) = (true, None);
            state.keys.truncate(known);
        }
        let to_stop = state.take_unwanted(known);
        if state.changed.is_empty() {
            mem::swap(out, &mut state.out);
        } else {
            // first: it is to be so when what was said after it is heard
            state.hear(&self.names, out);
            out.extend_from_slice(&mem::take(&mut state.out));
        }
        mem::swap(settled, &mut state.settled);
        state.waiting = Waiting::default();
        Orders { to_serve: Vec::new(), to_stop, leave }
    }

    /// Nothing is served any more of what was to be stopped so far.
    pub(super) fn has_stopped(&self) {
        let mut state = self.state();
        if !state.keys.iter().any(|it| state.is_to_stop(it)) {
            // those who wait are told by dropping the other end
            state.stops.clear();
        }
    }

    /// No code of others runs under this lock, so that it cannot be poisoned half-way.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What has been declared and bound for a connection.
pub(super) struct SetUp {
    topics: HashSet<String>,
    reply_to: String,
    events: String,
}
