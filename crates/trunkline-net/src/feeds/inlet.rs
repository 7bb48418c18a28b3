//! [`Inlet`]: where the items of one stream wait for the handler that takes them.

use super::{Arrived, Counted, overrun};
use crate::peer::Shared;
use futures_util::Stream;
use std::{
    collections::VecDeque,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
};
use trunkline_core::{Dialect, Fault, FaultKind, Outbox, OwnedCallId, OwnedPayload, Payload, feed::WINDOW};

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
    /// How many were taken that it has not been told of.
    taken: u64,
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

    /// Hears the next item, or the end.
    ///
    /// # Errors
    ///
    /// Fails if there is no room for it.
    pub(super) fn hear(&self, outcome: Result<Option<Payload<'_>>, Fault>) -> Result<(), Fault> {
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
                    let bytes = size(&item);
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
                Err(fault) => state.end(Err(fault)),
            }
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
        let bytes = state.items.drain(..).map(|item| size(&item.borrow())).sum();
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
            if state.ended || self.is_over() {
                return;
            }
            let items = (!state.left).then(|| std::mem::take(&mut state.taken));
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

    /// Whether the caller is to be told something now that it has not been told of.
    fn makes_news(&mut self) -> bool {
        !self.ended && (self.left || self.taken >= WINDOW / 2) && !std::mem::replace(&mut self.in_news, true)
    }
}

fn size(item: &Payload<'_>) -> usize {
    match item {
        Payload::Json(text) => text.len(),
        _ => 0,
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
                inlet.waiting.fetch_sub(size(&item.borrow()), Ordering::Relaxed);
                state.taken += 1;
                (item, state.makes_news())
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
            !inlet.is_over() && state.makes_news()
        };
        if makes_news {
            inlet.make_news();
        }
    }
}

/// Streams of a connection of which there is something to tell the caller.
pub(super) struct News {
    inlets: Mutex<Vec<Arc<Inlet>>>,
    is_there: AtomicBool,
    shared: Arc<Shared>,
}

impl News {
    /// News that the task which is behind `shared` tells.
    pub(super) fn to(shared: Arc<Shared>) -> Arc<Self> {
        Arc::new(Self { inlets: Mutex::default(), is_there: AtomicBool::new(false), shared })
    }

    #[inline]
    pub(super) fn is_there(&self) -> bool {
        self.is_there.load(Ordering::Acquire)
    }

    fn inlets(&self) -> MutexGuard<'_, Vec<Arc<Inlet>>> {
        self.inlets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, inlet: Arc<Inlet>) {
        self.inlets().push(inlet);
        self.is_there.store(true, Ordering::Release);
        self.shared.wake();
    }

    pub(super) fn take(&self) -> Vec<Arc<Inlet>> {
        if !self.is_there.swap(false, Ordering::AcqRel) {
            return Vec::new();
        }
        std::mem::take(&mut self.inlets())
    }
}
