//! Listeners: what takes connections in.
//!
//! Each kind accepts in its own way; what is the same for all is here: how many
//! connections there may be, what happens when accepting fails, and how it ends.

mod seats;
mod shutdown;
mod streams;
mod unix;

pub(crate) use self::seats::Seats;
pub use self::{
    shutdown::Shutdown,
    streams::{MakeFraming, StreamListener, Streams},
    unix::SocketFile,
};

use crate::hooks::Hooks;
use std::{future::Future, io, time::Duration};
use trunkline_core::Limits;

/// How long accepting pauses after an error that is not the fault of one
/// connection, such as running out of file descriptors.
const PAUSE: Duration = Duration::from_millis(50);

/// Accepts until the shutdown begins, and serves each connection on a task. Dropping the
/// future stops accepting: connections that were accepted are served on.
pub(crate) async fn accept_all<C, A, F>(
    mut accept: impl FnMut() -> A,
    mut serve: impl FnMut(C) -> F,
    seats: &Seats,
    limits: &Limits,
    hooks: &Hooks,
    shutdown: &Shutdown,
) where
    A: Future<Output = io::Result<C>>,
    F: Future<Output = ()> + Send + 'static,
{
    // whom this lets in at the last moment is waited for as well
    let _accepting = shutdown.token();
    loop {
        let accepted = tokio::select! {
            // those who come at the moment of the shutdown are not let in
            biased;
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
        let Some(seat) = seats.take(limits.max_connections) else {
            tracing::warn!(
                limit = limits.max_connections,
                "refused a connection: the limit `max_connections`"
            );
            continue;
        };
        let served = serve(connection);
        shutdown.spawn(async move {
            served.await;
            drop(seat);
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        future::ready,
        sync::atomic::{AtomicUsize, Ordering},
    };

    #[tokio::test]
    async fn nobody_is_let_in_once_the_shutdown_has_begun() {
        let (shutdown, served) = (Shutdown::new(), AtomicUsize::new(0));
        shutdown.run(Duration::ZERO).await;
        let serve = |()| {
            served.fetch_add(1, Ordering::Relaxed);
            ready(())
        };
        // which of two things that are ready comes first is not left to chance
        for _ in 0..64 {
            let (seats, limits) = (Seats::default(), Limits::default());
            accept_all(|| ready(Ok(())), serve, &seats, &limits, &Hooks::default(), &shutdown).await;
        }
        assert_eq!(served.load(Ordering::Relaxed), 0);
    }
}
