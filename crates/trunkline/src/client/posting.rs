//! [`Posting`]: a client's calls over HTTP.

use super::{closed, line::Observer, state::ConnectionState};
use crate::{Fault, FaultKind};
use serde::de::DeserializeOwned;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio_util::task::TaskTracker;
use trunkline_core::{About, Encode, Trace};
use trunkline_net::{
    batch::{Answers, Batch, decode},
    dial::HttpCaller,
    peer::Subscription,
};

/// A client's calls over HTTP. Each stands for itself; what they share is whether
/// the client is closed.
pub(super) struct Posting {
    caller: HttpCaller,
    tells_timeouts: bool,
    state: watch::Sender<ConnectionState>,
    observers: Vec<Observer>,
    /// The calls under way.
    calls: TaskTracker,
}

impl Posting {
    pub(super) fn new(caller: HttpCaller, tells_timeouts: bool, observers: Vec<Observer>) -> Self {
        let state = ConnectionState::Connected;
        observers.iter().for_each(|observer| observer(&state));
        Self {
            caller,
            tells_timeouts,
            state: watch::Sender::new(state),
            observers,
            calls: TaskTracker::new(),
        }
    }

    /// What is said besides of a call that stands there and is waited for so long.
    pub(super) fn about(&self, trace: Option<Trace>, timeout: Option<Duration>) -> About {
        About::default().with_trace(trace).with_timeout(timeout.filter(|_| self.tells_timeouts))
    }

    pub(super) fn call<T: DeserializeOwned>(
        &self,
        procedure: &str,
        args: &dyn Encode,
        about: &About,
    ) -> impl Future<Output = Result<T, Fault>> + Send + use<T> {
        let called = self.caller.call(procedure, args, about);
        async move { called.await.and_then(|answer| decode(answer.borrow())) }
    }

    /// Opens a stream; dropping it ends the request that it is the answer to.
    pub(super) fn stream<T: DeserializeOwned + Send + 'static>(
        &self,
        procedure: &str,
        args: &dyn Encode,
        about: &About,
    ) -> impl Future<Output = Result<Subscription<T>, Fault>> + Send + use<T> {
        self.caller.stream(procedure, args, about)
    }

    pub(super) fn notify(
        &self,
        procedure: &str,
        args: &dyn Encode,
        about: &About,
    ) -> impl Future<Output = Result<(), Fault>> + Send + use<> {
        self.caller.notify(procedure, args, about)
    }

    pub(super) fn batch(
        &self,
        batch: &Batch,
        about: &About,
    ) -> impl Future<Output = Result<Answers, Fault>> + Send + use<> {
        self.caller.batch(batch, about)
    }

    /// Runs a request until the deadline passes, unless the client is closed.
    pub(super) async fn in_time<T>(
        &self,
        deadline: Option<Instant>,
        request: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Fault> {
        let _under_way = self.calls.token();
        if *self.state.borrow() == ConnectionState::Closed {
            return Err(closed());
        }
        let Some(deadline) = deadline else { return request.await };
        tokio::time::timeout_at(deadline.into(), request).await.unwrap_or_else(|_| {
            Err(Fault::new(FaultKind::DeadlineExceeded, "no answer within the deadline of the call"))
        })
    }

    pub(super) fn states(&self) -> watch::Receiver<ConnectionState> {
        self.state.subscribe()
    }

    /// Breaks off the streams that are open: nobody wants the client any more.
    pub(super) fn leave(&self) {
        self.caller.end_streams();
    }

    /// Takes no more calls, lets those under way finish, and breaks off the streams.
    pub(super) async fn drain(&self, timeout: Duration) {
        if self.state.send_replace(ConnectionState::Closed) != ConnectionState::Closed {
            self.observers.iter().for_each(|observer| observer(&ConnectionState::Closed));
        }
        self.calls.close();
        if tokio::time::timeout(timeout, self.calls.wait()).await.is_err() {
            tracing::warn!("calls are still under way after the limit `drain_timeout`");
        }
        self.leave();
    }
}
