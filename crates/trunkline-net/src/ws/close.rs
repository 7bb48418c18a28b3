//! Close frames: the codes that say why (RFC 6455, section 7.4).

use super::utf8;
use trunkline_core::framing::{Goodbye, Unframed};

/// The text that goes with [`Goodbye::Drained`], by which clients of ours know it: each
/// call that has no answer by then may be made elsewhere.
const DRAINED: &str = "the server shuts down; calls that it has not answered were not run";

/// The code for a reason of ours; none for one that has been told already.
pub(super) fn code(reason: Goodbye) -> Option<u16> {
    Some(match reason {
        Goodbye::Told => return None,
        Goodbye::Done => 1000,
        Goodbye::GoingAway | Goodbye::Drained => 1001,
        Goodbye::ProtocolError => 1002,
        Goodbye::InvalidText => 1007,
        Goodbye::TooLarge => 1009,
        // what the RFC has for when nothing else fits
        _ => 1008,
    })
}

/// The payload of a close frame that says why.
pub(super) fn payload(reason: Goodbye) -> Vec<u8> {
    let text = if reason == Goodbye::Drained { DRAINED } else { "" };
    code(reason).map(u16::to_be_bytes).into_iter().flatten().chain(text.bytes()).collect()
}

/// Whether a far side that has closed with this payload has answered all calls that it has
/// run.
pub(super) fn is_drained(payload: &[u8]) -> bool {
    payload.strip_prefix(&1001_u16.to_be_bytes()).is_some_and(|text| text == DRAINED.as_bytes())
}

/// Whether a close frame may have this payload: nothing, or a code and a text.
pub(super) fn check(payload: &[u8]) -> Result<(), Unframed> {
    let Some((code, text)) = payload.split_first_chunk() else {
        return match payload {
            [] => Ok(()),
            _ => Err(Unframed::broken("a close frame has half a code")),
        };
    };
    // RFC 6455, section 7.4.2, and those registered since: 1012 to 1014
    match u16::from_be_bytes(*code) {
        1000..=1003 | 1007..=1014 | 3000..=4999 => {}
        _ => return Err(Unframed::broken("a close frame has a code that must not be sent")),
    }
    std::str::from_utf8(text).map_err(|_| utf8::INVALID)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_codes_that_may_be_sent_are_taken() {
        for code in [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1014, 3000, 3999, 4000, 4999]
        {
            assert_eq!(check(&u16::to_be_bytes(code)), Ok(()), "{code}");
        }
        for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535] {
            assert!(check(&u16::to_be_bytes(code)).is_err(), "{code}");
        }
    }

    #[test]
    fn the_payload_is_empty_or_a_code_and_text() {
        assert_eq!(check(b""), Ok(()));
        assert_eq!(check(b"\x03\xe8bye \xc3\xbc"), Ok(()));
        assert_eq!(check(b"\x03"), Err(Unframed::broken("a close frame has half a code")));
        assert_eq!(check(b"\x03\xe8\xc3"), Err(utf8::INVALID));
    }

    #[test]
    fn every_code_of_ours_may_be_sent() {
        for reason in [
            Goodbye::Done,
            Goodbye::GoingAway,
            Goodbye::Drained,
            Goodbye::ProtocolError,
            Goodbye::InvalidText,
            Goodbye::TooLarge,
            Goodbye::Refused,
            Goodbye::Told,
        ] {
            assert_eq!(check(&payload(reason)), Ok(()), "{reason:?}");
            assert!(payload(reason).len() <= 125, "{reason:?} fits a control frame");
            assert_eq!(is_drained(&payload(reason)), reason == Goodbye::Drained);
        }
    }
}
