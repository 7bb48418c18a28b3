//! [`Line`]: what a connection and its requests know of each other.

use super::{reply::Reply, session::Life, site::Site, unsent::Unsent};
use http::{HeaderValue, header::CONNECTION};
use std::{
    fmt,
    net::SocketAddr,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
};

/// What a connection and its requests know of each other.
///
/// The counters are read by the connection's task alone, between polls, to tell
/// which time limit is running; they order nothing, so they are all relaxed.
pub(super) struct Line {
    pub(super) site: Arc<Site>,
    pub(super) remote: SocketAddr,
    /// Requests and replies under way.
    busy: AtomicUsize,
    /// Requests so far.
    begun: AtomicUsize,
    /// Whether anything has arrived since a request last began or ended.
    heard: AtomicBool,
    /// Whether the far side takes nothing at present.
    stuck: AtomicBool,
    /// Writes so far.
    writes: AtomicUsize,
    /// What has yet to be taken of the replies, if there may be many at a time.
    pub(super) replies: OnceLock<Arc<Unsent>>,
    /// Whether replies have been gathered and not sent.
    unsent: AtomicBool,
    /// Whether replies are not to be gathered at present.
    hasty: AtomicBool,
    /// Whether a request has asked for an upgrade. The connection may then be
    /// taken out of hyper's hands at any time.
    upgrading: AtomicBool,
    /// Whether each reply is to say that it is the last.
    parting: AtomicBool,
    /// What the connection becomes once HTTP is done with it.
    session: Mutex<Option<Life>>,
}

/// What the far side is at.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Phase {
    /// It has not come to its first request.
    First,
    /// Nothing is under way.
    Idle,
    /// It has begun a request.
    Head,
    /// It waits for us.
    Busy,
    /// It does not take what it is sent, and had taken so many writes before.
    Stuck(usize),
    /// It does not make room for replies, and had made some for so many pieces before.
    Unread(usize),
}

impl Line {
    pub(super) fn new(site: Arc<Site>, remote: SocketAddr) -> Self {
        Self {
            site,
            remote,
            busy: AtomicUsize::new(0),
            begun: AtomicUsize::new(0),
            heard: AtomicBool::new(false),
            stuck: AtomicBool::new(false),
            writes: AtomicUsize::new(0),
            replies: OnceLock::new(),
            unsent: AtomicBool::new(false),
            hasty: AtomicBool::new(false),
            upgrading: AtomicBool::new(false),
            parting: AtomicBool::new(false),
            session: Mutex::new(None),
        }
    }

    pub(super) fn heard(&self) {
        self.heard.store(true, Relaxed);
    }

    pub(super) fn wrote(&self, done: bool) {
        self.stuck.store(!done, Relaxed);
        self.writes.fetch_add(usize::from(done), Relaxed);
    }

    pub(super) fn gathers(&self, unsent: bool) {
        self.unsent.store(unsent, Relaxed);
    }

    pub(super) fn has_unsent(&self) -> bool {
        self.unsent.load(Relaxed)
    }

    /// Whether replies may be gathered.
    pub(super) fn is_patient(&self) -> bool {
        !self.hasty.load(Relaxed) && !self.upgrading.load(Relaxed)
    }

    pub(super) fn be_patient(&self, patient: bool) {
        self.hasty.store(!patient, Relaxed);
    }

    /// Says that a request asks for an upgrade.
    pub(super) fn upgrades(&self) {
        self.upgrading.store(true, Relaxed);
    }

    /// The next reply is the last, and says so.
    pub(super) fn parts(&self) {
        self.parting.store(true, Relaxed);
    }

    /// The number of requests so far.
    pub(super) fn begun(&self) -> usize {
        self.begun.load(Relaxed)
    }

    /// Where the far side stands, and the number of requests so far.
    pub(super) fn phase(&self) -> (Phase, usize) {
        let begun = self.begun.load(Relaxed);
        let phase = if self.stuck.load(Relaxed) {
            Phase::Stuck(self.writes.load(Relaxed))
        } else if let Some(moves) = self.replies.get().and_then(|unsent| unsent.stands_at()) {
            Phase::Unread(moves)
        } else if self.busy.load(Relaxed) > 0 {
            Phase::Busy
        } else if begun == 0 {
            Phase::First
        } else if self.heard.load(Relaxed) {
            Phase::Head
        } else {
            Phase::Idle
        };
        (phase, begun)
    }

    /// Leaves what the connection is to become.
    pub(super) fn becomes(&self, session: Life) {
        *self.session.lock().unwrap_or_else(PoisonError::into_inner) = Some(session);
    }

    /// Takes what the connection is to become.
    pub(super) fn session(&self) -> Option<Life> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line").field("remote", &self.remote).finish_non_exhaustive()
    }
}

/// Keeps a line busy for as long as a request and its reply take.
#[derive(Debug)]
pub(super) struct Busy(pub(super) Arc<Line>);

impl Busy {
    pub(super) fn new(line: Arc<Line>) -> Self {
        line.begun.fetch_add(1, Relaxed);
        line.busy.fetch_add(1, Relaxed);
        line.heard.store(false, Relaxed);
        Self(line)
    }

    /// Sees a reply off: the line is busy until it has been sent.
    pub(super) fn part(self, mut reply: Reply) -> Reply {
        if self.0.parting.load(Relaxed) {
            // what becomes a WebSocket says something else
            reply.headers_mut().entry(CONNECTION).or_insert(HeaderValue::from_static("close"));
        }
        reply.body_mut().hold(self);
        reply
    }
}

impl Clone for Busy {
    fn clone(&self) -> Self {
        self.0.busy.fetch_add(1, Relaxed);
        Self(self.0.clone())
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.busy.fetch_sub(1, Relaxed);
        self.0.heard.store(false, Relaxed);
    }
}
