//! Frames of AMQP 0-9-1, as they are written and read.
//!
//! The codec is that of `amq-protocol`; only what is written for each message, and bodies,
//! are written here, straight into the buffer that goes to the socket, and what comes with a
//! message is [read](reading) here.

use super::reading::{self, Announced, Header};
use amq_protocol::{
    frame::{AMQPFrame, WriteContext, gen_frame, parse_frame},
    protocol::{AMQPClass, constants},
};
use bytes::{Buf, BufMut, Bytes, BytesMut};

/// The channel on which all is said, and requests are heard.
pub(super) const CHANNEL: u16 = 1;

/// The channel on which answers and events are heard: RabbitMQ holds back whatever is
/// consumed on the channel of a node that has its fill of requests.
pub(super) const REPLIES: u16 = 2;

/// The channel on which procedures are set up: RabbitMQ closes the channel on which it
/// refuses something.
pub(super) const SET_UP: u16 = 3;

/// How many channels that are.
pub(super) const CHANNELS: u16 = SET_UP;

/// What a frame has besides its payload.
const HEAD: usize = 7;
const END: usize = 1;

/// How `connection.start` begins, of which nothing else is of interest.
const START: [u8; 4] = [0, 10, 0, 10];

/// What has been read.
pub(super) enum Frame {
    /// The first thing that a broker says.
    Start,
    Method(u16, AMQPClass),
    Message(u16, Announced),
    Header(u16, Header),
    Body(u16, Bytes),
    Heartbeat,
}

/// Bytes that are no AMQP.
#[derive(Debug, Eq, PartialEq, thiserror::Error)]
#[error("what it says is no AMQP 0-9-1")]
pub(super) struct Unreadable;

/// Takes the first frame, if all of it is there.
pub(super) fn read(input: &mut BytesMut, frame_max: usize) -> Result<Option<Frame>, Unreadable> {
    let Some(head) = input.first_chunk::<HEAD>() else { return Ok(None) };
    let (kind, channel) = (head[0], u16::from_be_bytes([head[1], head[2]]));
    let size = u32::from_be_bytes([head[3], head[4], head[5], head[6]]) as usize;
    if size > frame_max - HEAD - END {
        return Err(Unreadable);
    }
    if input.len() < HEAD + size + END {
        return Ok(None);
    }
    let mut frame = input.split_to(HEAD + size + END);
    if frame[HEAD + size] != constants::FRAME_END {
        return Err(Unreadable);
    }
    let payload = &frame[HEAD..HEAD + size];
    match kind {
        constants::FRAME_BODY => {
            frame.advance(HEAD);
            frame.truncate(size);
            return Ok(Some(Frame::Body(channel, frame.freeze())));
        }
        constants::FRAME_HEADER => return Ok(Some(Frame::Header(channel, reading::header(payload)?))),
        constants::FRAME_METHOD if payload.starts_with(&START) => return Ok(Some(Frame::Start)),
        constants::FRAME_METHOD if reading::may_be_nested(payload) => return Err(Unreadable),
        constants::FRAME_METHOD => {
            if let Some(announced) = reading::announced(payload)? {
                return Ok(Some(Frame::Message(channel, announced)));
            }
        }
        _ => {}
    }
    match parse_frame(&frame[..]) {
        Ok((_, AMQPFrame::Method(channel, method))) => Ok(Some(Frame::Method(channel, method))),
        Ok((_, AMQPFrame::Heartbeat)) => Ok(Some(Frame::Heartbeat)),
        _ => Err(Unreadable),
    }
}

/// A message, as AMQP knows it. No text of it has more than 255 bytes.
pub(super) struct Message<'a> {
    pub(super) exchange: &'a str,
    pub(super) routing_key: &'a [&'a str],
    /// It comes back if nobody gets it.
    pub(super) mandatory: bool,
    pub(super) correlation_id: Option<&'a str>,
    /// Its sender wants an answer.
    pub(super) wants_answer: bool,
    /// In milliseconds.
    pub(super) expiration: Option<u32>,
    pub(super) message_id: Option<&'a str>,
    pub(super) kind: &'a str,
    pub(super) app_id: &'a str,
    pub(super) body: &'a [u8],
}

impl Message<'_> {
    /// Writes `basic.publish` and what goes with it. Answers go to `reply_to`.
    pub(super) fn write(&self, reply_to: &str, out: &mut BytesMut, frame_max: usize) {
        out.reserve(self.body.len() + 512);
        frame(out, constants::FRAME_METHOD, CHANNEL, |out| {
            [60, 40, 0].into_iter().for_each(|short| out.put_u16(short));
            text(out, &[self.exchange]);
            text(out, self.routing_key);
            out.put_u8(self.mandatory.into());
        });
        frame(out, constants::FRAME_HEADER, CHANNEL, |out| {
            [60, 0].into_iter().for_each(|short| out.put_u16(short));
            out.put_u64(self.body.len() as u64);
            self.properties(reply_to, out);
        });
        for part in self.body.chunks(frame_max - HEAD - END) {
            frame(out, constants::FRAME_BODY, CHANNEL, |out| out.put_slice(part));
        }
    }

    fn properties(&self, reply_to: &str, out: &mut BytesMut) {
        let expiration = self.expiration.map(|millis| millis.to_string());
        // each with the flag that says that it is there, in the order of the flags
        let properties = [
            (1 << 10, self.correlation_id),
            (1 << 9, self.wants_answer.then_some(reply_to)),
            (1 << 8, expiration.as_deref()),
            (1 << 7, self.message_id),
            (1 << 5, Some(self.kind)),
            (1 << 3, Some(self.app_id)),
        ];
        let there = properties.into_iter().filter_map(|(flag, value)| Some((flag, value?)));
        out.put_u16(there.clone().map(|(flag, _)| flag).sum());
        there.for_each(|(_, value)| text(out, &[value]));
    }
}

/// Writes `basic.ack`, also of all that were delivered before if it is for `multiple`.
pub(super) fn ack(out: &mut BytesMut, tag: u64, multiple: bool) {
    frame(out, constants::FRAME_METHOD, CHANNEL, |out| {
        [60, 80].into_iter().for_each(|short| out.put_u16(short));
        out.put_u64(tag);
        out.put_u8(multiple.into());
    });
}

/// Writes any other method.
pub(super) fn method(out: &mut BytesMut, channel: u16, method: AMQPClass) {
    written(out, &AMQPFrame::Method(channel, method));
}

pub(super) fn heartbeat(out: &mut BytesMut) {
    written(out, &AMQPFrame::Heartbeat);
}

/// Writes what every connection begins with.
pub(super) fn protocol_header(out: &mut BytesMut) {
    out.put_slice(b"AMQP\0\0\x09\x01");
}

fn written(out: &mut BytesMut, frame: &AMQPFrame) {
    // writing to a vector cannot fail
    if let Ok(context) = gen_frame(frame)(WriteContext::from(Vec::new())) {
        out.put_slice(&context.into_inner().0);
    }
}

/// Writes a frame of what `payload` writes.
fn frame(out: &mut BytesMut, kind: u8, channel: u16, payload: impl FnOnce(&mut BytesMut)) {
    out.put_u8(kind);
    out.put_u16(channel);
    let size_at = out.len();
    out.put_u32(0);
    payload(out);
    let size = out.len() - size_at - size_of::<u32>();
    // no frame is larger than the broker allows, which it says in a number of this size
    let size = u32::try_from(size).unwrap_or(u32::MAX);
    out[size_at..size_at + size_of::<u32>()].copy_from_slice(&size.to_be_bytes());
    out.put_u8(constants::FRAME_END);
}

/// Writes a short string, made of parts. What is over 255 bytes is cut off: that is for
/// those to avoid who send.
fn text(out: &mut BytesMut, parts: &[&str]) {
    let length_at = out.len();
    out.put_u8(0);
    let mut room = u8::MAX;
    for part in parts {
        let taken = part.len().min(room.into());
        out.put_slice(&part.as_bytes()[..taken]);
        room -= u8::try_from(taken).unwrap_or(room);
    }
    out[length_at] = u8::MAX - room;
}

#[cfg(test)]
mod tests {
    use super::*;
    use amq_protocol::{
        frame::AMQPContentHeader,
        protocol::{BasicProperties, basic},
    };

    fn parsed(bytes: &[u8]) -> Vec<AMQPFrame> {
        let (mut rest, mut frames) = (bytes, Vec::new());
        while !rest.is_empty() {
            let (after, frame) = parse_frame(rest).unwrap();
            frames.push(frame);
            rest = after;
        }
        frames
    }

    #[test]
    fn messages_are_written_as_the_codec_reads_them() {
        let message = Message {
            exchange: "e",
            routing_key: &["a", "::", "ü"],
            mandatory: true,
            correlation_id: Some("c"),
            wants_answer: true,
            expiration: Some(1500),
            message_id: None,
            kind: "request",
            app_id: "me",
            body: b"0123456789",
        };
        let mut out = BytesMut::new();
        message.write("r", &mut out, HEAD + END + 7);
        ack(&mut out, u64::MAX - 1, true);
        heartbeat(&mut out);
        let publish = basic::Publish {
            exchange: "e".into(),
            routing_key: "a::ü".into(),
            mandatory: true,
            immediate: false,
        };
        let properties = BasicProperties::default()
            .with_correlation_id("c".into())
            .with_reply_to("r".into())
            .with_expiration("1500".into())
            .with_type("request".into())
            .with_app_id("me".into());
        let ack = basic::Ack { delivery_tag: u64::MAX - 1, multiple: true };
        let expected = [
            AMQPFrame::Method(1, AMQPClass::Basic(basic::AMQPMethod::Publish(publish))),
            AMQPFrame::Header(1, AMQPContentHeader { class_id: 60, body_size: 10, properties }),
            AMQPFrame::Body(1, b"0123456".to_vec()),
            AMQPFrame::Body(1, b"789".to_vec()),
            AMQPFrame::Method(1, AMQPClass::Basic(basic::AMQPMethod::Ack(ack))),
            AMQPFrame::Heartbeat,
        ];
        assert_eq!(parsed(&out), expected);
    }

    #[test]
    fn frames_are_read_however_they_are_cut_and_no_larger_than_agreed() {
        let mut whole = BytesMut::new();
        ack(&mut whole, 7, false);
        frame(&mut whole, constants::FRAME_BODY, 1, |out| out.put_slice(b"body"));
        let (mut input, mut read_so_far) = (BytesMut::new(), Vec::new());
        for byte in &whole {
            input.put_u8(*byte);
            read_so_far.extend(read(&mut input, 4096).unwrap());
        }
        assert!(input.is_empty());
        assert!(
            matches!(&read_so_far[..], [Frame::Method(1, _), Frame::Body(1, body)] if &body[..] == b"body")
        );
        let nested = [1, 0, 1, 0, 0, 0, 4, 0, 50, 0, 10, 206];
        for junk in [&b"HTTP/1.1 400"[..], &nested, &[1, 0, 1, 0, 0, 16, 0], &[9, 0, 0, 0, 0, 0, 0, 206]] {
            assert!(read(&mut BytesMut::from(junk), 4096).is_err(), "{junk:?}");
        }
    }

    #[test]
    fn texts_are_cut_where_amqp_ends() {
        let mut out = BytesMut::new();
        text(&mut out, &["x"; 300]);
        assert_eq!((out[0], out.len()), (255, 256));
    }
}
