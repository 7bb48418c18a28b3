//! [`Expected`]: what a frame asks for, by the reader that has no memory.
//!
//! The dialect takes a shorter way with frames that look like the last one; both
//! must come to the same.

use crate::session::Setup;
use std::borrow::Cow;
use trunkline_core::{CowPayload, OwnedPayload, Payload};
use trunkline_dialects::jsonrpc::{Document, Id, Item, Message, Params, read_bytes};

/// What a frame asks for.
#[derive(Debug, Default)]
pub struct Expected<'f> {
    /// Whether it is an array that is worth an array.
    pub is_batch: bool,
    /// Whether it is no document at all.
    pub is_unreadable: bool,
    /// The calls in it: id, procedure and arguments.
    pub calls: Vec<(&'f str, Cow<'f, str>, Option<CowPayload<'f>>)>,
    /// The notifications in it, apart from cancellations.
    pub notifications: Vec<(Cow<'f, str>, Option<CowPayload<'f>>)>,
    /// The responses in it: our number of the call, if it is for one, and the result
    /// if it is one that can be used.
    pub responses: Vec<(Option<u64>, Option<Payload<'f>>)>,
    /// How much of it the dialect answers by itself.
    own: usize,
}

impl<'f> Expected<'f> {
    /// What `frame` asks for.
    #[must_use]
    pub fn of(frame: &'f [u8], setup: &Setup, two_way: bool) -> Self {
        let mut expected = Self::default();
        match read_bytes(frame, &setup.rules) {
            Err(_) => (expected.own, expected.is_unreadable) = (1, true),
            Ok(Document::TooLarge { .. }) => expected.own = 1,
            Ok(Document::One(item)) => expected.add(item, setup, two_way),
            Ok(Document::Batch(items)) => {
                expected.is_batch = true;
                items.for_each(|item| expected.add(item, setup, two_way));
            }
        }
        expected
    }

    /// How many answers it wants.
    #[must_use]
    pub fn answers(&self) -> usize {
        self.own + self.calls.len()
    }

    fn add(&mut self, item: Item<'f>, setup: &Setup, two_way: bool) {
        match item {
            Ok(Message::Request(request)) => {
                let Cow::Borrowed(id) = request.id.into_raw() else {
                    panic!("an id is a slice of its frame")
                };
                self.calls.push((id, request.method, request.params.map(payload)));
            }
            Ok(Message::Notification(notification)) => {
                let cancels = matches!(&*notification.method, "$/cancelRequest" | "rpc.cancel");
                if !(two_way && cancels) {
                    self.notifications.push((notification.method, notification.params.map(payload)));
                }
            }
            Ok(Message::Success(success)) if two_way => {
                let id = ours(&success.id);
                let Cow::Borrowed(result) = success.result.into_raw() else { panic!("{id} is not a slice") };
                self.responses.push((Some(id), Some(Payload::Json(result))));
            }
            Ok(Message::Failure(failure)) if two_way => {
                self.responses.push((failure.id.as_ref().map(ours), None));
            }
            Ok(Message::Success(_) | Message::Failure(_)) => self.own += 1,
            Err(invalid) if two_way && invalid.looks_like_response => {
                self.responses.extend(invalid.answers.as_ref().map(|id| (Some(ours(id)), None)));
            }
            Err(invalid) if setup.silent && !invalid.had_id => {}
            Err(_) => self.own += 1,
        }
    }
}

/// Calls are counted from 1; what is no number of one is for 0.
fn ours(id: &Id<'_>) -> u64 {
    if id.is_too_long() { 0 } else { id.as_u64().unwrap_or_default() }
}

fn payload(params: Params<'_>) -> CowPayload<'_> {
    match params.into_raw() {
        Cow::Borrowed(text) => CowPayload::Borrowed(Payload::Json(text)),
        Cow::Owned(text) => CowPayload::Owned(OwnedPayload::Json(text.into())),
    }
}
