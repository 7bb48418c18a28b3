//! [`Mux`]: several newline-delimited streams over one, as mux-demux-stream does it.

use super::{
    Cut, Framing, Goodbye, Lines, Marking, Unframed,
    lines::{Found, put_on_one_line},
    stranger::STRANGER,
};
use crate::{
    frame::{Body, Frame},
    input::Input,
    outbox::Outbox,
};

/// A frame head: one byte of channel, four of length, most significant first.
const HEAD: usize = 5;

/// Up to eight byte streams over one, each of newline-delimited values.
#[derive(Debug)]
pub struct Mux {
    limit: usize,
    newline: bool,
    channels: Vec<Channel>,
    /// The channel that the last piece went to, while it may hold whole values.
    current: Option<usize>,
}

#[derive(Debug)]
struct Channel {
    input: Input,
    lines: Lines,
}

impl Default for Mux {
    fn default() -> Self {
        Self::with_channels(2)
    }
}

impl Mux {
    /// Takes part in channels 0 to `count` - 1; what comes on others is dropped.
    ///
    /// # Panics
    ///
    /// Panics if `count` is not between 1 and 8: a channel is three bits.
    #[must_use]
    pub fn with_channels(count: u8) -> Self {
        assert!((1..=8).contains(&count), "a mux has 1 to 8 channels, not {count}");
        let channel = || Channel { input: Input::default(), lines: Lines::default() };
        let channels = (0..count).map(|_| channel()).collect();
        Self { limit: 10 << 20, newline: false, channels, current: None }
    }

    /// Refuses pieces and values longer than `limit` bytes. Default 10 MiB.
    #[must_use]
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        for channel in &mut self.channels {
            channel.lines = std::mem::take(&mut channel.lines).limit(limit);
        }
        self
    }

    /// Ends each value that is sent with LF.
    #[must_use]
    pub fn with_newline(mut self) -> Self {
        self.newline = true;
        self
    }

    /// Moves one whole piece from the stream to its channel; how many bytes are
    /// lacking otherwise.
    fn demux(&mut self, input: &mut Input) -> Result<Result<(), usize>, Unframed> {
        let waiting = input.waiting();
        let Some(&[channel, a, b, c, d]) = waiting.first_chunk::<HEAD>() else {
            return Ok(Err(HEAD - waiting.len()));
        };
        let len = u32::from_be_bytes([a, b, c, d]) as usize;
        if len > self.limit {
            return Err(Unframed {
                reason: "a mux frame over the message limit",
                goodbye: Goodbye::TooLarge,
            });
        }
        let whole = HEAD + len;
        if waiting.len() < whole {
            return Ok(Err(whole - waiting.len()));
        }
        let piece = &input.consume(whole)[HEAD..];
        if let Some(channel_of) = self.channels.get_mut(usize::from(channel)) {
            channel_of.input.extend(piece);
            self.current = Some(usize::from(channel));
        }
        Ok(Ok(()))
    }
}

impl Framing for Mux {
    #[expect(clippy::cast_possible_truncation, reason = "there are at most eight channels")]
    fn cut<'b>(&'b mut self, input: &'b mut Input, _out: &mut Outbox) -> Result<Cut<'b>, Unframed> {
        loop {
            if let Some(at) = self.current {
                let channel = &mut self.channels[at];
                match channel.lines.find(&mut channel.input) {
                    Found::Value { len, delimiter, several } => {
                        let Channel { input, lines } = &mut self.channels[at];
                        let body = Body::Binary(lines.take(input, len, delimiter));
                        let delimited = lines.delimited();
                        return Ok(Cut::Frame(Frame { body, channel: at as u8, delimited, several }));
                    }
                    Found::Oversize { len } => {
                        let Channel { input, lines } = &mut self.channels[at];
                        let head = lines.forget(input, len);
                        return Ok(Cut::Oversize { channel: at as u8, limit: self.limit, head });
                    }
                    Found::Stranger => return Err(STRANGER),
                    Found::Partial => self.current = None,
                }
            }
            if let Err(missing) = self.demux(input)? {
                return Ok(Cut::Partial { missing });
            }
        }
    }

    fn finish<'b>(&'b mut self, input: &'b mut Input) -> Result<Cut<'b>, Unframed> {
        match input.is_empty() {
            true => Ok(Cut::End),
            false => Err(Unframed::broken("truncated frame")),
        }
    }

    fn recut(&mut self, _input: &mut Input) {
        if let Some(at) = self.current {
            let Channel { input, lines } = &mut self.channels[at];
            lines.recut(input);
        }
    }

    fn is_inside(&self) -> bool {
        self.channels.iter().any(|channel| !channel.input.is_empty())
    }

    fn marking(&self) -> Box<dyn Marking> {
        Box::new(MuxMarking { newline: self.newline })
    }
}

#[derive(Debug)]
struct MuxMarking {
    newline: bool,
}

impl Marking for MuxMarking {
    fn open(&mut self, stream: &mut Vec<u8>, channel: u8) {
        stream.extend_from_slice(&[channel, 0, 0, 0, 0]);
    }

    fn close(&mut self, stream: &mut Vec<u8>, start: usize, body: usize) {
        put_on_one_line(&mut stream[body..]);
        if self.newline {
            stream.push(b'\n');
        }
        // replies are bounded far below 4 GiB
        let length = u32::try_from(stream.len() - body).unwrap_or(u32::MAX);
        stream[start + 1..body].copy_from_slice(&length.to_be_bytes());
    }

    fn another(&self) -> Box<dyn Marking> {
        Box::new(Self { newline: self.newline })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::framing::tests::{check, cut_all};

    fn mux() -> Box<dyn Framing> {
        Box::new(Mux::default().limit(64))
    }

    #[test]
    fn values_may_span_pieces_and_share_them() {
        let stream = b"\x00\0\0\0\x01{\x01\0\0\0\x04[1]\n\x00\0\0\0\0\x00\0\0\0\x06}\n[2]\n";
        check(&mux, stream, true, &["1: [1]", "{}", "[2]"]);
    }

    #[test]
    fn a_value_with_line_feeds_is_sent_on_one_line() {
        for framing in [Mux::default(), Mux::default().with_newline()] {
            let mut out = Outbox::new(framing.marking());
            out.frame(1, |into| into.extend_from_slice(b"[1,\n2]"));
            check(&mux, out.bytes(), true, &["1: [1, 2]"]);
        }
    }

    #[test]
    fn a_channel_that_is_not_in_use_is_dropped() {
        check(&mux, b"\x09\0\0\0\x02{}\x00\0\0\0\x02[]", true, &["[]"]);
    }

    #[test]
    fn an_absurd_length_ends_it_before_anything_is_kept() {
        let seen = cut_all(&mut *mux(), &[b"\x00\xff\xff\xff\xff"], false);
        assert_eq!(seen, ["<a mux frame over the message limit>"]);
    }

    #[test]
    fn no_byte_of_a_piece_is_searched_again_for_each_value_in_it() {
        let (mut mux, mut input) = (Mux::default(), Input::default());
        let mut out = Outbox::new(mux.marking());
        let piece = [&br#"{"jsonrpc":"2.0","method":"n"}"#.repeat(1000)[..], b"\n"].concat();
        for _ in 0..2 {
            input.extend(&[&[0], &u32::try_from(piece.len()).unwrap().to_be_bytes()[..], &piece].concat());
            let mut values = 0;
            loop {
                match mux.cut(&mut input, &mut out).unwrap() {
                    Cut::Frame(frame) if frame.several => mux.recut(&mut input),
                    Cut::Frame(_) => values += 1,
                    _ => break,
                }
            }
            assert_eq!(values, 1000);
        }
        let searched = mux.channels[0].lines.work();
        assert!(searched <= 4 * piece.len(), "{searched} bytes searched in two pieces of {}", piece.len());
    }

    #[test]
    fn the_end_inside_a_piece_is_an_error() {
        check(&mux, b"\x00\0\0\0\x09{}", true, &["<truncated frame>"]);
    }
}
