//! [`Claims`]: what the headers of a request say of it.

use super::{events, request_id};
use http::{
    HeaderMap,
    header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE, ORIGIN},
};

/// The media types of JSON-RPC. A browser lets a page send none of them to
/// another origin without asking there first.
const TYPES: [&[u8]; 3] = [b"application/json", b"application/json-rpc", b"application/jsonrequest"];

/// What the headers of a request say of it, as far as it decides who answers it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Claims {
    /// It comes from a page in a browser.
    pub(super) page: bool,
    /// Its body has a type, which is JSON or not.
    pub(super) json: Option<bool>,
    /// Its body is compressed, or otherwise not what it is.
    pub(super) encoded: bool,
    /// It asks for the answers as server-sent events.
    pub(super) events: bool,
    /// Its caller has given it a name.
    pub(super) named: bool,
}

impl Claims {
    /// Reads all of them in one pass, as looking each up costs every call more.
    #[inline]
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let mut claims = Self::default();
        for (name, value) in headers {
            if name == ORIGIN {
                claims.page = true;
            } else if name == CONTENT_TYPE {
                claims.json.get_or_insert_with(|| is_json(value.as_bytes()));
            } else if name == CONTENT_ENCODING {
                claims.encoded |= !is_identity(value.as_bytes());
            } else if name == ACCEPT {
                claims.events |= wants_events(value.as_bytes());
            } else if name == request_id::NAME {
                claims.named = true;
            }
        }
        claims
    }
}

/// Whether a type is JSON, whatever its parameters say.
fn is_json(value: &[u8]) -> bool {
    if value == TYPES[0] {
        return true;
    }
    let media_type = value.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    TYPES.iter().any(|known| media_type.eq_ignore_ascii_case(known))
}

/// Whether events are what is asked for, and not just taken as well: clients of
/// MCP, for one, accept both and expect the answer.
fn wants_events(accepted: &[u8]) -> bool {
    let media_type = accepted.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    media_type.eq_ignore_ascii_case(events::MEDIA_TYPE)
}

/// Whether an encoding is none.
fn is_identity(coding: &[u8]) -> bool {
    coding.is_empty() || coding.eq_ignore_ascii_case(b"identity")
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn claims(lines: &[(&'static str, &'static str)]) -> Claims {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, HeaderValue::from_static(value));
        }
        Claims::of(&headers)
    }

    #[test]
    fn the_first_type_counts() {
        let (json, words) =
            (("content-type", "Application/JSON; charset=utf-8"), ("content-type", "text/plain"));
        assert_eq!(claims(&[]).json, None);
        assert_eq!(claims(&[json, words]).json, Some(true));
        assert_eq!(claims(&[words, json]).json, Some(false));
    }

    #[test]
    fn events_are_what_is_asked_for_or_not() {
        for (accepted, events) in [
            ("text/event-stream", true),
            ("Text/Event-Stream; charset=utf-8", true),
            ("*/*", false),
            ("application/json, text/event-stream", false),
        ] {
            assert_eq!(claims(&[("accept", accepted)]).events, events, "{accepted}");
        }
    }

    #[test]
    fn one_encoding_is_enough() {
        let (none, gzip) = (("content-encoding", "Identity"), ("content-encoding", "gzip"));
        assert!(!claims(&[none, none]).encoded);
        assert!(claims(&[none, gzip]).encoded);
    }
}
