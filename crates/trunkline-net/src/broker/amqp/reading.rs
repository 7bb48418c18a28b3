//! What comes with a message, as far as it is of interest here.
//!
//! It is read without the codec, which takes a message for a broken connection if one of
//! its texts is not UTF-8, and goes as deep as its headers are nested: whoever may publish
//! could so break the connection of each node in turn. Headers are passed over unread.

use super::{frames::Unreadable, topology};
use std::time::Duration;

/// What is said before a message comes.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Announced {
    /// To be settled by its tag.
    Request {
        tag: u64,
        redelivered: bool,
        /// It is what was asked for, and not what comes to who consumes.
        was_asked_for: bool,
    },
    Answer,
    /// Under no topic, if that is no text.
    Event {
        topic: Option<Box<str>>,
    },
    /// It is our own: nobody wants it.
    Returned,
}

/// What is said of a message before its body.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Header {
    pub(super) size: u64,
    /// Or why there is nothing to be made of it.
    pub(super) properties: Result<Properties, &'static str>,
}

/// Those properties that mean something.
#[derive(Debug, Default, Eq, PartialEq)]
pub(super) struct Properties {
    pub(super) kind: Kind,
    pub(super) reply_to: Box<str>,
    pub(super) expires: Option<Duration>,
    pub(super) message_id: Box<str>,
}

/// What a message claims to be.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Kind {
    Request,
    Response,
    #[default]
    Other,
}

/// The message that a method announces, if it announces one.
pub(super) fn announced(payload: &[u8]) -> Result<Option<Announced>, Unreadable> {
    let mut rest = Rest(payload);
    let mut read = || {
        let announced = match (rest.short()?, rest.short()?) {
            (60, 50) => Announced::Returned,
            (60, 60) => {
                let consumer = rest.text()?;
                let (tag, redelivered) = (rest.long_long()?, rest.octet()? & 1 == 1);
                let (_exchange, key) = (rest.text()?, rest.text()?);
                if consumer == topology::ANSWERS.as_bytes() {
                    Announced::Answer
                } else if consumer == topology::EVENTS.as_bytes() {
                    Announced::Event { topic: std::str::from_utf8(key).ok().map(Into::into) }
                } else {
                    Announced::Request { tag, redelivered, was_asked_for: false }
                }
            }
            (60, 71) => Announced::Request {
                tag: rest.long_long()?,
                redelivered: rest.octet()? & 1 == 1,
                was_asked_for: true,
            },
            _ => return Some(None),
        };
        Some(Some(announced))
    };
    read().ok_or(Unreadable)
}

/// Whether a method may have tables, which can be nested. Only the first one that a broker
/// says has any.
pub(super) fn may_be_nested(payload: &[u8]) -> bool {
    let mut rest = Rest(payload);
    matches!((rest.short(), rest.short()), (Some(10), Some(10 | 11)) | (Some(40), _))
        || matches!(payload, [0, 50, 0, 10 | 20 | 50, ..] | [0, 60, 0, 20, ..])
}

/// Reads what is said of a message; only what is no header at all is an error.
pub(super) fn header(payload: &[u8]) -> Result<Header, Unreadable> {
    let mut rest = Rest(payload);
    let mut head = || {
        let (60, _weight) = (rest.short()?, rest.short()?) else { return None };
        Some((rest.long_long()?, rest.short()?))
    };
    let (size, flags) = head().ok_or(Unreadable)?;
    Ok(Header { size, properties: properties(flags, rest) })
}

fn properties(flags: u16, mut rest: Rest<'_>) -> Result<Properties, &'static str> {
    const CUT: &str = "its properties end too soon";
    let text = |bytes| std::str::from_utf8(bytes).map_err(|_| "one of its properties is not UTF-8");
    let mut properties = Properties::default();
    if flags & 3 != 0 {
        return Err("it has properties that AMQP 0-9-1 does not know");
    }
    for flag in (2..16).rev().filter(|flag| flags & (1 << flag) != 0) {
        match flag {
            13 => rest.table(),
            12 | 11 => rest.octet().map(drop),
            6 => rest.long_long().map(drop),
            9 => {
                properties.reply_to = text(rest.text().ok_or(CUT)?)?.into();
                Some(())
            }
            8 => {
                let millis = text(rest.text().ok_or(CUT)?)?.parse().ok();
                properties.expires = millis.map(Duration::from_millis);
                Some(())
            }
            7 => {
                properties.message_id = text(rest.text().ok_or(CUT)?)?.into();
                Some(())
            }
            5 => {
                properties.kind = match rest.text().ok_or(CUT)? {
                    b"request" => Kind::Request,
                    b"response" => Kind::Response,
                    _ => Kind::Other,
                };
                Some(())
            }
            // those of no interest here
            _ => rest.text().map(drop),
        }
        .ok_or(CUT)?;
    }
    Ok(properties)
}

/// What is left to be read; of what is missing there is `None`.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn chunk<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn octet(&mut self) -> Option<u8> {
        self.chunk().map(u8::from_be_bytes)
    }

    fn short(&mut self) -> Option<u16> {
        self.chunk().map(u16::from_be_bytes)
    }

    fn long_long(&mut self) -> Option<u64> {
        self.chunk().map(u64::from_be_bytes)
    }

    /// A short string, which may be no text.
    fn text(&mut self) -> Option<&'a [u8]> {
        let length = self.octet()?;
        self.take(length.into())
    }

    /// Passes over a table, however deep it is.
    fn table(&mut self) -> Option<()> {
        let length = self.chunk().map(u32::from_be_bytes)?;
        self.take(usize::try_from(length).ok()?).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use amq_protocol::{
        frame::{AMQPContentHeader, AMQPFrame, WriteContext, gen_frame},
        protocol::{AMQPClass, BasicProperties, basic},
        types::{AMQPValue, FieldTable},
    };

    /// The payload of a frame as the codec writes it.
    fn payload(frame: &AMQPFrame) -> Vec<u8> {
        let written = gen_frame(frame)(WriteContext::from(Vec::new())).unwrap().into_inner().0;
        written[7..written.len() - 1].to_vec()
    }

    fn of(properties: BasicProperties) -> Vec<u8> {
        payload(&AMQPFrame::Header(1, AMQPContentHeader { class_id: 60, body_size: 7, properties }))
    }

    fn full() -> BasicProperties {
        let mut headers = FieldTable::default();
        headers.insert("a".into(), AMQPValue::LongString("b".into()));
        BasicProperties::default()
            .with_content_type("t".into())
            .with_content_encoding("e".into())
            .with_headers(headers)
            .with_delivery_mode(2)
            .with_priority(1)
            .with_correlation_id("c".into())
            .with_reply_to("r".into())
            .with_expiration("1500".into())
            .with_message_id("m".into())
            .with_timestamp(9)
            .with_type("request".into())
            .with_user_id("u".into())
            .with_app_id("a".into())
            .with_cluster_id("c".into())
    }

    #[test]
    fn headers_are_read_as_the_codec_writes_them() {
        let properties = Properties {
            kind: Kind::Request,
            reply_to: "r".into(),
            expires: Some(Duration::from_millis(1500)),
            message_id: "m".into(),
        };
        assert_eq!(header(&of(full())), Ok(Header { size: 7, properties: Ok(properties) }));
        let none = Ok(Properties::default());
        assert_eq!(header(&of(BasicProperties::default())), Ok(Header { size: 7, properties: none }));
    }

    #[test]
    fn what_cannot_be_read_says_how_large_it_is() {
        let whole = of(full());
        for length in 0..whole.len() {
            match header(&whole[..length]) {
                Ok(header) => assert!(header.size == 7 && header.properties.is_err(), "{length}"),
                Err(Unreadable) => assert!(length < 14, "{length}"),
            }
        }
        let odd = |flags: u16, bytes: &[u8]| {
            let head = [&[0, 60, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7][..], &flags.to_be_bytes(), bytes].concat();
            header(&head).unwrap().properties
        };
        for flag in [7, 8, 9] {
            assert_eq!(odd(1 << flag, &[1, 255]), Err("one of its properties is not UTF-8"), "{flag}");
        }
        assert_eq!(odd(1, &[]), Err("it has properties that AMQP 0-9-1 does not know"));
        assert_eq!(odd(1 << 13, &[255; 9]), Err("its properties end too soon"));
        // of no interest, and so no harm
        assert_eq!(odd(1 << 5 | 1 << 10, &[1, 255, 1, 255]), Ok(Properties::default()));
        assert_eq!(odd(1 << 8, &[1, b'x']), Ok(Properties::default()));
    }

    #[test]
    fn messages_are_announced_as_the_codec_writes_it() {
        let deliver = |consumer: &str, redelivered| {
            let method = basic::AMQPMethod::Deliver(basic::Deliver {
                consumer_tag: consumer.into(),
                delivery_tag: 258,
                redelivered,
                exchange: "e".into(),
                routing_key: "ü".into(),
            });
            payload(&AMQPFrame::Method(1, AMQPClass::Basic(method)))
        };
        let request = |redelivered, was_asked_for| {
            Ok(Some(Announced::Request { tag: 258, redelivered, was_asked_for }))
        };
        assert_eq!(announced(&deliver("r1", false)), request(false, false));
        assert_eq!(announced(&deliver("r1", true)), request(true, false));
        assert_eq!(announced(&deliver("a", false)), Ok(Some(Announced::Answer)));
        assert_eq!(announced(&deliver("e", false)), Ok(Some(Announced::Event { topic: Some("ü".into()) })));
        let mut no_text = deliver("e", false);
        *no_text.last_mut().unwrap() = 0;
        assert_eq!(announced(&no_text), Ok(Some(Announced::Event { topic: None })));
        let whole = deliver("r1", true);
        (0..whole.len()).for_each(|length| assert_eq!(announced(&whole[..length]), Err(Unreadable)));
        let got = basic::GetOk {
            delivery_tag: 258,
            redelivered: true,
            exchange: "e".into(),
            routing_key: "k".into(),
            message_count: 3,
        };
        let got = payload(&AMQPFrame::Method(1, AMQPClass::Basic(basic::AMQPMethod::GetOk(got))));
        assert_eq!(announced(&got), request(true, true));
        assert_eq!(announced(&[0, 60, 0, 50]), Ok(Some(Announced::Returned)));
        assert_eq!(announced(&[0, 50, 0, 11, 0]), Ok(None));
    }

    #[test]
    fn only_what_may_have_tables_is_said_to() {
        for (class, method, may) in [(10, 10, true), (10, 50, false), (40, 10, true), (50, 10, true)]
            .into_iter()
            .chain([(50, 11, false), (50, 50, true), (60, 20, true), (60, 21, false)])
        {
            assert_eq!(may_be_nested(&[0, class, 0, method, 9]), may, "{class} {method}");
        }
    }
}
