//! How hyper is set up, from [`Limits`].

use super::watch::AGES;
use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use trunkline_core::Limits;

/// The least that hyper can be told to buffer.
const LEAST_BUFFER: usize = 8 << 10;
/// Bytes of one HTTP/2 stream that hyper holds until the far side takes them.
const STREAM_BUFFER: usize = 64 << 10;

/// HTTP/1.1. How long things may take is watched elsewhere, and replies are
/// gathered elsewhere.
pub(super) fn http1(limits: &Limits) -> http1::Builder {
    let mut http = http1::Builder::new();
    http.header_read_timeout(None)
        .max_header_size(limits.max_head)
        .max_buf_size(limits.max_head.max(LEAST_BUFFER));
    http
}

/// HTTP/2, WebSocket over it (RFC 8441) included. Against floods of resets,
/// empty frames and the like it has hyper's own limits.
pub(super) fn http2(limits: &Limits) -> http2::Builder<TokioExecutor> {
    let clamp = |limit: usize| u32::try_from(limit).unwrap_or(u32::MAX);
    let mut http = http2::Builder::new(TokioExecutor::new());
    http.timer(TokioTimer::new())
        .enable_connect_protocol()
        .max_concurrent_streams(clamp(limits.max_in_flight))
        .max_header_list_size(clamp(limits.max_head))
        .max_send_buf_size(limits.max_unsent.min(STREAM_BUFFER))
        .keep_alive_interval((limits.idle_timeout / 2).min(AGES))
        .keep_alive_timeout(limits.stall_timeout.min(AGES));
    http
}
