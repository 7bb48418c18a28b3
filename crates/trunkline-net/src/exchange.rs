//! [`answer`]: one frame in, its answers out: an HTTP body, a broker delivery.

use crate::{
    clock::now,
    conversation::{Conversation, ROUNDS, Room, Turn},
    service::Service,
};
use std::{
    pin::Pin,
    task::{Context as TaskContext, Poll},
};
use tokio::time::{Sleep, sleep_until};
use trunkline_core::{CallId, Context, Dialect, Fault, Frame, Outbox, framing::Whole};

/// Room for a reply of the usual size, so that it is not moved as it grows.
const USUAL_REPLY: usize = 256;

/// Answers one message; `None` if it wants no answer.
///
/// Calls in it run at the same time. Dropping the future cancels them.
pub async fn answer(body: &[u8], service: &Service, context: Context) -> Option<Vec<u8>> {
    Exchange::new(service, context).answer(body).await
}

/// A conversation in which the far side says one thing at a time.
pub(crate) struct Exchange {
    conversation: Conversation,
    /// Empty between one message and the next.
    out: Outbox,
}

impl Exchange {
    pub(crate) fn new(service: &Service, context: Context) -> Self {
        let dialect = service.language.exchange(&service.limits);
        let conversation = Conversation::new(dialect, service.clone(), context);
        Self { conversation, out: Outbox::new(Box::new(Whole)) }
    }

    /// Answers a call of which nothing has been heard yet with a fault.
    pub(crate) fn refuse(&mut self, procedure: &str, fault: &Fault) -> Option<Vec<u8>> {
        self.conversation.refuse(Some(&CallId { spelling: "", tag: 0 }), procedure, fault, &mut self.out);
        self.take_reply()
    }

    /// Goes on with another caller, when all has been answered; gives the last one.
    #[cfg(feature = "http")]
    pub(crate) fn pass_to(&mut self, context: Context) -> Context {
        self.conversation.shrink();
        self.conversation.pass_to(context)
    }

    /// The same with one who has chosen a dialect.
    pub(crate) fn turn_to(&mut self, caller: (Box<dyn Dialect>, Context)) -> (Box<dyn Dialect>, Context) {
        self.conversation.shrink();
        self.conversation.turn_to(caller)
    }

    /// Answers one message; `None` if it wants no answer. After that there may be another.
    #[inline]
    pub(crate) fn answer(&mut self, body: &[u8]) -> impl Future<Output = Option<Vec<u8>>> {
        self.out.body().reserve(USUAL_REPLY);
        let mut unheard = Some(Frame::binary(body));
        let mut alarm: Option<Pin<Box<Sleep>>> = None;
        std::future::poll_fn(move |cx| {
            let Self { conversation, out } = self;
            let turn = Turn { now: now(), task: cx.waker() };
            if let Some(mut frame) = unheard.take() {
                while let Some(signal) = conversation.dialect.hear(&mut frame, out) {
                    // what is no call has no place here, and the dialect has said so
                    conversation.take(&signal, out, turn);
                }
            }
            // most handlers are done as soon as they were started
            if conversation.is_idle() {
                return Poll::Ready(self.take_reply());
            }
            let room = Room::up_to(usize::MAX);
            conversation.register(cx.waker());
            for _ in 0..ROUNDS {
                conversation.expire_due(out, turn.now);
                conversation.poll(out, room, turn);
                if conversation.is_idle() {
                    return Poll::Ready(self.take_reply());
                }
                if !conversation.is_woken(0, room) && !alarm_rings(&mut alarm, conversation, cx) {
                    return Poll::Pending;
                }
            }
            // a handler that yields wakes itself: others have their turn first
            cx.waker().wake_by_ref();
            Poll::Pending
        })
    }

    /// Takes what there is to say. What is short is copied, so that there is room for the next.
    fn take_reply(&mut self) -> Option<Vec<u8>> {
        self.conversation.dialect.flush(&mut self.out);
        match self.out.len() {
            0 => {
                // what was written for nobody may have been long
                self.out.clear(USUAL_REPLY);
                None
            }
            1..=USUAL_REPLY => {
                let reply = self.out.bytes().to_vec();
                self.out.clear(USUAL_REPLY);
                Some(reply)
            }
            _ => {
                let another = self.out.another();
                Some(std::mem::replace(&mut self.out, another).into_bytes())
            }
        }
    }
}

/// The answer to a message that is over the limit and was not read.
#[must_use]
pub fn oversize(service: &Service) -> Vec<u8> {
    let mut out = Outbox::new(Box::new(Whole));
    service.language.exchange(&service.limits).oversize(0, service.limits.max_message, &[], &mut out);
    out.into_bytes()
}

/// Sets the alarm to the next deadline; whether it has passed already.
pub(crate) fn alarm_rings(
    alarm: &mut Option<Pin<Box<Sleep>>>,
    conversation: &Conversation,
    cx: &mut TaskContext<'_>,
) -> bool {
    let Some(at) = conversation.earliest() else { return false };
    let at = tokio::time::Instant::from_std(at);
    let alarm = alarm.get_or_insert_with(|| Box::pin(sleep_until(at)));
    if alarm.deadline() != at {
        alarm.as_mut().reset(at);
    }
    alarm.as_mut().poll(cx).is_ready()
}

#[cfg(test)]
mod tests {
    use super::*;
    use trunkline_core::Router;
    use trunkline_dialects::jsonrpc::JsonRpc;

    #[tokio::test]
    async fn replies_of_any_length_follow_each_other() {
        let router =
            Router::new().procedure("text", async |(count,): (usize,)| Ok::<_, Fault>("x".repeat(count)));
        let service = Service::new(router, JsonRpc::default());
        let mut exchange = Exchange::new(&service, Context::local());
        for count in [1, 2 * USUAL_REPLY, 2, 0] {
            let call = |id| format!(r#"{{"jsonrpc":"2.0"{id},"method":"text","params":[{count}]}}"#);
            let reply = exchange.answer(call(r#","id":1"#).as_bytes()).await;
            let expected = format!(r#"{{"jsonrpc":"2.0","id":1,"result":"{}"}}"#, "x".repeat(count));
            assert_eq!(reply, Some(expected.into_bytes()));
            assert_eq!(exchange.answer(call("").as_bytes()).await, None, "a notification");
        }
    }
}
