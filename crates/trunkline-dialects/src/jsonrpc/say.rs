//! [`Saying`]: JSON-RPC as a [`Speaker`]: calls, notifications, batches.

use super::{JsonRpc, about, feed, stream, write};
use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU8, Ordering},
};
use trunkline_core::{About, BatchItem, Credit, Encode, EncodeError, Fault, Format, Limits, Outbox, Speaker};

/// On which mux channel the far side serves.
#[derive(Clone, Copy, Debug)]
pub(super) enum MuxRole {
    /// The one on which it does not call; 0 until it calls.
    Learned,
    Fixed(u8),
}

impl MuxRole {
    pub(super) fn is_learned(self) -> bool {
        matches!(self, Self::Learned)
    }
}

/// What both sides of a conversation know.
#[derive(Debug, Default)]
pub(super) struct Common {
    /// The mux channel on which the far side serves.
    pub(super) channel: AtomicU8,
    /// Whether this side has ever opened a stream: until then, what looks like an
    /// item of one is a notification like any other.
    pub(super) listens: AtomicBool,
}

/// The side of a conversation that speaks of its own accord.
#[derive(Debug)]
pub(super) struct Saying {
    common: Arc<Common>,
    events: bool,
    plain_error_code: i64,
    /// What is said besides of what is spelled next.
    about: Option<Box<About>>,
    /// The most bytes that this side takes as one message.
    max_message: usize,
}

impl Saying {
    pub(super) fn new(options: &JsonRpc, limits: &Limits) -> Self {
        let channel = match options.mux {
            Some(MuxRole::Fixed(channel)) => channel,
            _ => 0,
        };
        let common = Common { channel: AtomicU8::new(channel), ..Common::default() };
        let (events, plain_error_code) = (options.events, options.plain_error_code);
        let max_message = limits.max_message;
        Self { common: Arc::new(common), events, plain_error_code, about: None, max_message }
    }

    pub(super) fn common(&self) -> Arc<Common> {
        self.common.clone()
    }

    fn channel(&self) -> u8 {
        self.common.channel.load(Ordering::Relaxed)
    }

    fn frame(
        &self,
        out: &mut Outbox,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        let frame = out.open(self.channel());
        let written = write(out.body());
        match written {
            Ok(()) => out.close(frame),
            Err(_) => out.discard(frame),
        }
        written
    }
}

impl Speaker for Saying {
    #[inline]
    fn call(
        &mut self,
        id: u64,
        procedure: &str,
        args: &dyn Encode,
        out: &mut Outbox,
    ) -> Result<(), EncodeError> {
        let about = self.about.take();
        self.frame(out, |out| request(Some(id), procedure, args, about.as_deref(), out))
    }

    fn about(&mut self, about: &About) {
        self.about = Some(Box::new(about.clone()));
    }

    fn open_stream(
        &mut self,
        id: u64,
        procedure: &str,
        args: &dyn Encode,
        credit: Option<Credit>,
        out: &mut Outbox,
    ) -> Result<(), EncodeError> {
        self.common.listens.store(true, Ordering::Relaxed);
        let before = out.len();
        if let Some(credit) = credit {
            let credit = Credit { together: self.max_message, ..credit };
            out.frame(self.channel(), |out| stream::credit_of_call(out, id, credit));
        }
        self.call(id, procedure, args, out).inspect_err(|_| out.truncate(before))
    }

    fn grant(&mut self, stream: &str, credit: Credit, out: &mut Outbox) {
        out.frame(self.channel(), |out| stream::credit_of_stream(out, stream, credit));
    }

    fn end_stream(&mut self, id: u64, unsubscribe: &str, stream: &str, out: &mut Outbox) {
        out.frame(self.channel(), |out| {
            write::request_head(out, itoa::Buffer::new().format(id), unsubscribe);
            write::params_head(out);
            out.push(b'[');
            write::raw(out, stream);
            out.extend_from_slice(b"]}");
        });
    }

    fn feeds(&self) -> bool {
        true
    }

    fn feed(
        &mut self,
        id: u64,
        outcome: Result<Option<&dyn Encode>, &Fault>,
        out: &mut Outbox,
    ) -> Result<(), EncodeError> {
        self.frame(out, |out| feed::goes_on(out, id, outcome, self.plain_error_code))
    }

    fn batch(&mut self, items: &[BatchItem<'_>], out: &mut Outbox) -> Result<(), EncodeError> {
        let about = self.about.take();
        self.frame(out, |out| {
            for (at, item) in items.iter().enumerate() {
                out.push(if at == 0 { b'[' } else { b',' });
                request(item.id, item.procedure, item.args, about.as_deref(), out)?;
            }
            out.push(b']');
            Ok(())
        })
    }

    fn notify(&mut self, procedure: &str, args: &dyn Encode, out: &mut Outbox) -> Result<(), EncodeError> {
        let about = self.about.take();
        self.frame(out, |out| request(None, procedure, args, about.as_deref(), out))
    }

    fn event(&mut self, name: &str, args: &dyn Encode, out: &mut Outbox) -> Result<(), EncodeError> {
        if !self.events {
            return self.notify(name, args, out);
        }
        self.about = None;
        self.frame(out, |out| {
            out.extend_from_slice(br#"{"notification":"#);
            write::string(out, name);
            let before = out.len();
            params(args, out)?;
            if out.len() == before {
                // rpc-websockets looks into the params of an event without asking whether there are any
                write::params_head(out);
                out.extend_from_slice(b"[]");
            }
            write::close(out);
            Ok(())
        })
    }

    fn cancel(&mut self, id: u64, out: &mut Outbox) {
        out.frame(self.channel(), |out| {
            write::notification_head(out, "$/cancelRequest");
            out.extend_from_slice(br#","params":{"id":"#);
            out.extend_from_slice(itoa::Buffer::new().format(id).as_bytes());
            out.extend_from_slice(b"}}");
        });
    }

    fn format(&self) -> Format {
        Format::Json
    }
}

#[inline]
fn request(
    id: Option<u64>,
    procedure: &str,
    args: &dyn Encode,
    about: Option<&About>,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    match id {
        Some(id) => write::request_head(out, itoa::Buffer::new().format(id), procedure),
        None => write::notification_head(out, procedure),
    }
    params(args, out)?;
    if let Some(about) = about {
        about::write_members(out, about);
    }
    write::close(out);
    Ok(())
}

/// Appends the arguments as params: lists and objects as they are, nothing for
/// nothing, anything else as a list of one.
#[inline]
fn params(args: &dyn Encode, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let before = out.len();
    write::params_head(out);
    let start = out.len();
    args.encode(Format::Json, out)?;
    match out.get(start) {
        Some(b'[' | b'{') => {}
        Some(b'n') | None => out.truncate(before),
        Some(_) => {
            out.insert(start, b'[');
            out.push(b']');
        }
    }
    Ok(())
}
