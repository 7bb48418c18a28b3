//! [`Cell`]: a stream that is heard on one task and taken on another.

use super::{Listener, Listening};
use crate::{
    batch::decode,
    clock::{after, now},
    peer::{Shared, pending::Answered},
};
use serde::de::DeserializeOwned;
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    task::{Context, Poll, Waker},
};
use tokio::sync::OwnedSemaphorePermit;
use trunkline_core::{Credit, Fault, FaultKind, Payload};

/// What the task of the connection shares with whoever listens.
pub(super) struct Cell<T> {
    state: Mutex<State<T>>,
    pub(super) shared: Weak<Shared>,
    me: Weak<Self>,
    listening: Listening,
}

pub(super) struct State<T> {
    pub(super) phase: Phase,
    items: VecDeque<Waiting<T>>,
    /// How many bytes they have.
    waiting: usize,
    waker: Option<Waker>,
    /// Nobody listens any more.
    left: bool,
    /// What was taken since the far side was last told that there is room.
    taken: Credit,
    pub(super) missed: u64,
}

/// An item that has not been taken.
struct Waiting<T> {
    item: Result<T, Fault>,
    /// How long it was on its way.
    bytes: usize,
    /// What it takes up of a room that streams share.
    _room: Option<OwnedSemaphorePermit>,
}

/// Nothing so far.
const NOTHING: Credit = Credit { items: 0, bytes: 0, together: 0 };

#[derive(Clone, Debug)]
pub(super) enum Phase {
    Opening,
    /// As the far side spells it.
    Open(Box<str>),
    Refused(Fault),
    Ended,
}

/// What has been heard of a stream.
enum Heard<T> {
    Item(T),
    /// An item that is of another type.
    Unfit(Fault),
    End(Option<Fault>),
}

impl<T> State<T> {
    /// For what there is room again, once that is worth telling.
    fn grant(&mut self, listening: &Listening) -> Option<(Box<str>, Credit)> {
        let is_worth_it = self.taken.items >= listening.max_waiting.div_ceil(2) as u64
            || self.taken.bytes >= listening.max_waiting_bytes.div_ceil(2) as u64;
        match &self.phase {
            Phase::Open(stream) if is_worth_it => {
                Some((stream.clone(), std::mem::replace(&mut self.taken, NOTHING)))
            }
            _ => None,
        }
    }

    /// Whether one more item may wait.
    fn has_room(&self, listening: &Listening) -> bool {
        self.items.len() < listening.max_waiting && self.waiting < listening.max_waiting_bytes
    }

    pub(super) fn wait(&mut self, cx: &Context<'_>) {
        match &mut self.waker {
            Some(waker) => waker.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
    }
}

impl<T> Cell<T> {
    /// A stream that is about to be opened, by the task of `cx`.
    pub(super) fn new(shared: &Arc<Shared>, listening: Listening, cx: &Context<'_>) -> Arc<Self> {
        Arc::new_cyclic(|me| Self {
            state: Mutex::new(State {
                phase: Phase::Opening,
                items: VecDeque::new(),
                waiting: 0,
                waker: Some(cx.waker().clone()),
                left: false,
                taken: NOTHING,
                missed: 0,
            }),
            shared: Arc::downgrade(shared),
            me: me.clone(),
            listening,
        })
    }

    /// Nothing that runs under this lock can panic half-way through a change.
    pub(super) fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next item, for who listens.
    pub(super) fn poll_item(&self, cx: &Context<'_>) -> Poll<Option<Result<T, Fault>>> {
        let mut state = self.state();
        let Some(Waiting { item, bytes, _room }) = state.items.pop_front() else {
            if matches!(state.phase, Phase::Ended) {
                return Poll::Ready(None);
            }
            state.wait(cx);
            return Poll::Pending;
        };
        state.waiting -= bytes;
        state.taken.items += 1;
        state.taken.bytes += bytes as u64;
        let grant = state.grant(&self.listening);
        drop(state);
        if let Some((stream, credit)) = grant {
            self.grant(&stream, credit);
        }
        Poll::Ready(Some(item))
    }

    /// Nobody listens any more.
    pub(super) fn leave(&self) {
        let (before, items) = {
            let mut state = self.state();
            state.left = true;
            let before = match state.phase {
                Phase::Open(_) => std::mem::replace(&mut state.phase, Phase::Ended),
                _ => return,
            };
            state.waiting = 0;
            (before, std::mem::take(&mut state.items))
        };
        drop(items);
        if let Phase::Open(stream) = before {
            self.unsubscribe(&stream);
        }
    }

    /// Tells the far side that there is room for more items.
    fn grant(&self, stream: &str, credit: Credit) {
        let Some(shared) = self.shared.upgrade() else { return };
        {
            let mut state = shared.state();
            if !state.phase.is_open() {
                return;
            }
            state.tell(|speaker, out| speaker.grant(stream, credit, out));
        }
        shared.wake();
    }

    /// Tells the far side that nobody listens any more.
    fn unsubscribe(&self, stream: &str) {
        let Some(shared) = self.shared.upgrade() else { return };
        {
            let mut state = shared.state();
            state.forget(stream, std::ptr::from_ref(self).addr());
            if !state.phase.is_open() || state.unheard {
                return;
            }
            let deadline = after(now(), shared.default_timeout);
            let id = state.pending.insert(Arc::new(Nobody), deadline);
            state.tell(|speaker, out| speaker.end_stream(id, &self.listening.unsubscribe, stream, out));
        }
        shared.wake();
    }

    fn wake(&self) {
        let waker = self.state().waker.take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl<T: DeserializeOwned + Send + 'static> Answered for Cell<T> {
    fn answer(&self, outcome: Result<Payload<'_>, Fault>) {
        let (phase, open) = match outcome.and_then(spelled) {
            Ok(spelling) => (Phase::Open(spelling.into()), Some(spelling)),
            Err(fault) => (Phase::Refused(fault), None),
        };
        // it is to be found before it is open: who leaves an open one takes it away
        let before = match (open, self.shared.upgrade(), self.me.upgrade()) {
            (Some(stream), Some(shared), Some(me)) => shared.state().streams.insert(stream.into(), me),
            _ => None,
        };
        if let Some(before) = before {
            before.hear(Err(Fault::new(
                FaultKind::InvalidReply,
                "the far side has given another stream the same id",
            )));
        }
        let left = {
            let mut state = self.state();
            state.phase = phase;
            state.left
        };
        match open {
            Some(stream) if left => self.unsubscribe(stream),
            _ => self.wake(),
        }
    }
}

impl<T: DeserializeOwned + Send + 'static> Listener for Cell<T> {
    fn hear(&self, outcome: Result<Option<Payload<'_>>, Fault>) -> bool {
        let (bytes, room) = match &outcome {
            Ok(Some(item)) => (item.size(), self.listening.room_for(item)),
            _ => (0, Ok(None)),
        };
        let (heard, room) = match (outcome.map(|item| item.map(decode)), room) {
            (Ok(Some(_)), Err(fault)) => (Heard::Unfit(fault), None),
            (Ok(Some(Ok(item))), Ok(room)) => (Heard::Item(item), room),
            (Ok(Some(Err(fault))), _) => (Heard::Unfit(fault), None),
            (Ok(None), _) => (Heard::End(None), None),
            (Err(fault), _) => (Heard::End(Some(fault)), None),
        };
        // items are user code, and are not dropped under the lock
        let (mut surplus, mut unwanted) = (None, None);
        {
            let mut state = self.state();
            if !matches!(state.phase, Phase::Open(_)) {
                return false;
            }
            let (last, wanted) = match heard {
                Heard::Item(item) if state.has_room(&self.listening) => {
                    state.waiting += bytes;
                    state.items.push_back(Waiting { item: Ok(item), bytes, _room: room });
                    drop(state);
                    self.wake();
                    return true;
                }
                Heard::Item(item) => {
                    surplus = Some(item);
                    (Some(too_slow(&state, &self.listening)), false)
                }
                Heard::Unfit(fault) => (Some(fault), false),
                Heard::End(fault) => (fault, true),
            };
            state.items.extend(last.map(|fault| Waiting { item: Err(fault), bytes: 0, _room: None }));
            if let Phase::Open(stream) = std::mem::replace(&mut state.phase, Phase::Ended)
                && !wanted
            {
                unwanted = Some(stream);
            }
        }
        self.wake();
        if let Some(stream) = unwanted {
            self.unsubscribe(&stream);
        }
        drop(surplus);
        false
    }

    fn missed(&self, items: u64) {
        let mut state = self.state();
        state.missed = state.missed.saturating_add(items);
    }
}

fn too_slow<T>(state: &State<T>, listening: &Listening) -> Fault {
    let which = match state.items.len() >= listening.max_waiting {
        true => format!("{} wait, the setting `max_waiting`", listening.max_waiting),
        false => {
            let most = listening.max_waiting_bytes;
            format!("{} bytes wait, the setting `max_waiting_bytes` is {most}", state.waiting)
        }
    };
    let message = format!("items came faster than they were taken: {which} of the stream");
    Fault::new(FaultKind::Unavailable, message)
}

/// How the far side spells the stream that it has answered a call with.
pub(crate) fn spelled(answer: Payload<'_>) -> Result<&str, Fault> {
    match answer {
        Payload::Json(spelling) if !spelling.starts_with(['{', '[', 't', 'f', 'n']) => Ok(spelling),
        _ => Err(Fault::new(
            FaultKind::InvalidReply,
            "the answer is no id of a subscription, a string or a number: the procedure gives no stream",
        )),
    }
}

/// Nobody cares for this answer.
struct Nobody;

impl Answered for Nobody {
    fn answer(&self, _: Result<Payload<'_>, Fault>) {}

    fn is_awaited(&self) -> bool {
        false
    }
}
