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
use futures_util::FutureExt;
use std::{future::Future, io, time::Duration};
use tokio::task::{coop::unconstrained, yield_now};
use trunkline_core::Limits;

/// How long accepting pauses after an error that is not the fault of one
/// connection, such as running out of file descriptors.
const PAUSE: Duration = Duration::from_millis(50);

/// How many connections may wait to be accepted, as tokio asks it of the system.
const BACKLOG: usize = 1024;

/// Accepts until the shutdown begins, and serves each connection on a task. Dropping the
/// future stops accepting: connections that were accepted are served on.
///
/// Those that wait to be accepted when the shutdown begins are served as well: they would be
/// reset, with the requests that they have sent already, and who has sent one could not tell
/// whether it ran.
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
    let mut waiting = None;
    loop {
        let accepted = match &mut waiting {
            None => tokio::select! {
                biased;
                () = shutdown.begun() => {
                    // until it is known who has come
                    yield_now().await;
                    waiting = Some(0..BACKLOG);
                    continue;
                }
                accepted = accept() => accepted,
            },
            Some(left) => match left.next().and_then(|_| unconstrained(accept()).now_or_never()) {
                Some(accepted) => accepted,
                None => return,
            },
        };
        let connection = match accepted {
            Ok(connection) => connection,
            Err(error) => {
                hooks.error(&error);
                tracing::warn!(%error, "accepting a connection failed");
                match of_one_connection(&error) {
                    true => {}
                    false if waiting.is_some() => return,
                    false => tokio::time::sleep(PAUSE).await,
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
    use tokio::net::{TcpListener, TcpStream};

    /// How many are served, of those who may come by `accept` once the shutdown has begun.
    async fn served<C, A>(accept: impl FnMut() -> A) -> usize
    where
        A: Future<Output = io::Result<C>>,
    {
        let (shutdown, served) = (Shutdown::new(), AtomicUsize::new(0));
        shutdown.run(Duration::ZERO).await;
        let serve = |_| {
            served.fetch_add(1, Ordering::Relaxed);
            ready(())
        };
        let (seats, limits) = (Seats::default(), Limits::default());
        accept_all(accept, serve, &seats, &limits, &Hooks::default(), &shutdown).await;
        served.load(Ordering::Relaxed)
    }

    #[tokio::test]
    async fn who_waits_to_be_accepted_when_the_shutdown_begins_is_let_in_and_no_more() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let _waiting =
            [TcpStream::connect(address).await.unwrap(), TcpStream::connect(address).await.unwrap()];
        assert_eq!(served(|| listener.accept()).await, 2);
        // and not whoever comes on and on
        assert_eq!(served(|| ready(Ok(()))).await, BACKLOG);
    }
}
