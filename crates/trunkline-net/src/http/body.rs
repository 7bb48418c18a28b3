//! Taking the body of a request, up to a limit; and leaving it.

use super::reply::Reply;
use futures_util::FutureExt;
use http::{HeaderMap, Request, header::EXPECT};
use http_body_util::BodyExt;
use hyper::body::{Body, Bytes};
use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
    time::Duration,
};
use tokio::time::timeout;

/// How long the rest of a request is read that has been refused. A connection
/// that is closed with bytes unread is reset, and the refusal may be lost in that.
const LINGER: Duration = Duration::from_secs(1);

/// Why a body was not taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Untaken {
    /// It is over the limit.
    TooLarge,
    /// It did not arrive in time.
    Slow,
    /// The connection or its encoding broke.
    Broken,
}

/// Takes a body whole, without copying it if it arrived so.
pub(super) async fn take<B>(body: &mut B, limit: usize, time: Duration) -> Result<Bytes, Untaken>
where
    B: Body<Data = Bytes> + Unpin,
{
    let mut taking = pin!(collect(body, limit));
    // a timer is only set for what is not there already
    match poll_fn(|cx| Poll::Ready(taking.as_mut().poll(cx))).await {
        Poll::Ready(taken) => taken,
        Poll::Pending => timeout(time, taking).await.unwrap_or(Err(Untaken::Slow)),
    }
}

async fn collect<B>(body: &mut B, limit: usize) -> Result<Bytes, Untaken>
where
    B: Body<Data = Bytes> + Unpin,
{
    let mut whole = Bytes::new();
    let mut pieces: Vec<u8> = Vec::new();
    while !body.is_end_stream() {
        let Some(frame) = body.frame().await else { break };
        let Ok(piece) = frame.map_err(|_| Untaken::Broken)?.into_data() else { continue };
        if piece.len() > limit - pieces.len().max(whole.len()) {
            return Err(Untaken::TooLarge);
        }
        if whole.is_empty() && pieces.is_empty() {
            whole = piece;
        } else {
            pieces.extend_from_slice(&std::mem::take(&mut whole));
            pieces.extend_from_slice(&piece);
        }
    }
    Ok(if pieces.is_empty() { whole } else { pieces.into() })
}

/// Lets the rest of a refused request arrive, for a moment. One that waits for
/// `100 Continue` gets none, and sends nothing.
pub(super) fn leave<B>(mut body: B, headers: &HeaderMap)
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
{
    if body.is_end_stream() || headers.contains_key(EXPECT) {
        return;
    }
    let mut leaving = Box::pin(timeout(LINGER, async move { while let Some(Ok(_)) = body.frame().await {} }));
    if (&mut leaving).now_or_never().is_none() {
        tokio::spawn(leaving);
    }
}

/// Answers a request without looking at its body.
pub(super) fn decline<B>(request: Request<B>, reply: Reply) -> Reply
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
{
    let (head, left) = request.into_parts();
    leave(left, &head.headers);
    reply
}
