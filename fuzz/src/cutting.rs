//! [`cut`]: what a framing makes of a stream that arrives in pieces.

use serde::de::IgnoredAny;
use trunkline_core::{
    Body, Input, Outbox,
    framing::{Cut, Framing},
};

/// One thing that was cut off a stream.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Piece {
    /// A frame.
    Frame {
        /// The channel it came on.
        channel: u8,
        /// Whether it is text for certain.
        text: bool,
        /// Its content.
        body: Vec<u8>,
    },
    /// A frame over the limit, on this channel.
    Oversize(u8),
    /// The position was lost, for this reason.
    Lost(&'static str),
    /// The end, in good order.
    End,
}

/// All that came of a stream.
#[derive(Debug, Eq, PartialEq)]
pub struct Heard {
    /// What was cut off, in order.
    pub pieces: Vec<Piece>,
    /// What the framing answered by itself.
    pub answered: Vec<u8>,
}

impl Heard {
    /// Without the white space round values, which may come with them or go by itself.
    #[must_use]
    pub fn trimmed(mut self) -> Self {
        for piece in &mut self.pieces {
            if let Piece::Frame { body, .. } = piece {
                *body = trim(body).to_vec();
            }
        }
        self
    }

    /// The content of the frames on `channel`.
    pub fn bodies(&self, channel: u8) -> impl Iterator<Item = &[u8]> {
        self.pieces.iter().filter_map(move |piece| match piece {
            Piece::Frame { channel: on, body, .. } if *on == channel => Some(&body[..]),
            _ => None,
        })
    }
}

/// Without the blanks on both sides, as lines know them.
#[must_use]
pub fn trim(mut body: &[u8]) -> &[u8] {
    while let [b' ' | b'\t' | b'\r', rest @ ..] | [rest @ .., b' ' | b'\t' | b'\r'] = body {
        body = rest;
    }
    body
}

/// Feeds `pieces` and then the end of the stream, and has a frame that could be
/// several cut again if it is not one value, as a JSON dialect does.
///
/// # Panics
///
/// Panics if the framing keeps more than `bound` bytes waiting when it can cut
/// no more, finds a frame sooner than it said, or gets nowhere.
pub fn cut<'p>(framing: &mut dyn Framing, pieces: impl IntoIterator<Item = &'p [u8]>, bound: usize) -> Heard {
    let (mut input, mut out) = (Input::default(), Outbox::new(framing.marking()));
    let (mut heard, mut owed) = (Vec::new(), 0_usize);
    'stream: {
        for piece in pieces {
            input.extend(piece);
            owed = owed.saturating_sub(piece.len());
            let mut steps = 0;
            loop {
                steps += 1;
                assert!(steps < 10_000_000, "the framing gets nowhere");
                match framing.cut(&mut input, &mut out) {
                    Ok(Cut::Frame(frame)) => {
                        assert_eq!(owed, 0, "a frame came {owed} bytes sooner than it could");
                        let again = frame.several && !is_one_value(frame.body.as_bytes());
                        match again {
                            true => framing.recut(&mut input),
                            false => heard.push(described(frame.body, frame.channel)),
                        }
                    }
                    Ok(Cut::Partial { missing }) => {
                        owed = missing;
                        break;
                    }
                    Ok(Cut::Oversize { channel, .. }) => heard.push(Piece::Oversize(channel)),
                    Ok(Cut::Handled) => {}
                    Ok(Cut::End) => {
                        heard.push(Piece::End);
                        break 'stream;
                    }
                    Ok(other) => panic!("{other:?}"),
                    Err(lost) => {
                        heard.push(Piece::Lost(lost.reason));
                        framing.goodbye(lost.goodbye, &mut out);
                        break 'stream;
                    }
                }
            }
            assert!(input.len() <= bound, "{} bytes are kept where {bound} should do", input.len());
        }
        for steps in 0.. {
            assert!(steps < 10_000, "the stream does not end");
            match framing.finish(&mut input) {
                Ok(Cut::Frame(frame)) => heard.push(described(frame.body, frame.channel)),
                Ok(Cut::Oversize { channel, .. }) => heard.push(Piece::Oversize(channel)),
                Ok(Cut::End) => {
                    heard.push(Piece::End);
                    break;
                }
                Ok(other) => panic!("at the end: {other:?}"),
                Err(lost) => {
                    heard.push(Piece::Lost(lost.reason));
                    break;
                }
            }
        }
    }
    Heard { pieces: heard, answered: out.into_bytes() }
}

fn described(body: Body<'_>, channel: u8) -> Piece {
    Piece::Frame { channel, text: matches!(body, Body::Text(_)), body: body.as_bytes().to_vec() }
}

/// Whether `body` is one JSON value.
#[must_use]
pub fn is_one_value(body: &[u8]) -> bool {
    std::str::from_utf8(body).is_ok_and(|text| serde_json::from_str::<IgnoredAny>(text).is_ok())
}
