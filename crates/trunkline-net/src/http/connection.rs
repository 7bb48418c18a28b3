//! The life of one HTTP connection: its version, its requests, and its end.

use super::{
    line::{Busy, Line},
    reply::Reply,
    session::Life,
    site::Site,
    unsent::Unsent,
    watch::{LAST_CALL, after, watch},
    wire::{Socket, Wire},
};
#[cfg(feature = "tls")]
use crate::tls::secure;
use futures_util::FutureExt;
use hyper::{
    Request,
    body::Incoming,
    service::{Service, service_fn},
};
use hyper_util::rt::TokioIo;
use std::{convert::Infallible, future::Future, pin::Pin, sync::Arc, time::Duration};
use tokio::{
    net::TcpStream,
    time::{Instant, sleep, timeout_at},
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
async fn speak(stream: TcpStream, line: Arc<Line>, since: Instant) -> Option<Life> {
    let site = line.site.clone();
    #[cfg(feature = "tls")]
    let mut socket = match &site.plan.tls {
        Some(tls) => Socket::Tls(Box::new(
            secure(tls, stream, line.remote, &site.limits, &site.hooks, &site.shutdown).await?,
        )),
        None => Socket::Bare(stream),
    };
    #[cfg(not(feature = "tls"))]
    let mut socket = Socket::Bare(stream);
    let last_call = LAST_CALL.min(site.limits.drain_timeout / 2);
    let (http2, arrived) = match socket.agreed() {
        Some(http2) => (http2, Vec::new()),
        None => tokio::select! {
            sniffed = timeout_at(after(since, site.limits.handshake_timeout), socket.sniff()) => sniffed.ok()?.ok()?,
            () = site.shutdown.begun().then(|()| sleep(last_call)) => return None,
        },
    };
    let io = TokioIo::new(Wire::new(socket, arrived, line.clone(), http2));
    let ended = if http2 {
        let unsent = line.replies.get_or_init(|| Unsent::new(site.limits.max_unsent)).clone();
        let connection = site.http2.serve_connection(io, Streams { line: line.clone(), unsent });
        // whoever has sent one just then is told that it has not been taken
        let last_call = Duration::ZERO;
        watch(connection, |connection| connection.graceful_shutdown(), &line, since, last_call).await
    } else {
        let here = line.clone();
        let answer = move |request| Site::respond(request, Busy::new(here.clone())).map(Ok::<_, Infallible>);
        let connection = site.http1.serve_connection(io, service_fn(answer)).with_upgrades();
        watch(connection, |connection| connection.graceful_shutdown(), &line, since, last_call).await
    };
    if let Some(Err(error)) = ended {
        tracing::debug!(%error, remote = %line.remote, "an HTTP connection broke");
    }
    line.session()
}

/// Answers the streams of an HTTP/2 connection, each on a task of its own, while
/// there is room for what comes of it.
struct Streams {
    line: Arc<Line>,
    unsent: Arc<Unsent>,
}

impl Service<Request<Incoming>> for Streams {
    type Response = Reply;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Reply, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let (answer, unsent) = (Site::respond(request, Busy::new(self.line.clone())), self.unsent.clone());
        Box::pin(async move { Ok(unsent.pace(answer).await) })
    }
}
