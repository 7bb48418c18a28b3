//! Calls that come to no value: streams, from being heard to being open.

use super::{Conversation, Turn, busy, panicked, shutting_down};
use crate::{
    access,
    clock::after,
    peer::{Slot, placed},
    streams::{OpenStream, Plan, Streams},
    telling::{AnsweredHere, Name},
};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    task::{Context as TaskContext, Poll},
};
use tokio::sync::Semaphore;
use tracing::Span;
use trunkline_core::{
    Call, CallId, Credit, Credited, Fault, Format, Outbox, Payload, Reply,
    handler::Run,
    router::{Gives, Route},
};

/// The longest name of a call that credit is kept for until it comes.
const LONGEST_CREDITED: usize = 64;

impl Conversation {
    /// Starts what does not come to a value.
    #[cold]
    pub(super) fn start_other(
        &mut self,
        route: &Route,
        id: Option<&CallId<'_>>,
        procedure: &str,
        args: Option<Payload<'_>>,
        out: &mut Outbox,
        turn: Turn<'_>,
    ) {
        let mut span = None;
        let started = match (route.gives(), id) {
            (Gives::Unsubscribed, _) => return self.unsubscribe(id, procedure, args, out),
            (Gives::Identity, _) => self.authenticate(id, procedure, args, out, turn),
            _ => self.start_streaming(route, id, procedure, args, &mut span, turn),
        };
        if let Err(fault) = started {
            if route.takes_stream() {
                self.unexpect(id);
            }
            match span {
                Some(_) => self.refuse_in(span, id, procedure, &fault, out),
                None => self.refuse(id, procedure, &fault, out),
            }
        }
    }

    /// Ends a stream that the caller no longer listens to, and says whether there was one.
    fn unsubscribe(
        &mut self,
        id: Option<&CallId<'_>>,
        procedure: &str,
        args: Option<Payload<'_>>,
        out: &mut Outbox,
    ) {
        let number = self.dialect.stream_named(args.as_ref());
        let ended = match (&mut self.streams, number) {
            (Some(streams), Some(number)) => streams.end(number),
            _ => false,
        };
        self.reply(id, procedure, &ended, out);
    }

    /// The caller has room for items of a stream.
    #[cold]
    pub(super) fn credit(&mut self, of: Credited<'_>, credit: Credit) {
        match (of, &mut self.streams) {
            (Credited::Call(call), _) => {
                if call.len() > LONGEST_CREDITED {
                    return;
                }
                // calls that never came, or came to no stream, have left theirs
                if self.credits.len() >= self.service.limits.max_in_flight {
                    self.credits.remove(0);
                }
                self.credits.push((call.into(), credit));
            }
            (Credited::Stream(number), Some(streams)) => streams.grant(number, credit),
            (Credited::Stream(_), None) => {}
        }
    }

    /// Starts a call that comes to a stream, or takes one, or both. What it might fail
    /// for is not looked at before it is clear that the caller may know of it. One that
    /// fails when it had a `span` already leaves it there.
    fn start_streaming(
        &mut self,
        route: &Route,
        id: Option<&CallId<'_>>,
        procedure: &str,
        args: Option<Payload<'_>>,
        span: &mut Option<Span>,
        turn: Turn<'_>,
    ) -> Result<(), Fault> {
        let (limits, context) = (self.service.limits.clone(), self.context.clone());
        let mut call = Call::new(procedure, args, &context, route.states());
        call.fallback = route.fallback();
        // that is for its opening, or until the next item: nobody has said how long a
        // stream itself may last
        let time = route.timeout().unwrap_or(limits.call_timeout).min(self.asked);
        (call.format, call.max_reply) = (self.format, limits.max_reply);
        if let Some(security) = &self.service.security {
            access::admit(&**security, &call, route.details(), turn.now)?;
        }
        let id = id.ok_or_else(|| unanswered(route))?;
        let claim = route.takes_stream().then(|| self.claim(id)).transpose()?;
        let opens = (route.gives() == Gives::Stream).then(|| self.plan(route, id, procedure)).transpose()?;
        call.feed = claim.as_ref().map(|(feed, _)| feed);
        let (place, waker) = self.slots.vacant(turn.task).ok_or_else(busy)?;
        let answered = AnsweredHere {
            procedure,
            name: Name::of(route),
            id: Some(id.spelling),
            args: call.args.as_ref(),
            context: &context,
        };
        *span = answered.span();
        let entered = span.as_ref().map(Span::enter);
        let started = catch_unwind(AssertUnwindSafe(|| {
            let running = route.start(&call)?;
            if opens.is_some() || route.run() == Run::Inline {
                return Ok(running);
            }
            let room = self.blocking.get_or_insert_with(|| Arc::new(Semaphore::new(self.capacity)));
            placed(running, route.run(), self.format, limits.max_reply, room)
        }));
        let mut running = started.unwrap_or_else(|panic| Err(panicked(panic)))?;
        drop(entered);
        let deadline = after(turn.now, time);
        // it is polled with all others that want to be, before anything is waited for
        waker.wake_by_ref();
        let fed = claim.is_some();
        if let Some((_, claim)) = claim {
            running = claim.of(running);
        }
        let (procedure, caller) = (procedure.into(), context.identity().clone());
        let (id_kept, trace, span) = (Some(id.keep()), context.said_trace().cloned(), span.take());
        let slot = Slot { running, id: id_kept, procedure, caller, trace, deadline, span, opens, fed };
        self.slots.insert(place, slot);
        if fed {
            self.fed_in_slot(id, place, time);
        }
        Ok(())
    }

    /// What is known of the stream that a call will come to.
    fn plan(&mut self, route: &Route, id: &CallId<'_>, procedure: &str) -> Result<Box<Plan>, Fault> {
        let credit = self.credits.iter().position(|(call, _)| **call == *id.spelling);
        let credit = credit.map(|at| self.credits.remove(at).1);
        self.dialect.admit_stream(id)?;
        if self.open_streams() >= self.most_streams() {
            return Err(self.too_many_streams());
        }
        let items = route.item_name().unwrap_or(procedure).into();
        let items_only = route.items_only() && credit.is_none();
        Ok(Box::new(Plan { items, lag: route.lag(), credit, items_only }))
    }

    /// A call has come to a stream, which is open now.
    #[cold]
    pub(super) fn opened(&mut self, place: usize, out: &mut Outbox, turn: Turn<'_>) {
        let Some(slot) = self.slots.remove(place) else { return };
        if let Some(others) = self.others.as_deref().filter(|others| others.is_dirty()) {
            out.append(&mut others.state().out);
        }
        let most = self.most_streams();
        let is_full = self.open_streams() >= most;
        let streams = self.streams.get_or_insert_with(|| Box::new(Streams::with_capacity(most)));
        if self.draining {
            return self.refuse_slot(slot, &shutting_down(), out);
        }
        if is_full {
            let fault = self.too_many_streams();
            return self.refuse_slot(slot, &fault, out);
        }
        let Slot { running, id: Some(id), procedure, caller, trace, span, opens: Some(plan), .. } = slot
        else {
            return;
        };
        let number = streams.next_number();
        let together = plan.credit.map_or(0, |credit| credit.together);
        let head = self.dialect.open_stream(&id.borrow(), number, &plan.items, together, out);
        let stream = OpenStream::new(running, procedure, caller, number, head, &plan);
        streams.insert(stream.standing(span, trace), turn);
        self.fed_stream(&id, number);
    }
}

/// What is said of a notification that would have to be a call.
#[cold]
fn unanswered(route: &Route) -> Fault {
    Fault::from(match route.gives() {
        Gives::Stream => "a notification cannot open a stream: there is no answer to it",
        _ => "a notification takes no stream: it has no id by which the items could be told to be its own",
    })
}

/// Drives a call on that comes to a stream.
pub(super) fn opening(slot: &mut Slot, cx: &mut TaskContext<'_>, format: Format) -> Poll<Result<(), Fault>> {
    let _entered = slot.span.as_ref().map(Span::enter);
    let running = &mut slot.running;
    // nothing is written before there are items
    let polled = catch_unwind(AssertUnwindSafe(|| {
        running.as_mut().poll(cx, &mut Reply::new(&mut Vec::new(), format, 0))
    }));
    polled.unwrap_or_else(|panic| Poll::Ready(Err(panicked(panic))))
}
