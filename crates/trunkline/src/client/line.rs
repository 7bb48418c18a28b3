//! [`Line`]: a client's connection over time, as its callers see it.

use super::{closed, state::ConnectionState};
use crate::{Fault, FaultKind, Peer, Trace};
use http::HeaderValue;
use std::{
    collections::BTreeSet,
    fmt,
    future::poll_fn,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::{Duration, Instant},
};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use trunkline_core::OwnedPayload;
use trunkline_net::peer::Begun;

/// What is told of every state, in order.
pub(super) type Observer = Box<dyn Fn(&ConnectionState) + Send + Sync>;

/// How long a connection that is being broken off may take for its last words.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// A client's connection over time. Callers take the peer of the moment from it;
/// the [`Supervisor`](super::supervisor::Supervisor) sees to it that there is one.
pub(super) struct Line {
    current: RwLock<Current>,
    /// Rung whenever `current` has changed.
    changed: Notify,
    state: watch::Sender<ConnectionState>,
    observers: Vec<Observer>,
    /// Cancelled when nobody wants the connection any more.
    leaving: CancellationToken,
    introduction: Mutex<Introduction>,
    /// Held while the server is told who we are: it is told one thing at a time.
    introducing: tokio::sync::Mutex<()>,
    /// How many connections there have been.
    connections: AtomicU64,
    /// The names that other clients of the server are to call this one by.
    names: Mutex<BTreeSet<String>>,
}

/// How the server is told on every connection who we are.
#[derive(Clone)]
pub(super) enum Introduction {
    Not,
    /// In the header `Authorization` of the request for the connection.
    Header(HeaderValue),
    /// Before anything else is said.
    Login {
        credentials: OwnedPayload,
        /// Whether there is no connection without it: the client was built so. Who has
        /// authenticated later is nobody where that is refused.
        must: bool,
    },
}

enum Current {
    Up(Peer),
    /// And why, once that is known.
    Down(Option<Arc<str>>),
    /// For good; what callers are told.
    Closed(Fault),
}

impl Line {
    pub(super) fn new(observers: Vec<Observer>, introduction: Introduction) -> Arc<Self> {
        Arc::new(Self {
            current: RwLock::new(Current::Down(None)),
            changed: Notify::new(),
            state: watch::Sender::new(ConnectionState::Connecting),
            observers,
            leaving: CancellationToken::new(),
            introduction: Mutex::new(introduction),
            introducing: tokio::sync::Mutex::default(),
            connections: AtomicU64::new(0),
            names: Mutex::default(),
        })
    }

    /// The names that are wanted at this moment.
    pub(super) fn names(&self) -> BTreeSet<String> {
        self.names_wanted().clone()
    }

    /// Wants a name, on every connection; whether it was not wanted already.
    pub(super) fn want(&self, name: &str) -> bool {
        self.names_wanted().insert(name.to_owned())
    }

    /// Wants a name no more.
    pub(super) fn unwant(&self, name: &str) {
        self.names_wanted().remove(name);
    }

    pub(super) fn is_wanted(&self, name: &str) -> bool {
        self.names_wanted().contains(name)
    }

    fn names_wanted(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How the server is told who we are.
    pub(super) fn introduction(&self) -> Introduction {
        self.introduction.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Tells the server who we are, on the connection of the moment by `tell`, and on
    /// those that come after it if that goes well. If not, the server takes us for
    /// nobody, and so will it then.
    ///
    /// Only one is told at a time, so that what is remembered is what was said last.
    pub(super) async fn introduce<T, F>(
        &self,
        credentials: &OwnedPayload,
        tell: impl Fn() -> F,
    ) -> Result<T, Fault>
    where
        F: Future<Output = Result<T, Fault>>,
    {
        let _told = self.introducing.lock().await;
        loop {
            let before = self.connections.load(Ordering::Acquire);
            let told = tell().await;
            let next = match &told {
                Ok(_) => Introduction::Login { credentials: credentials.clone(), must: false },
                // nobody heard it, or nobody listens to such things: all is as it was
                Err(fault) if matches!(fault.kind(), FaultKind::Disconnected | FaultKind::NotFound) => {
                    return told;
                }
                Err(_) => Introduction::Not,
            };
            *self.introduction.lock().unwrap_or_else(PoisonError::into_inner) = next;
            // a connection that was made meanwhile was told what was true before
            if told.is_err() || self.connections.load(Ordering::Acquire) == before {
                return told;
            }
        }
    }

    pub(super) fn peer(&self) -> Option<Peer> {
        match &*self.read() {
            Current::Up(peer) => Some(peer.clone()),
            _ => None,
        }
    }

    /// Has something begun with the peer of the moment; `None` if there is none.
    pub(super) fn begin<C>(&self, begin: impl FnOnce(&Peer) -> Begun<C>) -> Option<Begun<C>> {
        match &*self.read() {
            Current::Up(peer) => Some(begin(peer)),
            _ => None,
        }
    }

    /// Has something begun as soon as there is a peer for it, and room.
    pub(super) async fn begin_when_ready<C>(
        &self,
        mut begin: impl FnMut(&Peer, &mut Context<'_>) -> Begun<C>,
    ) -> Result<C, Fault> {
        loop {
            let peer = self.ready().await?;
            let begun = poll_fn(|cx| match begin(&peer, cx) {
                Begun::Crowded => Poll::Pending,
                begun => Poll::Ready(begun),
            });
            match begun.await {
                Begun::Made(made) => return Ok(made),
                Begun::Refused(fault) => return Err(fault),
                // nothing was sent: it may go to the next one
                _ => {}
            }
        }
    }

    /// Sends a notification as soon as there is a peer for it.
    pub(super) async fn notify(
        &self,
        procedure: &str,
        args: &OwnedPayload,
        trace: Option<&Trace>,
    ) -> Result<(), Fault> {
        loop {
            match self.ready().await?.traced(trace).notify(procedure, args) {
                Err(fault) if fault.kind() == FaultKind::Disconnected => {}
                done => return done,
            }
        }
    }

    /// Waits for a peer that takes calls.
    async fn ready(&self) -> Result<Peer, Fault> {
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            changed.as_mut().enable();
            match &*self.read() {
                Current::Up(peer) if peer.is_open() => return Ok(peer.clone()),
                Current::Closed(fault) => return Err(fault.clone()),
                _ => {}
            }
            changed.await;
        }
    }

    /// Gives up waiting for a connection when the deadline passes.
    pub(super) async fn in_time<F: Future>(
        &self,
        deadline: Option<Instant>,
        future: F,
    ) -> Result<F::Output, Fault> {
        let Some(deadline) = deadline else { return Ok(future.await) };
        tokio::time::timeout_at(deadline.into(), future).await.map_err(|_| {
            let reason = match &*self.read() {
                Current::Up(_) => ": the server does not read what is sent to it".to_owned(),
                Current::Down(Some(reason)) => format!(": {reason}"),
                _ => String::new(),
            };
            let message = format!("the deadline passed before the call could be made{reason}");
            Fault::new(FaultKind::DeadlineExceeded, message)
        })
    }

    pub(super) fn states(&self) -> watch::Receiver<ConnectionState> {
        self.state.subscribe()
    }

    /// An attempt is being made.
    pub(super) fn connecting(&self) {
        self.tell(ConnectionState::Connecting);
    }

    /// There is a connection.
    pub(super) fn up(&self, peer: &Peer) {
        let wanted = {
            let mut current = self.write();
            let wanted = !matches!(*current, Current::Closed(_)) && !self.leaving.is_cancelled();
            if wanted {
                *current = Current::Up(peer.clone());
            }
            wanted
        };
        if wanted {
            self.connections.fetch_add(1, Ordering::AcqRel);
            self.changed.notify_waiters();
            self.tell(ConnectionState::Connected);
        } else {
            peer.abort();
        }
    }

    /// There is none, for the time being.
    pub(super) fn down(&self, reason: &str) {
        let reason: Arc<str> = reason.into();
        self.become_unless_closed(Current::Down(Some(reason.clone())));
        self.tell(ConnectionState::Disconnected { reason });
    }

    /// There will be none any more.
    pub(super) fn shut(&self, fault: Fault) {
        self.become_unless_closed(Current::Closed(fault));
        self.state.send_if_modified(|state| {
            std::mem::replace(state, ConnectionState::Closed) != ConnectionState::Closed
        });
    }

    /// Tells the observers that there will be none any more.
    pub(super) fn tell_closed(&self) {
        self.observers.iter().for_each(|observer| observer(&ConnectionState::Closed));
    }

    /// Why there is no connection, as far as is known.
    pub(super) fn lost(&self) -> Fault {
        match &*self.read() {
            Current::Closed(fault) => fault.clone(),
            Current::Down(Some(reason)) if !self.leaving.is_cancelled() => {
                let message = format!("the connection is gone and is not made anew: {reason}");
                Fault::new(FaultKind::Disconnected, message)
            }
            _ => closed(),
        }
    }

    /// Waits until nobody wants the connection any more.
    pub(super) async fn left(&self) {
        self.leaving.cancelled().await;
    }

    pub(super) fn is_left(&self) -> bool {
        self.leaving.is_cancelled()
    }

    /// Nobody wants the connection any more: ends it at once.
    pub(super) fn leave(&self) {
        self.leaving.cancel();
        if let Current::Up(peer) = &*self.read() {
            peer.abort();
        }
    }

    /// Takes no more calls, lets those under way finish, and ends the connection.
    pub(super) async fn drain(&self, timeout: Duration) {
        let before = std::mem::replace(&mut *self.write(), Current::Closed(closed()));
        self.leaving.cancel();
        self.changed.notify_waiters();
        let peer = match before {
            Current::Up(peer) => Some(peer),
            _ => None,
        };
        if let Some(peer) = &peer {
            peer.close();
        }
        let mut states = self.states();
        let mut closed = async |timeout| {
            let closed = states.wait_for(|state| *state == ConnectionState::Closed);
            tokio::time::timeout(timeout, closed).await.is_ok()
        };
        if !closed(timeout).await
            && let Some(peer) = &peer
        {
            tracing::warn!("calls are still under way after the limit `drain_timeout`: breaking them off");
            peer.abort();
            closed(LAST_WORDS).await;
        }
    }

    fn tell(&self, state: ConnectionState) {
        tracing::debug!(%state, "client");
        self.observers.iter().for_each(|observer| observer(&state));
        self.state.send_replace(state);
    }

    fn become_unless_closed(&self, next: Current) {
        {
            let mut current = self.write();
            if !matches!(*current, Current::Closed(_)) {
                *current = next;
            }
        }
        self.changed.notify_waiters();
    }

    fn read(&self) -> RwLockReadGuard<'_, Current> {
        self.current.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Current> {
        self.current.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line").field("state", &*self.state.borrow()).finish_non_exhaustive()
    }
}
