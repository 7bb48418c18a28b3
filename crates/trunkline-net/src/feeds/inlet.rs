//! [`Inlet`]: where the items of one stream wait for the handler that takes them.

use super::{Arrived, Counted, news::News, overrun};
use crate::clock::now;
use futures_util::Stream;
use std::{
    collections::VecDeque,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};
use trunkline_core::{
    Dialect, Fault, FaultKind, Outbox, OwnedCallId, OwnedPayload, Payload,
    feed::{WINDOW, WINDOW_BYTES},
};

/// How long a caller that has said nothing is not told of what was taken because it is
/// too little to be worth it. It may wait for just that.
const PATIENCE: Duration = Duration::from_secs(1);

/// Bytes of what a caller says of why its stream breaks off that are kept for the
/// handler: they are not counted with those of the items.
const LONGEST_FAULT: usize = 64 << 10;

/// Where the items of one stream wait for the handler that takes them.
pub(super) struct Inlet {
    id: OwnedCallId,
    state: Mutex<State>,
    /// Whether the call is over.
    over: AtomicBool,
    /// Bytes of items that wait, of all streams of the connection.
    waiting: Arc<AtomicUsize>,
    most_waiting: usize,
    /// Gone with the connection.
    news: Weak<News>,
}

struct State {
    items: VecDeque<OwnedPayload>,
    /// How the stream has ended, if it has, until that is taken.
    end: Option<Result<(), Fault>>,
    ended: bool,
    /// How many more items the caller may send.
    room: u64,
    /// How many were taken that it has not been told of, and their bytes.
    taken: u64,
    taken_bytes: usize,
    /// When it was last told, or has said something itself.
    spoken: Instant,
    /// When something has come, or was taken, for the last time.
    got_on: Option<Instant>,
    /// Whether nobody takes them any more.
    left: bool,
    /// Whether there is something to tell the caller, and it is in the news.
    in_news: bool,
    waker: Option<Waker>,
    live: Option<Counted>,
}

impl Inlet {
    pub(super) fn new(
        id: OwnedCallId,
        waiting: Arc<AtomicUsize>,
        most_waiting: usize,
        live: Counted,
        news: Weak<News>,
    ) -> Arc<Self> {
        let state = State {
            items: VecDeque::new(),
            end: None,
            ended: false,
            room: WINDOW,
            taken: 0,
            taken_bytes: 0,
            spoken: now(),
            got_on: None,
            left: false,
            in_news: false,
            waker: None,
            live: Some(live),
        };
        let (state, over) = (Mutex::new(state), AtomicBool::new(false));
        Arc::new(Self { id, state, over, waiting, most_waiting, news })
    }

    /// What the handler takes.
    pub(super) fn arrivals(inlet: &Arc<Self>) -> Arrivals {
        Arrivals(inlet.clone())
    }

    /// Nothing that runs under this lock can panic half-way through a change.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }

    /// When something has come, or was taken, for the last time.
    pub(super) fn got_on(&self) -> Option<Instant> {
        self.state().got_on
    }

    /// Hears the next item, or the end.
    ///
    /// # Errors
    ///
    /// Fails if there is no room for it.
    pub(super) fn hear(
        &self,
        outcome: Result<Option<Payload<'_>>, Fault>,
        now: Instant,
    ) -> Result<(), Fault> {
        let waker = {
            let mut state = self.state();
            // what was on its way when it was said that nobody wants it
            if state.ended || state.left {
                return Ok(());
            }
            match outcome {
                Ok(Some(item)) => {
                    if state.room == 0 {
                        return Err(overrun(format!(
                            "the stream had {WINDOW} items at first, and none beyond what `rpc.more` granted, to send"
                        )));
                    }
                    let bytes = item.size();
                    if self.waiting.fetch_add(bytes, Ordering::Relaxed) + bytes > self.most_waiting {
                        self.waiting.fetch_sub(bytes, Ordering::Relaxed);
                        return Err(overrun(format!(
                            "{} bytes of items may wait on a connection, four times the limit `max_message`",
                            self.most_waiting
                        )));
                    }
                    state.room -= 1;
                    state.items.push_back(item.to_owned());
                }
                Ok(None) => state.end(Ok(())),
                Err(fault) => state.end(Err(kept(fault))),
            }
            (state.spoken, state.got_on) = (now, Some(now));
            state.waker.take()
        };
        waker.into_iter().for_each(Waker::wake);
        Ok(())
    }

    /// Breaks off what is still to come.
    pub(super) fn break_off(&self, fault: &Fault) {
        let waker = {
            let mut state = self.state();
            if state.ended {
                return;
            }
            state.end(Err(fault.clone()));
            state.waker.take()
        };
        waker.into_iter().for_each(Waker::wake);
    }

    /// The call is over: whoever still takes items is told that there are no more.
    pub(super) fn end_call(&self) {
        if self.over.swap(true, Ordering::AcqRel) {
            return;
        }
        let (waker, _no_longer_live) = {
            let mut state = self.state();
            self.give_back(&mut state);
            if !state.ended {
                state.end(Err(Fault::new(FaultKind::Cancelled, "the call is over, and with it its stream")));
            }
            (state.waker.take(), state.live.take())
        };
        waker.into_iter().for_each(Waker::wake);
    }

    /// Drops the items that wait.
    fn give_back(&self, state: &mut State) {
        let bytes = state.items.drain(..).map(|item| item.borrow().size()).sum();
        self.waiting.fetch_sub(bytes, Ordering::Relaxed);
    }

    fn make_news(self: &Arc<Self>) {
        if let Some(news) = self.news.upgrade() {
            news.add(self.clone());
        }
    }

    /// Tells the caller what there is to tell.
    pub(super) fn tell(&self, dialect: &mut dyn Dialect, out: &mut Outbox) {
        let items = {
            let mut state = self.state();
            state.in_news = false;
            if self.is_over() || (state.ended && state.left) {
                return;
            }
            let items = (!state.left).then(|| std::mem::take(&mut state.taken));
            (state.taken_bytes, state.spoken) = (0, now());
            state.room = items.map_or(0, |items| state.room.saturating_add(items));
            items
        };
        if items != Some(0) {
            dialect.want(&self.id.borrow(), items, out);
        }
    }
}

impl State {
    fn end(&mut self, outcome: Result<(), Fault>) {
        (self.end, self.ended) = (Some(outcome), true);
    }

    /// An item is taken; whether the caller is to be told now.
    fn take(&mut self, bytes: usize, now: Instant) -> bool {
        self.taken += 1;
        self.taken_bytes += bytes;
        self.got_on = Some(now);
        // one that has sent all it has waits for the answer, and not for room
        let is_much = !self.ended && (self.taken >= WINDOW / 2 || self.taken_bytes >= WINDOW_BYTES / 2);
        (is_much || now.duration_since(self.spoken) >= PATIENCE) && self.makes_news()
    }

    /// Whether what there is to tell the caller is not in the news yet.
    fn makes_news(&mut self) -> bool {
        !std::mem::replace(&mut self.in_news, true)
    }
}

/// As much of a fault as is kept.
#[cold]
fn kept(fault: Fault) -> Fault {
    let bytes = fault.message().len() + fault.raw_data().map_or(0, str::len);
    if bytes <= LONGEST_FAULT {
        return fault;
    }
    let told = Fault::new(
        fault.kind(),
        format!("the stream broke off with an error of {bytes} bytes, and {LONGEST_FAULT} are heard at most"),
    );
    match fault.code() {
        Some(code) => told.with_code(code),
        None => told,
    }
}

/// The items of a stream, as a handler takes them.
pub(super) struct Arrivals(Arc<Inlet>);

impl Stream for Arrivals {
    type Item = Arrived;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Arrived>> {
        let Self(inlet) = &*self;
        let (item, makes_news) = {
            let mut state = inlet.state();
            if let Some(item) = state.items.pop_front() {
                let bytes = item.borrow().size();
                inlet.waiting.fetch_sub(bytes, Ordering::Relaxed);
                (item, state.take(bytes, now()))
            } else if state.ended {
                return Poll::Ready(state.end.take().and_then(Result::err).map(Err));
            } else {
                match &mut state.waker {
                    Some(waker) => waker.clone_from(cx.waker()),
                    none => *none = Some(cx.waker().clone()),
                }
                return Poll::Pending;
            }
        };
        if makes_news {
            inlet.make_news();
        }
        Poll::Ready(Some(Ok(item)))
    }
}

impl Drop for Arrivals {
    fn drop(&mut self) {
        let Self(inlet) = self;
        let makes_news = {
            let mut state = inlet.state();
            state.left = true;
            inlet.give_back(&mut state);
            !state.ended && !inlet.is_over() && state.makes_news()
        };
        if makes_news {
            inlet.make_news();
        }
    }
}
