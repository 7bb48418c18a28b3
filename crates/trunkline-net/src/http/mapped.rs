//! The statuses of the old draft of JSON-RPC over HTTP.

use http::StatusCode;
use serde::Deserialize;

/// The status that the draft has for a single reply; batches are answered with 200.
pub(super) fn status(reply: &[u8]) -> StatusCode {
    #[derive(Deserialize)]
    struct Reply {
        error: Option<Error>,
    }
    #[derive(Deserialize)]
    struct Error {
        code: i64,
    }
    // an array would be read as a struct by position
    let reply = reply.starts_with(b"{").then(|| serde_json::from_slice::<Reply>(reply).ok()).flatten();
    match reply.and_then(|reply| reply.error) {
        Some(Error { code: -32600 }) => StatusCode::BAD_REQUEST,
        Some(Error { code: -32601 }) => StatusCode::NOT_FOUND,
        Some(Error { code: -32700 | -32602 | -32603 | -32099..=-32000 }) => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::OK,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_has_its_status() {
        for (code, status_of) in [
            (-32600, 400),
            (-32601, 404),
            (-32700, 500),
            (-32602, 500),
            (-32603, 500),
            (-32000, 500),
            (-32099, 500),
            (-32100, 200),
            (4001, 200),
        ] {
            let reply = format!(r#"{{"jsonrpc":"2.0","id":1,"error":{{"code":{code},"message":"no"}}}}"#);
            assert_eq!(status(reply.as_bytes()), status_of, "{code}");
            assert_eq!(status(format!("[{reply}]").as_bytes()), 200, "a batch");
        }
        assert_eq!(status(br#"{"jsonrpc":"2.0","id":1,"result":{"error":{"code":-32600}}}"#), 200);
    }
}
