//! [`answer`]: one frame in, its answers out: an HTTP body, a broker delivery.

use crate::{
    conversation::{Conversation, ROUNDS, Turn, earliest, now},
    service::Service,
};
use std::{
    pin::Pin,
    task::{Context as TaskContext, Poll},
};
use tokio::time::{Sleep, sleep_until};
use trunkline_core::{Context, Frame, Outbox, framing::Marking};

/// Room for a reply of the usual size, so that it is not moved as it grows.
const USUAL_REPLY: usize = 256;

/// Answers one message; `None` if it wants no answer.
///
/// Calls in it run at the same time. Dropping the future cancels them.
pub async fn answer(body: &[u8], service: &Service, context: Context) -> Option<Vec<u8>> {
    converse(&mut conversation(service, context), body).await
}

/// A conversation in which the far side says one thing at a time.
pub(crate) fn conversation(service: &Service, context: Context) -> Conversation {
    Conversation::new(service.language.exchange(&service.limits), service.clone(), context)
}

/// Answers one message; `None` if it wants no answer. After that the
/// conversation can serve for another.
pub(crate) async fn converse(conversation: &mut Conversation, body: &[u8]) -> Option<Vec<u8>> {
    let mut out = Outbox::new(Box::new(Whole));
    out.body().reserve(USUAL_REPLY);
    let mut frame = Frame::binary(body);
    let mut heard = false;
    let mut alarm: Option<Pin<Box<Sleep>>> = None;
    std::future::poll_fn(|cx| {
        let turn = Turn { now: now(), task: cx.waker() };
        if !std::mem::replace(&mut heard, true) {
            while let Some(signal) = conversation.dialect.hear(&mut frame, &mut out) {
                // what is no call has no place here, and the dialect has said so
                conversation.take(&signal, &mut out, turn);
            }
        }
        // most handlers are done as soon as they were started
        if conversation.is_idle() {
            return Poll::Ready(());
        }
        conversation.slots.register(cx.waker());
        for _ in 0..ROUNDS {
            conversation.expire_due(&mut out, turn.now);
            conversation.poll(&mut out, usize::MAX, turn);
            if conversation.is_idle() {
                return Poll::Ready(());
            }
            if !conversation.slots.is_woken() && !alarm_rings(&mut alarm, conversation, cx) {
                return Poll::Pending;
            }
        }
        // a handler that yields wakes itself: others have their turn first
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
    conversation.dialect.flush(&mut out);
    (!out.is_empty()).then(|| out.into_bytes())
}

/// The answer to a message that is over the limit and was not read.
#[must_use]
pub fn oversize(service: &Service) -> Vec<u8> {
    let mut out = Outbox::new(Box::new(Whole));
    service.language.exchange(&service.limits).oversize(0, service.limits.max_message, &[], &mut out);
    out.into_bytes()
}

/// Sets the alarm to the next deadline; whether it has passed already.
fn alarm_rings(
    alarm: &mut Option<Pin<Box<Sleep>>>,
    conversation: &Conversation,
    cx: &mut TaskContext<'_>,
) -> bool {
    let Some(at) = earliest([conversation.slots.earliest()]) else { return false };
    let at = tokio::time::Instant::from_std(at);
    let alarm = alarm.get_or_insert_with(|| Box::pin(sleep_until(at)));
    if alarm.deadline() != at {
        alarm.as_mut().reset(at);
    }
    alarm.as_mut().poll(cx).is_ready()
}

/// The transport delimits the message.
pub(crate) struct Whole;

impl Marking for Whole {
    fn open(&mut self, _stream: &mut Vec<u8>, _channel: u8) {}

    fn close(&mut self, _stream: &mut Vec<u8>, _start: usize, _body: usize) {}

    fn another(&self) -> Box<dyn Marking> {
        Box::new(Self)
    }
}
