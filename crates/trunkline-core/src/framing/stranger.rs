//! [`is_stranger`]: browsers are no callers here, whatever page they show.
//!
//! A page may have them send anything to any port, also of this machine: as the body of a
//! POST, or, with the help of the page's own server, in the tickets of TLS. What stands
//! before that, pages cannot choose, and it gives them away: the request line of HTTP (RFC
//! 9112, section 3), or the head of a record of TLS (RFC 8446, section 5.1).

use super::{Goodbye, Unframed};

/// Why a stream ends that begins as one of a browser does.
pub(super) const STRANGER: Unframed =
    Unframed { reason: "something of HTTP or TLS, which are not spoken here", goodbye: Goodbye::Refused };

/// Whether the first line of a stream, or as much as there is of it, is one of a browser: a
/// method in capitals, a blank, and a path or an address; or a handshake. No JSON is.
pub(super) fn is_stranger(line: &[u8]) -> bool {
    let method = line.iter().take_while(|byte| byte.is_ascii_uppercase()).count();
    match &line[method..] {
        [b' ', target @ ..] if method > 0 => {
            matches!(target, [b'/' | b'*', ..]) || target.starts_with(b"http")
        }
        rest => method == 0 && rest.starts_with(&[0x16, 3]),
    }
}
