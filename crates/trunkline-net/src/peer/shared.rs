//! [`Shared`]: what the task of a connection and those who call over it both change.

use super::{
    broken_off,
    pending::{Answered, Pending},
    sending::Sending,
    subscription::Listener,
};
use futures_util::task::AtomicWaker;
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context as TaskContext, Waker},
    time::Duration,
};
use tokio::sync::Notify;
use trunkline_core::{Connection, Fault, Outbox, Speaker, framing::Goodbye};

/// What the task of a connection shares with those who hold its peer.
pub(crate) struct Shared {
    state: Mutex<State>,
    /// The connection's task.
    task: AtomicWaker,
    /// Whether there is something in the state for the task to look at.
    dirty: AtomicBool,
    connection: Arc<Connection>,
    pub(super) closed: Notify,
    pub(crate) max_unsent: usize,
    pub(crate) default_timeout: Duration,
    /// Whether calls tell the far side how long they are waited for.
    pub(super) tells_timeouts: bool,
    pub(crate) unmatched: AtomicU64,
}

pub(crate) struct State {
    pub(crate) out: Outbox,
    pub(crate) speaker: Box<dyn Speaker>,
    pub(crate) pending: Pending,
    /// Streams that somebody here listens to, as the far side spells them.
    pub(crate) streams: HashMap<Box<str>, Arc<dyn Listener>>,
    /// Streams that somebody here sends, by the calls that take them.
    pub(super) sending: HashMap<u64, Arc<Sending>>,
    /// Callers that wait for room in the outbox.
    waiting: HashMap<(usize, usize), Waker>,
    pub(crate) phase: Phase,
    /// Whether the far side has said all it has to say, so that no call of ours
    /// would be answered.
    pub(crate) unheard: bool,
    /// Whether it has been told anything that wants no answer.
    pub(super) told: bool,
}

/// Why a call cannot be made now.
pub(crate) enum NotNow {
    /// There is no room for it; the task is woken when there may be.
    Crowded,
    /// There will be no answer any more.
    Ended,
}

/// How far the life of a connection has come.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Phase {
    Open,
    /// Somebody here asked for the end, when calls under way are done.
    Draining(Goodbye),
    /// The framing has said goodbye: nothing is said any more, and what was said leaves.
    Parted,
    /// Somebody here asked for the end at once.
    Closing,
    Closed,
}

impl Phase {
    /// Whether there is still talk: a drain lets calls under way have their say.
    pub(crate) fn is_open(self) -> bool {
        matches!(self, Self::Open | Self::Draining(_))
    }
}

impl State {
    /// Whether a call can be made now.
    pub(crate) fn admit(&mut self, max_unsent: usize, cx: &TaskContext<'_>) -> Result<(), NotNow> {
        if !self.phase.is_open() || self.unheard {
            return Err(NotNow::Ended);
        }
        if self.out.len() > max_unsent {
            // a task that is polled again and again meanwhile waits once
            self.waiting.entry(Self::key(cx.waker())).or_insert_with(|| cx.waker().clone());
            return Err(NotNow::Crowded);
        }
        Ok(())
    }

    /// From now on nothing is said, so that nobody takes for said what does not leave.
    fn part(&mut self) {
        if self.phase.is_open() {
            self.phase = Phase::Parted;
        }
    }

    /// Says something that wants no answer.
    pub(crate) fn tell<R>(&mut self, write: impl FnOnce(&mut dyn Speaker, &mut Outbox) -> R) -> R {
        self.told = true;
        self.speak(write)
    }

    /// The far side refuses a whole message without saying which: takes the calls
    /// of a batch, if it can be nothing else.
    pub(crate) fn refused(&mut self) -> Vec<Arc<dyn Answered>> {
        match self.told {
            true => Vec::new(),
            false => self.pending.remove_only_batch(),
        }
    }

    /// What tells wakers of different tasks apart, for as long as they live.
    fn key(waker: &Waker) -> (usize, usize) {
        (waker.data().addr(), std::ptr::from_ref(waker.vtable()).addr())
    }

    /// The streams that somebody here listens to, from now on none.
    pub(crate) fn take_streams(&mut self) -> Vec<Arc<dyn Listener>> {
        std::mem::take(&mut self.streams).into_values().collect()
    }

    /// The listener at this address hears no more of a stream. Another may go by the
    /// same name by now.
    pub(crate) fn forget(&mut self, stream: &str, address: usize) {
        if self.streams.get(stream).is_some_and(|it| Arc::as_ptr(it).addr() == address) {
            self.streams.remove(stream);
        }
    }

    /// The callers that wait for room, from now on no more.
    pub(crate) fn take_waiting(&mut self) -> Vec<Waker> {
        std::mem::take(&mut self.waiting).into_values().collect()
    }

    /// Says something; what cannot be encoded leaves nothing behind in the outbox.
    pub(crate) fn speak<R>(&mut self, write: impl FnOnce(&mut dyn Speaker, &mut Outbox) -> R) -> R {
        write(&mut *self.speaker, &mut self.out)
    }
}

impl Shared {
    pub(crate) fn new(
        connection: Connection,
        out: Outbox,
        speaker: Box<dyn Speaker>,
        max_unsent: usize,
        default_timeout: Duration,
        tells_timeouts: bool,
    ) -> Arc<Self> {
        let state = State {
            out,
            speaker,
            pending: Pending::default(),
            streams: HashMap::new(),
            sending: HashMap::new(),
            waiting: HashMap::new(),
            phase: Phase::Open,
            unheard: false,
            told: false,
        };
        Arc::new(Self {
            state: Mutex::new(state),
            task: AtomicWaker::new(),
            dirty: AtomicBool::new(false),
            connection: Arc::new(connection),
            closed: Notify::new(),
            max_unsent,
            default_timeout,
            tells_timeouts,
            unmatched: AtomicU64::new(0),
        })
    }

    /// The state. Nothing that runs under this lock can panic half-way through
    /// a change, so a poisoned lock is as good as another.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the connection's task to look at the state.
    pub(crate) fn wake(&self) {
        if !self.dirty.swap(true, Ordering::AcqRel) {
            self.task.wake();
        }
    }

    pub(crate) fn register(&self, task: &Waker) {
        self.task.register(task);
    }

    pub(crate) fn take_dirty(&self) -> bool {
        self.dirty.load(Ordering::Acquire) && self.dirty.swap(false, Ordering::AcqRel)
    }

    pub(crate) fn is_dirty(&self) -> bool {
        self.dirty.load(Ordering::Acquire)
    }

    /// Nothing more is to be said, unless somebody waits for an answer or has just said
    /// something; whether it is so.
    pub(super) fn part(&self) -> bool {
        let mut state = self.state();
        let is_silent = state.pending.len() == 0 && state.out.is_empty();
        if is_silent {
            state.part();
        }
        is_silent
    }

    /// Nothing more is to be said.
    pub(super) fn part_at_once(&self) {
        self.state().part();
    }

    /// The connection has ended: fails all that waits for it.
    pub(crate) fn close(&self, fault: &Fault) {
        let (pending, streams, sending, waiting) = {
            let mut state = self.state();
            state.phase = Phase::Closed;
            state.out.clear(0);
            (state.pending.drain(), state.take_streams(), state.take_sending(), state.take_waiting())
        };
        for sending in sending {
            sending.cut(Err(broken_off()));
        }
        for answered in pending {
            answered.answer(Err(fault.clone()));
        }
        for listener in streams {
            listener.hear(Err(broken_off()));
        }
        waiting.into_iter().for_each(Waker::wake);
        self.closed.notify_waiters();
    }

    pub(crate) fn connection(&self) -> &Arc<Connection> {
        &self.connection
    }
}
