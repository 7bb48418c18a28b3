//! [`ContentLength`]: the base protocol of the Language Server Protocol.

use super::{
    Cut, Framing, HEAD, Marking, Unframed,
    stranger::{STRANGER, is_stranger},
};
use crate::{
    frame::{Body, Frame},
    input::Input,
    outbox::Outbox,
};

/// Bytes a block of headers may have.
const MAX_HEAD: usize = 8 << 10;

/// Each frame follows a block of headers of which `Content-Length` is one.
///
/// Language Server Protocol 3.17, "Base Protocol".
#[derive(Clone, Debug)]
pub struct ContentLength {
    limit: usize,
    /// The length of the body that follows, once its headers have been read.
    body: Option<u64>,
    /// Bytes of a body over the limit that have yet to go by.
    dropping: u64,
}

impl Default for ContentLength {
    fn default() -> Self {
        Self { limit: 10 << 20, body: None, dropping: 0 }
    }
}

impl ContentLength {
    /// Refuses bodies longer than `limit` bytes. Default 10 MiB.
    #[must_use]
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// Drops what is here of a body over the limit, and gives it for a last look.
    fn drop_body<'b>(&mut self, input: &'b mut Input) -> &'b [u8] {
        let here = usize::try_from(self.dropping).map_or(input.len(), |all| all.min(input.len()));
        self.dropping -= here as u64;
        input.consume(here)
    }

    /// A body over the limit, once enough is here to tell what it is.
    #[cold]
    fn oversize<'b>(&mut self, len: u64, input: &'b mut Input) -> Cut<'b> {
        let head = usize::try_from(len).map_or(HEAD, |len| len.min(HEAD));
        if input.len() < head {
            self.body = Some(len);
            return Cut::Partial { missing: head - input.len() };
        }
        (self.body, self.dropping) = (None, len);
        Cut::Oversize { channel: 0, limit: self.limit, head: self.drop_body(input) }
    }
}

impl Framing for ContentLength {
    fn cut<'b>(&'b mut self, input: &'b mut Input, _out: &mut Outbox) -> Result<Cut<'b>, Unframed> {
        self.drop_body(input);
        if self.dropping > 0 {
            return Ok(Cut::Partial { missing: 0 });
        }
        let announced = match self.body {
            Some(len) => len,
            None => {
                let waiting = input.waiting();
                let head = &waiting[..waiting.len().min(MAX_HEAD)];
                let Some(end) = memchr::memmem::find(head, b"\r\n\r\n") else {
                    return match waiting.len() {
                        MAX_HEAD.. => Err(Unframed::broken("no end of the headers within 8 KiB")),
                        _ => Ok(Cut::Partial { missing: 1 }),
                    };
                };
                let announced = length(&head[..end])?;
                input.consume(end + 4);
                announced
            }
        };
        let len = match usize::try_from(announced) {
            Ok(len) if len <= self.limit => len,
            _ => return Ok(self.oversize(announced, input)),
        };
        if input.len() < len {
            self.body = Some(announced);
            return Ok(Cut::Partial { missing: len - input.len() });
        }
        self.body = None;
        let body = Body::Binary(input.consume(len));
        Ok(Cut::Frame(Frame { body, channel: 0, delimited: true, several: false }))
    }

    fn finish<'b>(&'b mut self, input: &'b mut Input) -> Result<Cut<'b>, Unframed> {
        match input.is_empty() && self.body.is_none() && self.dropping == 0 {
            true => Ok(Cut::End),
            false => Err(Unframed::broken("the stream ended inside a frame")),
        }
    }

    fn is_inside(&self) -> bool {
        self.body.is_some() || self.dropping > 0
    }

    fn marking(&self) -> Box<dyn Marking> {
        Box::new(LengthMarking)
    }
}

/// What the headers say of the length of the body.
fn length(head: &[u8]) -> Result<u64, Unframed> {
    if is_stranger(head) {
        return Err(STRANGER);
    }
    let mut length = None;
    let mut rest = head;
    while !rest.is_empty() {
        let end = memchr::memmem::find(rest, b"\r\n").unwrap_or(rest.len());
        let line = &rest[..end];
        rest = rest.get(end + 2..).unwrap_or_default();
        let colon = memchr::memchr(b':', line).ok_or(Unframed::broken("a header without a colon"))?;
        let (name, value) = (&line[..colon], trim(&line[colon + 1..]));
        if name.eq_ignore_ascii_case(b"content-length") {
            let value = digits(value).ok_or(Unframed::broken("Content-Length is not a decimal number"))?;
            if length.is_some_and(|before| before != value) {
                return Err(Unframed::broken("two Content-Length headers that differ"));
            }
            length = Some(value);
        } else if name.eq_ignore_ascii_case(b"content-type") && !is_utf8(value) {
            return Err(Unframed::broken("a charset other than UTF-8"));
        }
    }
    length.ok_or(Unframed::broken("no Content-Length header"))
}

fn trim(value: &[u8]) -> &[u8] {
    value.trim_ascii()
}

/// Decimal digits and nothing else, of a number that fits.
fn digits(value: &[u8]) -> Option<u64> {
    let digits = value.iter().all(u8::is_ascii_digit).then_some(value)?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Whether a Content-Type names no charset, or UTF-8.
fn is_utf8(content_type: &[u8]) -> bool {
    content_type.split(|&byte| byte == b';').skip(1).all(|parameter| {
        let Some(equals) = memchr::memchr(b'=', parameter) else { return true };
        let (name, value) = (trim(&parameter[..equals]), trim(&parameter[equals + 1..]));
        let value = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")).unwrap_or(value);
        !name.eq_ignore_ascii_case(b"charset")
            || value.eq_ignore_ascii_case(b"utf-8")
            || value.eq_ignore_ascii_case(b"utf8")
    })
}

#[derive(Debug)]
struct LengthMarking;

/// The header as it is sent, with room for a length of up to seven digits.
const WRITTEN: &[u8] = b"Content-Length: 0000000\r\n\r\n";
const DIGITS: std::ops::Range<usize> = 16..23;

impl Marking for LengthMarking {
    fn open(&mut self, stream: &mut Vec<u8>, _channel: u8) {
        stream.extend_from_slice(WRITTEN);
    }

    fn close(&mut self, stream: &mut Vec<u8>, start: usize, body: usize) {
        let length = (stream.len() - body).to_string();
        stream.splice(start + DIGITS.start..start + DIGITS.end, length.bytes());
    }

    fn another(&self) -> Box<dyn Marking> {
        Box::new(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::framing::tests::check;

    fn framing() -> Box<dyn Framing> {
        Box::new(ContentLength::default().limit(20))
    }

    #[test]
    fn bodies_follow_their_headers() {
        let stream = b"Content-Length: 2\r\n\r\n{}content-length:3\r\nX: y\r\ncontent-type: a; charset=\"UTF-8\"\r\n\r\n[1]";
        check(&framing, stream, true, &["{}", "[1]"]);
    }

    #[test]
    fn a_body_over_the_limit_is_dropped_and_the_next_is_read() {
        let stream = b"Content-Length: 21\r\n\r\n012345678901234567890Content-Length: 2\r\n\r\n{}";
        check(&framing, stream, true, &["<oversize>", "{}"]);
        let endless = [b"Content-Length: 9999999999999999999\r\n\r\n", &[b'x'; HEAD][..]].concat();
        check(&framing, &endless, false, &["<oversize>"]);
        check(&framing, &endless[..endless.len() - 1], false, &[]);
    }

    #[test]
    fn headers_that_make_no_sense_lose_the_position() {
        for (head, reason) in [
            ("\r\n\r\n", "no Content-Length header"),
            ("X: 1\r\n\r\n", "no Content-Length header"),
            ("Content-Length: 99999999999999999999\r\n\r\n", "Content-Length is not a decimal number"),
            ("Content-Length: 99999999999999999999\r\n\r\n", "Content-Length is not a decimal number"),
            ("Content-Length: -1\r\n\r\n", "Content-Length is not a decimal number"),
            ("Content-Length: 1\r\nContent-Length: 2\r\n\r\n", "two Content-Length headers that differ"),
            ("Content-Length: 1\r\nContent-Type: x; charset=latin1\r\n\r\n", "a charset other than UTF-8"),
            ("nonsense\r\n\r\n", "a header without a colon"),
        ] {
            check(&framing, head.as_bytes(), false, &[&format!("<{reason}>")]);
        }
        let endless = vec![b'x'; MAX_HEAD + 1];
        let seen = crate::framing::tests::cut_all(&mut *framing(), &[&endless], false);
        assert_eq!(seen, ["<no end of the headers within 8 KiB>"]);
    }

    /// A page may choose a target that makes a header of the first line.
    #[test]
    fn a_request_of_http_is_none() {
        for target in ["/", "/:", "/content-length:1"] {
            let post =
                format!("POST {target} HTTP/1.1\r\nHost: localhost:1\r\nContent-Length: 2\r\n\r\n{{}}");
            check(
                &framing,
                post.as_bytes(),
                false,
                &["<something of HTTP or TLS, which are not spoken here>"],
            );
        }
    }

    #[test]
    fn what_is_written_can_be_read() {
        let mut out = Outbox::new(framing().marking());
        for body in ["", "{}", "[1,2,3,4,5]"] {
            out.frame(0, |into| into.extend_from_slice(body.as_bytes()));
        }
        assert!(out.bytes().starts_with(b"Content-Length: 0\r\n\r\nContent-Length: 2\r\n\r\n{}"));
        check(&framing, out.bytes(), true, &["", "{}", "[1,2,3,4,5]"]);
    }
}
