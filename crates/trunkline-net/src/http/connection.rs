//! The life of one HTTP connection: its version, its requests, and its end.

use super::{
    line::{Busy, Line},
    session::Session,
    site::Site,
    watch::{after, watch},
    wire::{Socket, Wire},
};
#[cfg(feature = "tls")]
use crate::tls::secure;
use hyper::{Request, body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use std::{convert::Infallible, sync::Arc};
use tokio::{
    net::TcpStream,
    time::{Instant, timeout_at},
};

/// Serves a connection until it ends, also as what it may have become.
pub(super) async fn serve(stream: TcpStream, line: Arc<Line>, since: Instant) {
    // in a box, so that a WebSocket does not carry along what HTTP needed
    let session = Box::pin(speak(stream, line, since)).await;
    if let Some(session) = session {
        session.await;
    }
}

/// Speaks HTTP, and gives what the connection is to become after it.
async fn speak(stream: TcpStream, line: Arc<Line>, since: Instant) -> Option<Session> {
    let site = line.site.clone();
    #[cfg(feature = "tls")]
    let mut socket = match &site.plan.tls {
        Some(tls) => {
            let operator = (&*site.limits, &site.hooks);
            Socket::Tls(Box::new(secure(tls, stream, line.remote, operator, &site.shutdown).await?))
        }
        None => Socket::Bare(stream),
    };
    #[cfg(not(feature = "tls"))]
    let mut socket = Socket::Bare(stream);
    let (http2, arrived) = match socket.agreed() {
        Some(http2) => (http2, Vec::new()),
        None => tokio::select! {
            sniffed = timeout_at(after(since, site.limits.handshake_timeout), socket.sniff()) => sniffed.ok()?.ok()?,
            () = site.shutdown.begun() => return None,
        },
    };
    let io = TokioIo::new(Wire::new(socket, arrived, line.clone(), http2));
    let service = service_fn({
        let line = line.clone();
        move |request: Request<Incoming>| {
            let answer = Site::respond(request, Busy::new(line.clone()));
            async move { Ok::<_, Infallible>(answer.await) }
        }
    });
    let ended = if http2 {
        let connection = site.http2.serve_connection(io, service);
        watch(connection, |connection| connection.graceful_shutdown(), &line, since).await
    } else {
        let connection = site.http1.serve_connection(io, service).with_upgrades();
        watch(connection, |connection| connection.graceful_shutdown(), &line, since).await
    };
    if let Some(Err(error)) = ended {
        tracing::debug!(%error, remote = %line.remote, "an HTTP connection broke");
    }
    line.session()
}
