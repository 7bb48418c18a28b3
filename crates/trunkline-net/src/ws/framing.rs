//! [`WebSocket`]: the messages in a stream of WebSocket frames.

use super::{
    carried::Carried,
    close,
    header::{self, Header, Opcode, Role},
    incoming::Incoming,
    marking::MessageMarking,
    mask,
};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use trunkline_core::{
    Input, Outbox,
    framing::{Cut, Framing, Goodbye, Marking, Unframed},
};

/// One message a frame (RFC 6455), after the handshake.
///
/// A message of one frame is unmasked where it arrived and lent from there; one
/// of several frames is put together first. Text is checked to be UTF-8 as it
/// arrives. Pings and the closing handshake are answered here.
///
/// ```
/// # use trunkline_core::{Body, Input, Outbox, framing::{Cut, Framing}};
/// # use trunkline_net::ws::WebSocket;
/// let mut framing = WebSocket::client().limit(1 << 20);
/// let mut out = Outbox::new(framing.marking());
/// let mut input = Input::default();
/// input.extend(b"\x81\x02hi");
/// let Cut::Frame(frame) = framing.cut(&mut input, &mut out)? else { panic!("no message") };
/// assert_eq!(frame.body, Body::Text("hi"));
/// # Ok::<(), trunkline_core::framing::Unframed>(())
/// ```
#[derive(Debug)]
pub struct WebSocket {
    role: Role,
    limit: usize,
    binary: bool,
    carried: Option<Carried>,
    incoming: Incoming,
    /// The far side has sent its close frame.
    far_closed: bool,
    /// We have sent ours.
    closed: Arc<AtomicBool>,
}

impl WebSocket {
    fn new(role: Role) -> Self {
        Self {
            role,
            limit: 10 << 20,
            binary: false,
            carried: None,
            incoming: Incoming::default(),
            far_closed: false,
            closed: Arc::default(),
        }
    }

    /// The end that accepted the handshake.
    #[must_use]
    pub fn server() -> Self {
        Self::new(Role::Server)
    }

    /// The end that asked for the handshake, and masks what it sends.
    #[must_use]
    pub fn client() -> Self {
        Self::new(Role::Client)
    }

    /// Refuses messages longer than `limit` bytes, however many frames they
    /// come in, as soon as a header shows it. Default 10 MiB.
    #[must_use]
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// Sends binary messages. Default: text.
    #[must_use]
    pub fn binary(mut self) -> Self {
        self.binary = true;
        self
    }

    /// Takes messages for pieces of a byte stream that `framing` cuts; what is
    /// sent gets its marks, one message a frame. If [binary](Self::binary)
    /// messages are sent, only those carry the stream, and text is passed over.
    ///
    /// As nothing of a message is kept once its bytes have been handed on, the
    /// limit is that of `framing`, on its frames, and messages have none.
    #[must_use]
    pub fn carrying(mut self, framing: Box<dyn Framing>) -> Self {
        self.carried = Some(Carried::new(framing));
        self
    }

    /// A control frame, of which all is there.
    fn control(
        &mut self,
        opcode: Opcode,
        payload: &[u8],
        out: &mut Outbox,
    ) -> Result<Cut<'static>, Unframed> {
        match opcode {
            Opcode::Ping if !self.has_closed() => header::write(out.body(), self.role, Opcode::Pong, payload),
            Opcode::Close => {
                close::check(payload)?;
                self.far_closed = true;
                if !self.has_closed() {
                    let code = &payload[..payload.len().min(2)];
                    self.close(code, out);
                }
                return Ok(if close::is_drained(payload) { self.drained() } else { self.end() });
            }
            _ => {}
        }
        Ok(Cut::Handled)
    }

    /// After the far side has closed. A stream that was carried may have a last frame.
    fn end(&self) -> Cut<'static> {
        if self.carried.is_some() { Cut::Handled } else { Cut::End }
    }

    /// The same, where the far side has run no call that it has not answered.
    fn drained(&self) -> Cut<'static> {
        if self.carried.is_some() { Cut::Handled } else { Cut::Drained }
    }

    fn has_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    fn close(&mut self, payload: &[u8], out: &mut Outbox) {
        header::write(out.body(), self.role, Opcode::Close, payload);
        self.closed.store(true, Ordering::Relaxed);
    }
}

impl Framing for WebSocket {
    #[inline]
    fn cut<'b>(&'b mut self, input: &'b mut Input, out: &mut Outbox) -> Result<Cut<'b>, Unframed> {
        if self.carried.as_ref().is_some_and(|carried| carried.is_fresh() || self.far_closed) {
            if let Some(ref mut carried) = self.carried {
                return carried.cut(out, self.far_closed);
            }
        } else if self.far_closed {
            return Ok(Cut::End);
        }
        self.incoming.forget_given();
        if self.incoming.is_arriving() {
            return self.incoming.arrive(input, self.carried.as_mut(), self.binary);
        }
        let header = match header::read(input.waiting(), self.role)? {
            Ok(header) => header,
            Err(missing) => return Ok(Cut::Partial { missing }),
        };
        let Header { fin, opcode, key, len, head } = header;
        let there = (input.len() - head) as u64 >= len;
        if opcode.is_control() {
            #[expect(clippy::cast_possible_truncation, reason = "125 bytes at most")]
            let len = len as usize;
            if !there {
                return Ok(Cut::Partial { missing: head + len - input.len() });
            }
            let payload = &mut input.consume(head + len)[head..];
            if let Some(key) = key {
                mask::apply(key, payload);
            }
            return self.control(opcode, payload, out);
        }
        let limit = if self.carried.is_some() { u64::MAX } else { self.limit as u64 };
        self.incoming.admit(&header, limit)?;
        if fin && opcode != Opcode::Continuation && there && self.carried.is_none() {
            #[expect(clippy::cast_possible_truncation, reason = "there, so it fits the memory")]
            let payload = &mut input.consume(head + len as usize)[head..];
            if let Some(key) = key {
                mask::apply(key, payload);
            }
            return self.incoming.whole(payload);
        }
        input.consume(head);
        self.incoming.begin(&header, self.carried.is_some());
        self.incoming.arrive(input, self.carried.as_mut(), self.binary)
    }

    fn finish<'b>(&'b mut self, input: &'b mut Input) -> Result<Cut<'b>, Unframed> {
        let inside = self.incoming.is_under_way() || !input.is_empty();
        if inside && !self.far_closed {
            return Err(Unframed::broken("the stream ended inside a message"));
        }
        match self.carried {
            Some(ref mut carried) => carried.finish(),
            None => Ok(Cut::End),
        }
    }

    fn recut(&mut self, _input: &mut Input) {
        if let Some(carried) = &mut self.carried {
            carried.recut();
        }
    }

    fn is_inside(&self) -> bool {
        self.incoming.is_under_way() || self.carried.as_ref().is_some_and(Carried::is_inside)
    }

    fn marking(&self) -> Box<dyn Marking> {
        Box::new(MessageMarking {
            role: self.role,
            opcode: if self.binary { Opcode::Binary } else { Opcode::Text },
            carried: self.carried.as_ref().map(|carried| carried.framing.marking()),
            closed: self.closed.clone(),
        })
    }

    fn ping(&mut self, out: &mut Outbox) -> bool {
        let open = !self.has_closed();
        if open {
            header::write(out.body(), self.role, Opcode::Ping, b"");
        }
        open
    }

    fn goodbye(&mut self, reason: Goodbye, out: &mut Outbox) {
        if !self.has_closed() {
            self.close(&close::payload(reason), out);
        }
    }
}
