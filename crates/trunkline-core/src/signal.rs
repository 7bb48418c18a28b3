//! [`Signal`]: one thing said on a connection, in no language in particular.

use crate::{
    about::About,
    fault::Fault,
    payload::{CowPayload, Payload},
};
use std::{borrow::Cow, fmt};

/// One thing the far side said.
#[derive(Debug)]
#[non_exhaustive]
pub enum Signal<'f> {
    /// Run a procedure and answer.
    Call {
        /// The caller's name for this call.
        id: CallId<'f>,
        /// The procedure to run.
        procedure: Cow<'f, str>,
        /// Its arguments, if any were given.
        args: Option<CowPayload<'f>>,
        /// What else is said of it, if anything.
        about: Option<Box<About>>,
    },
    /// Run a procedure; no answer is wanted.
    Notify {
        /// The procedure to run.
        procedure: Cow<'f, str>,
        /// Its arguments, if any were given.
        args: Option<CowPayload<'f>>,
        /// What else is said of it, if anything.
        about: Option<Box<About>>,
    },
    /// The caller gives up on one of its calls.
    Cancel {
        /// The call, in the spelling in which it was made.
        id: CallId<'f>,
    },
    /// The answer to a call of ours.
    Reply {
        /// Our number of that call.
        id: u64,
        /// What came of it.
        outcome: Result<Payload<'f>, Fault>,
    },
    /// The far side has room for more items of a stream. One that it says nothing
    /// of takes items as they come.
    Credit {
        /// Which stream.
        of: Credited<'f>,
        /// For how much.
        credit: Credit,
    },
    /// Items of a stream that this side listens to were left out, because it did
    /// not take them in time.
    Missed {
        /// Which stream, as the far side spelled it when it was opened.
        stream: &'f str,
        /// How many items.
        items: u64,
    },
    /// The stream that the far side sends with a call of its own goes on.
    Feed {
        /// The call, in the spelling in which it was made.
        call: &'f str,
        /// Its next item, or none as it has ended; or why it breaks off.
        outcome: Result<Option<Payload<'f>>, Fault>,
    },
    /// The far side has taken items of the stream that we send with a call, and has room
    /// for as many more, besides the [first](crate::feed::WINDOW).
    Wants {
        /// Our number of the call.
        id: u64,
        /// For how many more; `None` if it will look at none any more.
        items: Option<u64>,
    },
    /// A stream that this side listens to goes on.
    Item {
        /// Which stream, as the far side spelled it when it was opened.
        stream: &'f str,
        /// Its next item, or none as it has ended; or why it breaks off.
        outcome: Result<Option<Payload<'f>>, Fault>,
    },
    /// The frame is not one value, and [may be several](crate::Frame::several):
    /// it is to be cut again.
    Several,
    /// An answer to a batch of ours is lost, which was over the limit. It began
    /// with the answer to call `id`.
    BatchLost {
        /// Our number of that call.
        id: u64,
        /// What their callers are told.
        fault: Fault,
    },
    /// The far side has been told why it must leave: nothing more of it is heard, and
    /// what it has called is given up.
    Leave,
    /// The far side refuses a whole message of ours without saying which. It is
    /// none with which it was answered: it has not been answered yet.
    Refused(Fault),
    /// The far side complains of something that cannot be matched to a call.
    Complaint(Fault),
}

/// Room for items of a stream.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "made by dialects")]
pub struct Credit {
    /// How many items there is room for, besides those for which there was.
    pub items: u64,
    /// How many bytes of items there is room for, besides those for which there was:
    /// the last item may go beyond. `u64::MAX` where nobody counts them.
    pub bytes: u64,
    /// Items may come together, in frames of up to so many bytes; 0 if each is to
    /// have a frame of its own. It is said before the stream is open, or never.
    pub together: usize,
}

/// A stream, as its caller knows it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "before it is open, and after")]
pub enum Credited<'a> {
    /// The one that this call, which is to come, will open.
    Call(&'a str),
    /// The one of this number.
    Stream(u64),
}

/// The caller's name for one of its calls.
///
/// Opaque to all but the dialect: `spelling` is what is echoed in the reply, and
/// `tag` is a number in which a dialect keeps what else it must know, such as
/// the batch a call came in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CallId<'a> {
    /// As the caller wrote it.
    pub spelling: &'a str,
    /// Private to the dialect.
    pub tag: u64,
}

impl CallId<'_> {
    /// Copies the id, so that it can outlive its frame.
    #[must_use]
    pub fn keep(&self) -> OwnedCallId {
        OwnedCallId { spelling: Spelling::new(self.spelling), tag: self.tag }
    }
}

/// A [`CallId`] that outlives the frame it came in. Ids of up to 22 bytes,
/// which is to say nearly all, take no allocation.
#[derive(Clone)]
pub struct OwnedCallId {
    spelling: Spelling,
    tag: u64,
}

impl OwnedCallId {
    /// The id as the dialect knows it.
    #[must_use]
    pub fn borrow(&self) -> CallId<'_> {
        CallId { spelling: self.spelling.as_str(), tag: self.tag }
    }
}

impl fmt::Debug for OwnedCallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.borrow().fmt(f)
    }
}

const INLINE: usize = 22;

#[derive(Clone)]
enum Spelling {
    Inline(u8, [u8; INLINE]),
    Boxed(Box<str>),
}

impl Spelling {
    fn new(text: &str) -> Self {
        let mut bytes = [0; INLINE];
        match (bytes.get_mut(..text.len()), u8::try_from(text.len())) {
            (Some(head), Ok(len)) => {
                head.copy_from_slice(text.as_bytes());
                Self::Inline(len, bytes)
            }
            _ => Self::Boxed(text.into()),
        }
    }

    fn as_str(&self) -> &str {
        match self {
            // the bytes were copied from a str of exactly this length
            Self::Inline(len, bytes) => std::str::from_utf8(&bytes[..usize::from(*len)]).unwrap_or_default(),
            Self::Boxed(text) => text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_any_length_survive_being_kept() {
        for spelling in
            ["", "1", "\"ünïcödé\"", "1234567890123456789012", "12345678901234567890123", &"9".repeat(400)]
        {
            let id = CallId { spelling, tag: 7 };
            assert_eq!(id.keep().borrow(), id);
        }
    }
}
