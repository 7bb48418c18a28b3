//! Calls that run one after another.
//!
//! Each takes a place in the queue of its connection when it starts, which is in
//! the order in which calls arrive, and is not polled before its turn. What ends
//! a call, an answer or a cancellation, drops it, and so gives its turn away.

use crate::{
    call::Call,
    connection::Connection,
    fault::Fault,
    lag::Lag,
    procedure::{BoxRunning, Procedure, Running},
    reply::Reply,
    schema::Schemas,
    signature::Signature,
    states::States,
};
use std::{
    collections::VecDeque,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context as TaskContext, Poll, Waker},
};

/// A procedure whose calls run one after another on each connection.
pub(crate) struct Ordered(pub(crate) Arc<dyn Procedure>);

impl Procedure for Ordered {
    fn start(&self, call: &Call<'_>) -> Result<BoxRunning, Fault> {
        if call.context.has_turn() {
            // it waits for us, so we cannot wait for it
            return self.0.start(call);
        }
        let turn = Arc::new(Turn);
        let context = call.context.in_turn(&turn);
        let running = self.0.start(&Call { context: &context, ..*call })?;
        let streams = self.0.streams();
        let place = Place::last(call.context.connection(), turn);
        Ok(Box::pin(InTurn { running, streams, place: Some(place) }))
    }

    fn check(&self, states: &States) -> Result<(), String> {
        self.0.check(states)
    }

    fn signature(&self, schemas: &mut Schemas) -> Signature {
        self.0.signature(schemas)
    }

    fn streams(&self) -> bool {
        self.0.streams()
    }

    fn takes_stream(&self) -> bool {
        self.0.takes_stream()
    }
}

/// A call that waits for its turn. What it runs is dropped before its place is given away.
struct InTurn {
    running: BoxRunning,
    streams: bool,
    /// Given away once it is open, if it is a stream.
    place: Option<Place>,
}

impl Running for InTurn {
    fn lag(&self) -> Option<Lag> {
        self.running.lag()
    }

    fn poll(
        mut self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
        reply: &mut Reply<'_>,
    ) -> Poll<Result<(), Fault>> {
        if self.place.as_ref().is_some_and(|place| !place.is_first(cx.waker())) {
            return Poll::Pending;
        }
        let polled = self.running.as_mut().poll(cx, reply);
        if self.streams && polled.is_ready() {
            self.place = None;
        }
        polled
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
        item: &mut Reply<'_>,
    ) -> Poll<Option<Result<(), Fault>>> {
        self.running.as_mut().poll_next(cx, item)
    }
}

/// The calls of a connection that run one after another, the first of which runs.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    waiting: Mutex<VecDeque<Waiting>>,
}

#[derive(Debug)]
struct Waiting {
    number: u64,
    waker: Option<Waker>,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, VecDeque<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What there is for as long as the turn of a call lasts.
#[derive(Debug)]
pub(crate) struct Turn;

/// A place in the queue of a connection; dropping it gives it away.
struct Place {
    queue: Arc<Queue>,
    number: u64,
    _turn: Arc<Turn>,
}

impl Place {
    fn last(connection: &Connection, turn: Arc<Turn>) -> Self {
        let queue = connection.queue().clone();
        let number = {
            let mut waiting = queue.lock();
            let number = waiting.back().map_or(0, |last| last.number + 1);
            waiting.push_back(Waiting { number, waker: None });
            number
        };
        Self { queue, number, _turn: turn }
    }

    /// Whether it is its turn; wakes `waker` when it is.
    fn is_first(&self, waker: &Waker) -> bool {
        let mut waiting = self.queue.lock();
        if waiting.front().is_some_and(|first| first.number == self.number) {
            return true;
        }
        if let Ok(at) = self.find(&waiting) {
            waiting[at].waker = Some(waker.clone());
        }
        false
    }

    /// Numbers go up from the front to the back.
    fn find(&self, waiting: &VecDeque<Waiting>) -> Result<usize, usize> {
        waiting.binary_search_by_key(&self.number, |it| it.number)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let next = {
            let mut waiting = self.queue.lock();
            if let Ok(at) = self.find(&waiting) {
                waiting.remove(at);
            }
            waiting.front_mut().and_then(|first| first.waker.take())
        };
        // not under the lock: whoever is woken may look at once
        if let Some(waker) = next {
            waker.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Context, Router, handler::handler, payload::Format};
    use std::{
        sync::atomic::{AtomicUsize, Ordering},
        task::Wake,
    };

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    struct Calls {
        router: Router,
        context: Context,
        woken: Arc<Count>,
    }

    /// `once` is pending when it is polled first, and ready after that.
    fn calls() -> Calls {
        let once = || {
            let mut asked = false;
            std::future::poll_fn(move |_| match std::mem::replace(&mut asked, true) {
                true => Poll::Ready(1),
                false => Poll::Pending,
            })
        };
        let router = Router::new()
            .procedure("once", handler(once).ordered())
            .procedure("now", handler(async || 2).ordered())
            .procedure("any", async || 3)
            .layer(async |call: crate::OwnedCall, next: crate::Next| next.run(call).await)
            .seal();
        Calls { router, context: Context::local(), woken: Arc::default() }
    }

    impl Calls {
        fn start(&self, name: &str) -> BoxRunning {
            let route = self.router.find(name).unwrap();
            route.start(&Call::new(name, None, &self.context, route.states())).unwrap()
        }

        fn answers(&self, running: &mut BoxRunning) -> bool {
            let waker = self.woken.clone().into();
            let mut buffer = vec![];
            let reply = &mut Reply::new(&mut buffer, Format::Json, 100);
            running.as_mut().poll(&mut TaskContext::from_waker(&waker), reply).is_ready()
        }

        fn woken(&self) -> usize {
            self.woken.0.load(Ordering::Relaxed)
        }
    }

    #[test]
    fn a_call_waits_for_those_before_it() {
        let calls = calls();
        let (mut once, mut now, mut last) = (calls.start("once"), calls.start("now"), calls.start("now"));
        assert!(!calls.answers(&mut last) && !calls.answers(&mut now) && !calls.answers(&mut once));
        assert!(calls.answers(&mut calls.start("any")), "others are not held up");
        assert!(!calls.answers(&mut now), "the first is not done yet");
        assert!(calls.answers(&mut once));
        assert_eq!(calls.woken(), 0, "its place is given away when it is dropped");
        drop(once);
        assert_eq!(calls.woken(), 1);
        assert!(!calls.answers(&mut last) && calls.answers(&mut now));
        drop(now);
        assert!(calls.woken() == 2 && calls.answers(&mut last));
    }

    #[test]
    fn a_call_that_is_cancelled_gives_its_turn_away() {
        let calls = calls();
        let (first, second, mut third) = (calls.start("once"), calls.start("now"), calls.start("now"));
        assert!(!calls.answers(&mut third));
        drop(second);
        assert!(!calls.answers(&mut third));
        drop(first);
        assert!(calls.woken() == 1 && calls.answers(&mut third));
    }

    #[test]
    fn connections_do_not_wait_for_each_other() {
        let (mut one, calls) = (calls(), calls());
        one.router = calls.router.clone();
        let (_waiting, mut now) = (one.start("once"), calls.start("now"));
        assert!(calls.answers(&mut now));
    }
}
