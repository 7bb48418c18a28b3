//! [`Dialect`]: one connection's language, and [`Speaker`], its other half.
//!
//! A dialect turns frames into signals and replies into frames. It is a plain
//! state machine: it never waits, reads a clock or owns a socket, so the same
//! value serves a WebSocket, a POST body and a test vector alike. Batches,
//! the spelling of ids and of errors are its private business.
//!
//! The connection's own task drives the dialect. What other tasks want to say
//! (calls and notifications to the far side) is spelled by the speaker, which
//! they share under a lock.

use crate::{
    about::About,
    fault::Fault,
    frame::Frame,
    limits::Limits,
    outbox::{OpenFrame, Outbox},
    payload::{Encode, EncodeError, Format, Payload},
    signal::{CallId, Credit, Signal},
};
use std::{sync::Arc, time::Duration};

/// What one connection says and understands; hears the far side and answers it.
pub trait Dialect: Send {
    /// What the far side says next in `frame`; `None` once it has said all.
    ///
    /// Called with the same frame until it answers `None`. Signals borrow from
    /// the frame, not from the dialect, so a call can be answered before the next
    /// is heard. What the dialect answers by itself, such as a parse error, goes
    /// to `out`. A body that it has found to be text may be changed to
    /// [`Body::Text`](crate::Body::Text), so that it is checked only once.
    fn hear<'f>(&mut self, frame: &mut Frame<'f>, out: &mut Outbox) -> Option<Signal<'f>>;

    /// Opens the reply to `id`; its value is to follow in [`Outbox::body`].
    fn open(&mut self, id: &CallId<'_>, out: &mut Outbox) -> OpenFrame;

    /// Closes a reply whose value has been written.
    fn close(&mut self, id: &CallId<'_>, reply: OpenFrame, out: &mut Outbox);

    /// Answers `id` with a fault.
    fn fault(&mut self, id: &CallId<'_>, fault: &Fault, out: &mut Outbox);

    /// The number that the caller of `id` is told in place of `fault`, where faults have
    /// numbers; without an id, what another would be told.
    fn code(&self, _id: Option<&CallId<'_>>, _fault: &Fault) -> Option<i64> {
        None
    }

    /// Whether call `id` can be answered with a stream.
    ///
    /// # Errors
    ///
    /// Fails where there is no way for items to follow, with the fault for the caller.
    fn admit_stream(&self, _id: &CallId<'_>) -> Result<(), Fault> {
        Err(Fault::from("this dialect carries no streams"))
    }

    /// Answers `id`, for which [one was admitted](Self::admit_stream), with a stream
    /// of this number, whose items are called `name`. They may come
    /// [`together`](crate::Credit::together) where that is not 0.
    fn open_stream(
        &mut self,
        _id: &CallId<'_>,
        _stream: u64,
        _name: &str,
        _together: usize,
        _out: &mut Outbox,
    ) -> StreamHead {
        StreamHead::default()
    }

    /// Opens an item of a stream; its value is to follow in [`Outbox::body`].
    fn open_item(&mut self, stream: &StreamHead, out: &mut Outbox) -> OpenFrame {
        out.open(stream.channel)
    }

    /// Closes the frame of an item whose value has been written; or of several, where
    /// they may come [together](StreamHead::together).
    fn close_item(&mut self, _stream: &StreamHead, item: OpenFrame, out: &mut Outbox) {
        out.close(item);
    }

    /// Says that items of a stream were left out.
    fn missed(&mut self, _stream: &StreamHead, _items: u64, _out: &mut Outbox) {}

    /// Says that a stream has no more items, or why it breaks off.
    fn end_stream(&mut self, _stream: &StreamHead, _outcome: Result<(), &Fault>, _out: &mut Outbox) {}

    /// The number of the stream that the caller no longer listens to, by the
    /// arguments with which it says so.
    fn stream_named(&self, _args: Option<&Payload<'_>>) -> Option<u64> {
        None
    }

    /// Whether call `id` can be followed by the items of a stream that its caller sends.
    ///
    /// # Errors
    ///
    /// Fails where there is no way for items to follow, with the fault for the caller.
    fn admit_feed(&self, _id: &CallId<'_>) -> Result<(), Fault> {
        Err(Fault::from("this dialect carries no streams"))
    }

    /// Says for how many more items there is room of the stream that the far side sends
    /// with call `id`; `None` if none will be looked at any more.
    fn want(&mut self, _id: &CallId<'_>, _items: Option<u64>, _out: &mut Outbox) {}

    /// A frame was over the limit and has been dropped, all but its `head`. What
    /// that shows to be an answer to a call of ours is not answered.
    fn oversize<'h>(
        &mut self,
        channel: u8,
        limit: usize,
        head: &'h [u8],
        out: &mut Outbox,
    ) -> Option<Signal<'h>>;

    /// The far side broke the framing, so nothing more can be read from it.
    fn unframed(&mut self, out: &mut Outbox);

    /// Bytes of replies that the dialect holds back until it is told to
    /// [`flush`](Self::flush). They count as unsent.
    fn held(&self) -> usize {
        0
    }

    /// Says what the dialect has been holding back; called before each write.
    fn flush(&mut self, _out: &mut Outbox) {}

    /// The pause that frames must keep between them, because the far side takes
    /// whatever one read gives it for one message.
    fn pace(&self) -> Option<Duration> {
        None
    }

    /// How values are written in this dialect.
    fn format(&self) -> Format;
}

/// What a dialect remembers of a stream that it answered a call with.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "made by dialects, for themselves")]
pub struct StreamHead {
    /// The channel that it goes on.
    pub channel: u8,
    /// What stands before each of its items.
    pub before_item: Box<[u8]>,
    /// How it is spelled.
    pub spelling: Box<str>,
    /// Items may come together, as long as their frame has no more than so many bytes
    /// before it is closed; 0 where each has a frame of its own.
    pub together: usize,
    /// What stands between items that come together.
    pub separator: u8,
}

/// Spells what this side says of its own accord.
///
/// Each method writes whole frames. One that fails leaves `out` as it was.
pub trait Speaker: Send {
    /// Calls `procedure`; the answer will be heard as [`Signal::Reply`] with `id`.
    ///
    /// # Errors
    ///
    /// Fails if the arguments have no form in the dialect's format.
    fn call(
        &mut self,
        id: u64,
        procedure: &str,
        args: &dyn Encode,
        out: &mut Outbox,
    ) -> Result<(), EncodeError>;

    /// What is said besides of what is spelled next: a [call](Self::call), also one for a
    /// [stream](Self::open_stream), a [notification](Self::notify), or each item of a
    /// [batch](Self::batch). Where the dialect has words for it.
    fn about(&mut self, _about: &About) {}

    /// Calls `procedure` for a stream; the answer is how the far side spells it, and
    /// its items will be heard as [`Signal::Item`]. There is room for `credit`, where the
    /// far side heeds that; `None` has it send items as they come.
    ///
    /// # Errors
    ///
    /// Fails if the arguments have no form in the dialect's format.
    fn open_stream(
        &mut self,
        id: u64,
        procedure: &str,
        args: &dyn Encode,
        _credit: Option<Credit>,
        out: &mut Outbox,
    ) -> Result<(), EncodeError> {
        self.call(id, procedure, args, out)
    }

    /// Says that there is room for more items of `stream`.
    fn grant(&mut self, _stream: &str, _credit: Credit, _out: &mut Outbox) {}

    /// Says that this side no longer listens to `stream`, by the procedure
    /// `unsubscribe` where the dialect has no other word for it, as call `id`.
    fn end_stream(&mut self, _id: u64, _unsubscribe: &str, _stream: &str, _out: &mut Outbox) {}

    /// Whether the dialect can [feed](Self::feed) calls.
    fn feeds(&self) -> bool {
        false
    }

    /// Goes on with the stream that this side sends with call `id`: its next item, or
    /// none as it has ended, or why it breaks off.
    ///
    /// # Errors
    ///
    /// Fails if the item has no form in the dialect's format.
    fn feed(
        &mut self,
        _id: u64,
        _outcome: Result<Option<&dyn Encode>, &Fault>,
        _out: &mut Outbox,
    ) -> Result<(), EncodeError> {
        Ok(())
    }

    /// Calls several procedures in one frame, as far as the dialect can.
    ///
    /// # Errors
    ///
    /// Fails if the arguments have no form in the dialect's format.
    fn batch(&mut self, items: &[BatchItem<'_>], out: &mut Outbox) -> Result<(), EncodeError>;

    /// Tells the far side something that needs no answer.
    ///
    /// # Errors
    ///
    /// Fails if the arguments have no form in the dialect's format.
    fn notify(&mut self, procedure: &str, args: &dyn Encode, out: &mut Outbox) -> Result<(), EncodeError>;

    /// Publishes an event to a far side that subscribed to it. Most dialects
    /// have no word for it and send a notification.
    ///
    /// # Errors
    ///
    /// Fails if the arguments have no form in the dialect's format.
    fn event(&mut self, name: &str, args: &dyn Encode, out: &mut Outbox) -> Result<(), EncodeError> {
        self.notify(name, args, out)
    }

    /// Gives up on call `id`.
    fn cancel(&mut self, id: u64, out: &mut Outbox);

    /// How values are written in this dialect.
    fn format(&self) -> Format;
}

/// One item of a batch that this side sends.
#[derive(Clone, Copy, Debug)]
pub struct BatchItem<'a> {
    /// Our number of the call; `None` for a notification.
    pub id: Option<u64>,
    /// The procedure to run.
    pub procedure: &'a str,
    /// Its arguments.
    pub args: &'a dyn Encode,
}

/// Starts conversations: knows a language, holds none of its state.
///
/// A listener has one, and asks it for a [`Dialect`] and a [`Speaker`] for each
/// connection. It has no limits of its own: those in force are handed to it, so
/// that they are the ones its user has set.
pub trait Language: Send + Sync {
    /// The two halves of a new conversation, in which both sides may call.
    fn converse(&self, limits: &Limits) -> (Box<dyn Dialect>, Box<dyn Speaker>);

    /// A conversation in which the far side says one thing and hears the answer.
    fn exchange(&self, limits: &Limits) -> Box<dyn Dialect>;

    /// The same where more can follow the answer, such as the items of a stream,
    /// until the far side goes.
    fn events(&self, limits: &Limits) -> Box<dyn Dialect> {
        self.exchange(limits)
    }

    /// The language's name, for logs and [`Connection`](crate::Connection).
    fn name(&self) -> &'static str;
}

impl<L: Language + ?Sized> Language for Arc<L> {
    fn converse(&self, limits: &Limits) -> (Box<dyn Dialect>, Box<dyn Speaker>) {
        (**self).converse(limits)
    }

    fn exchange(&self, limits: &Limits) -> Box<dyn Dialect> {
        (**self).exchange(limits)
    }

    fn events(&self, limits: &Limits) -> Box<dyn Dialect> {
        (**self).events(limits)
    }

    fn name(&self) -> &'static str {
        (**self).name()
    }
}
