//! [`Framing`]: where one frame ends and the next begins in a stream of bytes.
//!
//! Each framing has two halves, because both directions of a connection run at
//! once: [`Framing`] cuts what comes in, [`Marking`] marks off what goes out.

mod content_length;
mod events;
mod lines;
mod mux;
mod stranger;
mod whole;

pub use self::{content_length::ContentLength, events::Events, lines::Lines, mux::Mux, whole::Whole};

use crate::{frame::Frame, input::Input, outbox::Outbox};

/// Cuts a stream of bytes into frames.
///
/// How the bytes were split on the way means nothing: fed one at a time or all
/// at once, the frames are the same.
pub trait Framing: Send {
    /// Takes the next frame off the front of `input`.
    ///
    /// What the framing answers by itself, such as a pong, goes to `out`, as raw bytes.
    ///
    /// # Errors
    ///
    /// Fails once the position in the stream is lost, so that no later frame can
    /// be told from rubbish.
    fn cut<'b>(&'b mut self, input: &'b mut Input, out: &mut Outbox) -> Result<Cut<'b>, Unframed>;

    /// The stream has ended: takes what stands in `input` for the last frame, if
    /// the framing allows a frame to end so. Called until it answers [`Cut::End`].
    ///
    /// # Errors
    ///
    /// Fails if the stream ended inside a frame.
    fn finish<'b>(&'b mut self, input: &'b mut Input) -> Result<Cut<'b>, Unframed>;

    /// The dialect could not read the last frame as one value, though it stood
    /// alone on its line: gives it back to `input`, to be cut value by value.
    /// Called only for a frame that said [`Frame::several`].
    fn recut(&mut self, _input: &mut Input) {}

    /// Whether a frame is under way of which a part has been taken off the input
    /// already, so that nothing need be waiting there.
    fn is_inside(&self) -> bool {
        false
    }

    /// The half that writes.
    fn marking(&self) -> Box<dyn Marking>;

    /// A sign of life to send to a far side that has been silent, if the framing
    /// has one that is always answered.
    fn ping(&mut self, _out: &mut Outbox) -> bool {
        false
    }

    /// Says goodbye in the framing's own way, as far as it has one.
    fn goodbye(&mut self, _reason: Goodbye, _out: &mut Outbox) {}
}

/// Why a connection is being closed, for framings that can say so.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Goodbye {
    /// All is said.
    Done,
    /// Nobody is to wait here any longer, be it for calls that are broken off.
    GoingAway,
    /// The server is shutting down, and has answered all calls that it has run.
    Drained,
    /// The far side broke the protocol.
    ProtocolError,
    /// Text that is not UTF-8.
    InvalidText,
    /// A message over the limit.
    TooLarge,
    /// For a reason that the dialect has told already.
    Told,
    /// The far side must not be here, or behaved as it must not.
    Refused,
}

/// As many bytes of a frame over the limit as a dialect gets to see, if the limit
/// is not below that: enough to tell what most of them are.
pub const HEAD: usize = 256;

/// Marks frames off in a stream of bytes.
pub trait Marking: Send {
    /// Appends what stands before a frame's content.
    fn open(&mut self, stream: &mut Vec<u8>, channel: u8);

    /// Completes a frame that was opened at `start` and whose content began at `body`.
    fn close(&mut self, stream: &mut Vec<u8>, start: usize, body: usize);

    /// Another one of the same kind, for a second buffer to the same stream.
    fn another(&self) -> Box<dyn Marking>;
}

/// What stood at the front of the stream.
#[derive(Debug)]
#[non_exhaustive]
pub enum Cut<'b> {
    /// A whole frame.
    Frame(Frame<'b>),
    /// Nothing whole yet; `missing` more bytes will be needed at least, if that is known.
    Partial {
        /// How many bytes the frame is known to lack; 0 if that is not known.
        missing: usize,
    },
    /// A frame over the limit, which has been or is being dropped.
    Oversize {
        /// The channel it came on.
        channel: u8,
        /// The limit, in bytes.
        limit: usize,
        /// Its first bytes: [`HEAD`] of them, or more.
        head: &'b [u8],
    },
    /// Something that was the framing's own business: look again.
    Handled,
    /// The far side has said goodbye, or the stream has ended in good order.
    End,
    /// The same, and the far side has run no call that it has not answered.
    Drained,
}

/// The position in the stream is lost: what follows cannot be told from rubbish.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{reason}")]
pub struct Unframed {
    /// What was wrong.
    pub reason: &'static str,
    /// What to say in parting.
    pub goodbye: Goodbye,
}

impl Unframed {
    /// The far side broke the rules of the framing.
    #[must_use]
    pub fn broken(reason: &'static str) -> Self {
        Self { reason, goodbye: Goodbye::ProtocolError }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Feeds `chunks`, then the end of the stream, and lists what was cut.
    pub(crate) fn cut_all(framing: &mut dyn Framing, chunks: &[&[u8]], eof: bool) -> Vec<String> {
        let (mut input, mut out, mut seen) = (Input::default(), Outbox::new(framing.marking()), vec![]);
        for chunk in chunks {
            input.extend(chunk);
            loop {
                match framing.cut(&mut input, &mut out) {
                    Ok(Cut::Partial { .. }) => break,
                    cut => {
                        let stop = cut.is_err();
                        seen.extend(describe(cut));
                        if stop {
                            return seen;
                        }
                    }
                }
            }
        }
        if eof {
            loop {
                let cut = framing.finish(&mut input);
                let stop = matches!(cut, Ok(Cut::End) | Err(_));
                seen.extend(describe(cut));
                if stop {
                    break;
                }
            }
        }
        seen
    }

    fn describe(cut: Result<Cut<'_>, Unframed>) -> Option<String> {
        match cut {
            Ok(Cut::Frame(frame)) => {
                let body = frame.body.as_bytes();
                let text = String::from_utf8(body.trim_ascii().to_vec());
                let text = text.unwrap_or_else(|_| format!("hex {body:02x?}"));
                Some(if frame.channel == 0 { text } else { format!("{}: {text}", frame.channel) })
            }
            Ok(Cut::Oversize { .. }) => Some("<oversize>".into()),
            Err(error) => Some(format!("<{error}>")),
            Ok(_) => None,
        }
    }

    /// The same frames must come out however the bytes are split.
    #[track_caller]
    pub(crate) fn check(make: &dyn Fn() -> Box<dyn Framing>, stream: &[u8], eof: bool, expected: &[&str]) {
        assert_eq!(cut_all(&mut *make(), &[stream], eof), expected, "in one piece");
        let bytes: Vec<&[u8]> = stream.chunks(1).collect();
        assert_eq!(cut_all(&mut *make(), &bytes, eof), expected, "byte by byte");
        for at in 0..stream.len().min(200) {
            let (head, tail) = stream.split_at(at);
            assert_eq!(cut_all(&mut *make(), &[head, tail], eof), expected, "split at {at}");
        }
    }
}
