//! How nodes tell each other which calls are given up.

use bytes::Bytes;
use std::time::Duration;
use trunkline_core::Key;

/// What stands before the key of a procedure in the topic that those hear who serve it.
pub(super) const TOPIC: &str = "cancel ";

/// The topic of a procedure.
pub(super) fn topic(key: &Key<'_>) -> String {
    format!("{TOPIC}{key}")
}

/// Says that a call is given up that would have had so much time still.
pub(super) fn write(id: &str, left: Duration) -> Bytes {
    format!("{id} {}", left.as_millis()).into()
}

/// Reads that; `None` if it is something else.
pub(super) fn read(body: &[u8]) -> Option<(&str, Duration)> {
    let (id, left) = std::str::from_utf8(body).ok()?.rsplit_once(' ')?;
    let left = left.parse().map_or(Duration::MAX, Duration::from_millis);
    Some((id, left))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_read_and_nothing_else() {
        assert_eq!(read(&write("7", Duration::from_secs(2))), Some(("7", Duration::from_secs(2))));
        assert_eq!(read(&write("a b", Duration::MAX)), Some(("a b", Duration::MAX)));
        for body in [&b""[..], b"7", b"\xff 1"] {
            assert_eq!(read(body), None);
        }
    }
}
