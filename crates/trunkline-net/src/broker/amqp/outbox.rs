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
    topics: Vec<String>,
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
    There,
    /// The node has left, or is about to.
    Left,
}

/// What a connection is to do besides sending what it has taken.
pub(super) struct Orders {
    /// What is served no more, as far as that was not said yet.
    pub(super) unserved: Vec<Served>,
    pub(super) leave: bool,
}

/// A procedure that is served.
pub(super) struct Served {
    /// Tells it from others: the later one has the greater number.
    pub(super) number: usize,
    pub(super) key: String,
}

impl State {
    /// What is served and is to be served no more.
    fn take_unserved(&mut self, all: bool) -> Vec<Served> {
        let Self { keys, kept, .. } = self;
        keys.extract_if(.., |it| all || kept.as_ref() != Some(&it.key)).collect()
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
        if message.body.len() > LARGEST {
            return Err(Unsent::TooLarge(LARGEST));
        }
        let mut state = self.state();
        let State { reach, out, waiting, is_blocked, frame_max, reply_to, .. } = &mut *state;
        if *reach != Reach::There {
            return Err(Unsent::Lost);
        }
        if needs_room && (*is_blocked || waiting.is_full()) {
            return Err(Unsent::Full);
        }
        waiting.add(message.body.len());
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
        let number = state.keys.len();
        if state.reach == Reach::There {
            topology::bind_procedure(&mut state.out, &self.names, &self.member.id, &key);
            topology::consume_procedure(&mut state.out, &self.names, &key, number);
        }
        state.keys.push(Served { number, key });
        drop(state);
        self.said.notify_one();
    }

    pub(super) fn subscribe(&self, topic: &str) {
        let mut state = self.state();
        if state.reach == Reach::Left || state.topics.iter().any(|known| known == topic) {
            return;
        }
        let State { reach, out, events, topics, .. } = &mut *state;
        if *reach == Reach::There {
            topology::hear(out, &self.names, events, topic);
        }
        topics.push(topic.to_owned());
        drop(state);
        self.said.notify_one();
    }

    /// Serves nothing any more but `kept`; ready, or failed, once nothing else will be
    /// delivered.
    pub(super) fn stop_serving(&self, kept: Option<String>) -> oneshot::Receiver<()> {
        let (sender, receiver) = oneshot::channel();
        let mut state = self.state();
        (state.has_stopped, state.kept) = (true, kept);
        let is_to_be_said = state.keys.iter().any(|it| state.kept.as_ref() != Some(&it.key));
        if state.reach == Reach::There && (is_to_be_said || !state.stops.is_empty()) {
            state.stops.push(sender);
            drop(state);
            self.said.notify_one();
        } else {
            state.take_unserved(false);
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

    /// Declares and binds all that there is to serve and to hear, in queues of new names;
    /// the broker says so when it has done the last of it. How much of it that is.
    pub(super) fn set_up(&self, out: &mut BytesMut) -> SetUp {
        let (id, names) = (&self.member.id, &self.names);
        let queue = |what| names::private_queue(&self.member.name, what, random());
        let (reply_to, events) = (queue("rpc"), queue("events"));
        let state = self.state();
        topology::prefetch(out, self.member.prefetch);
        topology::exchanges(out, names);
        topology::private_queue(out, &events, false);
        state.topics.iter().for_each(|topic| topology::hear(out, names, &events, topic));
        state.keys.iter().for_each(|it| topology::bind_procedure(out, names, id, &it.key));
        topology::private_queue(out, &reply_to, true);
        let keys = state.keys.last().map_or(0, |it| it.number + 1);
        SetUp { keys, topics: state.topics.len(), reply_to, events }
    }

    /// The broker is there, and has been set up: takes what comes, before anything else is
    /// said. Which of the times that this happens, unless the node has left meanwhile.
    pub(super) fn restore(&self, set_up: SetUp, frame_max: usize) -> Option<u64> {
        let mut state = self.state();
        if state.reach == Reach::Left {
            return None;
        }
        let State { out, keys, topics, .. } = &mut *state;
        let SetUp { reply_to, events, .. } = &set_up;
        topology::consume_replies(out, reply_to, topology::ANSWERS);
        topology::consume_replies(out, events, topology::EVENTS);
        // and what was added since
        topics[set_up.topics..].iter().for_each(|topic| topology::hear(out, &self.names, events, topic));
        let since = keys.iter().filter(|it| it.number >= set_up.keys);
        since.for_each(|it| topology::bind_procedure(out, &self.names, &self.member.id, &it.key));
        for Served { number, key } in &*keys {
            topology::consume_procedure(out, &self.names, key, *number);
        }
        state.reach = Reach::There;
        (state.reply_to, state.events, state.frame_max) = (set_up.reply_to, set_up.events, frame_max);
        state.restored += 1;
        Some(state.restored)
    }

    /// The broker is lost, with all that was said and had not reached it.
    pub(super) fn lose(&self) {
        let mut state = self.state();
        if state.reach == Reach::There {
            state.reach = Reach::Lost;
        }
        (state.out, state.waiting, state.is_blocked) = (BytesMut::new(), Waiting::default(), false);
        state.settled.clear();
        state.stops.clear();
        if state.has_stopped {
            state.take_unserved(false);
        }
    }

    pub(super) fn block(&self, is_blocked: bool) {
        self.state().is_blocked = is_blocked;
    }

    /// Takes what has been said into `out`, which is empty, and what was settled.
    pub(super) fn take(&self, out: &mut BytesMut, settled: &mut Vec<u64>) -> Orders {
        if out.capacity() > USUAL_BUFFER {
            *out = BytesMut::new();
        }
        let mut state = self.state();
        mem::swap(out, &mut state.out);
        mem::swap(settled, &mut state.settled);
        state.waiting = Waiting::default();
        let leave = state.reach == Reach::Left;
        let unserved = if leave || state.has_stopped { state.take_unserved(leave) } else { Vec::new() };
        Orders { unserved, leave }
    }

    /// Nothing is served any more.
    pub(super) fn has_stopped(&self) {
        // those who wait are told by dropping the other end
        self.state().stops.clear();
    }

    /// No code of others runs under this lock, so that it cannot be poisoned half-way.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What has been declared and bound for a connection.
pub(super) struct SetUp {
    /// Those with lower numbers.
    keys: usize,
    topics: usize,
    reply_to: String,
    events: String,
}
