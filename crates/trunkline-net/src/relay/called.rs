//! [`Called`]: what a peer serves to other peers, who call it by a name.

use crate::{
    clock::{after, earliest, now},
    peer::placed,
};
use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context as TaskContext, Poll},
    time::Duration,
};
use tokio::{
    sync::Semaphore,
    time::{Sleep, sleep},
};
use trunkline_core::{
    BoxRunning, Call, Fault, FaultKind, Lag, Limits, OwnedPayload, Procedure, Provide, Registration, Reply,
    Router, Running, args,
    handler::Run,
    relay::{CALL, NOTIFY, Relayed, SUBSCRIBE},
    router::{Gives, unknown},
};

/// What a peer serves to other peers, who call it by a name: procedures apart from
/// those that it serves to the server.
///
/// What they are told of themselves by the server is the [`CallingPeer`] of their calls.
/// Only for a far end that believes what the other says of callers: one that has
/// dialled its server.
///
/// [`CallingPeer`]: trunkline_core::CallingPeer
#[derive(Clone)]
pub struct Called {
    router: Arc<Router>,
    blocking: Arc<Semaphore>,
}

impl Called {
    /// Serves the procedures of `router`, [sealed](Router::seal) for it.
    ///
    /// # Panics
    ///
    /// Panics if a handler takes a state that the router does not have.
    #[must_use]
    pub fn new(router: Router, limits: &Limits) -> Self {
        let most = limits.max_in_flight.min(Semaphore::MAX_PERMITS);
        Self { router: router.seal().shared(), blocking: Arc::new(Semaphore::new(most)) }
    }
}

impl Provide for Called {
    #[track_caller]
    fn provide(self, router: Router) -> Router {
        let once = Registration::of(Dispatch { called: self.clone(), gives: Gives::Value });
        let many = Registration::of(Dispatch { called: self, gives: Gives::Stream });
        router.extension(CALL, once.clone()).extension(NOTIFY, once).extension(SUBSCRIBE, many)
    }
}

/// Calls the procedure that is named in the arguments.
struct Dispatch {
    called: Called,
    gives: Gives,
}

impl Procedure for Dispatch {
    fn start(&self, call: &Call<'_>) -> Result<BoxRunning, Fault> {
        let Relayed { method, params, from, .. } = args::decode(call.args)?;
        let route = self.called.router.find(&method).ok_or_else(|| unknown(&method))?;
        match (route.gives(), self.gives) {
            (gives, asked) if gives == asked => {}
            (Gives::Stream, _) => return Err(Fault::from("it gives a stream, not a value: subscribe to it")),
            (Gives::Value, _) => return Err(Fault::from("it gives a value, not a stream: call it")),
            _ => return Err(unknown(&method)),
        }
        let context = call.context.clone().with_extension(from.unwrap_or_default());
        let params = params.as_ref().map(OwnedPayload::borrow);
        let mut inner = Call::new(&method, params, &context, route.states());
        inner.fallback = route.fallback();
        (inner.deadline, inner.format, inner.max_reply) = (call.deadline, call.format, call.max_reply);
        if let Some(timeout) = route.timeout() {
            inner.deadline = earliest([call.deadline, after(now(), timeout)]);
        }
        let mut running = route.start(&inner)?;
        if route.run() != Run::Inline {
            running = placed(running, route.run(), call.format, call.max_reply, &self.called.blocking)?;
        }
        Ok(match (route.timeout(), self.gives) {
            (None, Gives::Value) => running,
            (timeout, _) => {
                let alarm = timeout.map_or(Alarm::None, Alarm::Set);
                Box::pin(Own { running, alarm, lag: route.lag() })
            }
        })
    }

    fn streams(&self) -> bool {
        self.gives == Gives::Stream
    }
}

/// A call of which its procedure says how long it may run, and how it lags.
struct Own {
    running: BoxRunning,
    alarm: Alarm,
    lag: Lag,
}

enum Alarm {
    None,
    Set(Duration),
    Ticks(Pin<Box<Sleep>>),
}

impl Running for Own {
    fn poll(
        mut self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
        reply: &mut Reply<'_>,
    ) -> Poll<Result<(), Fault>> {
        if let Poll::Ready(outcome) = self.running.as_mut().poll(cx, reply) {
            return Poll::Ready(outcome);
        }
        if let Alarm::Set(timeout) = self.alarm {
            self.alarm = Alarm::Ticks(Box::pin(sleep(timeout)));
        }
        let Alarm::Ticks(sleep) = &mut self.alarm else { return Poll::Pending };
        sleep.as_mut().poll(cx).map(|()| {
            let fault = Fault::new(FaultKind::DeadlineExceeded, "Deadline exceeded");
            Err(fault.with_data("the call ran for longer than the procedure's timeout"))
        })
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
        item: &mut Reply<'_>,
    ) -> Poll<Option<Result<(), Fault>>> {
        self.running.as_mut().poll_next(cx, item)
    }

    fn lag(&self) -> Option<Lag> {
        Some(self.lag)
    }
}

impl fmt::Debug for Called {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Called").field("router", &self.router).finish_non_exhaustive()
    }
}
