//! Listeners: what takes connections in.
//!
//! Each kind accepts in its own way; what is the same for all is here: how many
//! connections there may be, what happens when accepting fails, and how it ends.

mod streams;

pub use self::streams::{MakeFraming, StreamListener, Streams};

use crate::{hooks::Hooks, service::Service};
use std::{future::Future, io, sync::Arc, time::Duration};
use tokio::sync::Semaphore;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use trunkline_core::Limits;

/// How long accepting pauses after an error that is not the fault of one
/// connection, such as running out of file descriptors.
const PAUSE: Duration = Duration::from_millis(50);

/// Ends listeners and their connections in good order. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Shutdown {
    begun: CancellationToken,
    tasks: TaskTracker,
}

impl Shutdown {
    /// A shutdown that has not begun.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Waits for the shutdown to begin.
    pub async fn begun(&self) {
        self.begun.cancelled().await;
    }

    /// Whether the shutdown has begun.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.begun.is_cancelled()
    }

    /// Runs a task that the shutdown waits for.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(task);
    }

    /// Shuts down: stops accepting, tells every peer, lets calls under way
    /// finish for as long as `drain_timeout`, then breaks off what is left.
    pub async fn run(&self, service: &Service) {
        self.begun.cancel();
        self.tasks.close();
        for peer in service.peers().all() {
            peer.leave();
        }
        if tokio::time::timeout(service.limits.drain_timeout, self.tasks.wait()).await.is_err() {
            tracing::warn!("connections are still open after the limit `drain_timeout`: breaking them off");
            for peer in service.peers().all() {
                peer.abort();
            }
            // an abort takes one poll of each connection; those that cannot even
            // do that are dropped with the runtime
            let _ = tokio::time::timeout(Duration::from_secs(2), self.tasks.wait()).await;
        }
    }
}

/// Accepts until the shutdown begins, and serves each connection on a task.
pub(crate) async fn accept_all<C, A, F>(
    mut accept: impl FnMut() -> A,
    mut serve: impl FnMut(C) -> F,
    limits: &Limits,
    hooks: &Hooks,
    shutdown: &Shutdown,
) where
    A: Future<Output = io::Result<C>>,
    F: Future<Output = ()> + Send + 'static,
{
    let room = Arc::new(Semaphore::new(limits.max_connections.min(Semaphore::MAX_PERMITS)));
    loop {
        let accepted = tokio::select! {
            () = shutdown.begun() => return,
            accepted = accept() => accepted,
        };
        let connection = match accepted {
            Ok(connection) => connection,
            Err(error) => {
                hooks.error(&error);
                tracing::warn!(%error, "accepting a connection failed");
                if !of_one_connection(&error) {
                    tokio::time::sleep(PAUSE).await;
                }
                continue;
            }
        };
        let Ok(permit) = room.clone().try_acquire_owned() else {
            tracing::warn!(
                limit = limits.max_connections,
                "refused a connection: the limit `max_connections`"
            );
            continue;
        };
        let served = serve(connection);
        shutdown.spawn(async move {
            served.await;
            drop(permit);
        });
    }
}

/// Whether an accept error says only that this one connection is gone already.
fn of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused
    )
}
