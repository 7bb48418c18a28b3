//! Taking the body of a request, up to a limit; and leaving it.

use super::reply::Reply;
use futures_util::FutureExt;
use http::{HeaderMap, Request, header::EXPECT};
use http_body_util::BodyExt;
use hyper::body::{Body, Bytes};
use std::time::Duration;
use tokio::time::timeout;
use trunkline_core::Limits;

/// How long the rest of a request is read that has been refused. A connection
/// that is closed with bytes unread is reset, and the refusal may be lost in that.
const LINGER: Duration = Duration::from_secs(1);

/// Why a body was not taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Untaken {
    /// It would be over the limit, and has not been looked at.
    Announced,
    /// It is over the limit.
    TooLarge,
    /// It did not arrive in time.
    Slow,
    /// The connection or its encoding broke.
    Broken,
    /// It is compressed in a way that is not taken.
    Encoded,
}

/// Takes a body whole, without copying it if it arrived so. One that announces
/// itself to be over the limit is not read at all.
pub(super) async fn take<B>(body: &mut B, limits: &Limits) -> Result<Bytes, Untaken>
where
    B: Body<Data = Bytes> + Unpin,
{
    if body.size_hint().lower() > limits.max_message as u64 {
        return Err(Untaken::Announced);
    }
    // nearly all that comes is there already, so the rest may be far from here
    let first = match body.frame().now_or_never() {
        Some(Some(Ok(frame))) => frame.into_data().unwrap_or_default(),
        Some(Some(Err(_))) => return Err(Untaken::Broken),
        Some(None) | None => Bytes::new(),
    };
    if first.len() > limits.max_message {
        return Err(Untaken::TooLarge);
    }
    if body.is_end_stream() {
        return Ok(first);
    }
    let rest = timeout(limits.message_timeout, collect(first, body, limits.max_message));
    Box::pin(rest).await.unwrap_or(Err(Untaken::Slow))
}

async fn collect<B>(first: Bytes, body: &mut B, limit: usize) -> Result<Bytes, Untaken>
where
    B: Body<Data = Bytes> + Unpin,
{
    let mut whole = first;
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

/// Whether the client sends no body before it is told to go on.
pub(super) fn waits(headers: &HeaderMap) -> bool {
    headers.contains_key(EXPECT)
}

/// Lets the rest of a refused request arrive, for a moment, unless its client
/// waits to be told to go on.
pub(super) fn leave<B>(mut body: B, waits: bool)
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
{
    if waits || body.is_end_stream() {
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
    let waits = waits(request.headers());
    leave(request.into_body(), waits);
    reply
}
