//! Calls, from being heard to being answered or put into a slot.

use super::{
    Conversation, Turn,
    refusing::{busy, not_run, panicked},
};
use crate::{
    access,
    clock::after,
    peer::{Shared, Slot, placed},
    telling::{AnsweredHere, Name},
};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    task::{Context as TaskContext, Poll},
    time::Duration,
};
use tokio::sync::Semaphore;
use tracing::Span;
use trunkline_core::{About, Call, CallId, CowPayload, Dialect, Fault, Outbox, Payload, Reply, handler::Run};

impl Conversation {
    #[inline]
    pub(super) fn call(
        &mut self,
        id: Option<&CallId<'_>>,
        procedure: &str,
        args: Option<&CowPayload<'_>>,
        about: Option<&About>,
        out: &mut Outbox,
        turn: Turn<'_>,
    ) {
        let args = args.map(CowPayload::borrow);
        if self.draining {
            return self.refuse(id, procedure, &not_run(), out);
        }
        if self.parked.is_empty() {
            match about {
                None => self.start(id, procedure, args, out, turn),
                Some(about) => self.start_said(about, id, procedure, args, out, turn),
            }
        } else {
            self.park(id, procedure, args, about, out, turn);
        }
    }

    #[inline]
    pub(super) fn start(
        &mut self,
        id: Option<&CallId<'_>>,
        procedure: &str,
        args: Option<Payload<'_>>,
        out: &mut Outbox,
        turn: Turn<'_>,
    ) {
        let Self {
            dialect,
            format,
            slots,
            service,
            context,
            asked,
            internal,
            others,
            blocking,
            capacity,
            ..
        } = self;
        let route = match *internal {
            false => service.router.find(procedure),
            true => service.router.find_within(procedure).ok(),
        };
        let Some(route) = route else {
            let unknown = service.router.unknown(procedure);
            return self.refuse(id, procedure, &unknown, out);
        };
        if !route.is_plain() {
            let route = route.clone();
            return self.start_other(&route, id, procedure, args, out, turn);
        }
        let time = route.timeout().unwrap_or(service.limits.call_timeout);
        let deadline = after(turn.now, time.min(*asked));
        let mut call = Call::new(procedure, args, context, route.states());
        call.fallback = route.fallback();
        call.deadline = deadline;
        call.format = *format;
        call.max_reply = service.limits.max_reply;
        if let Some(security) = &service.security
            && let Err(fault) = access::admit(&**security, &call, route.details(), turn.now)
        {
            return self.refuse(id, procedure, &fault, out);
        }
        let Some((place, waker)) = slots.vacant(turn.task) else {
            return self.refuse(id, procedure, &busy(), out);
        };
        let answered = AnsweredHere {
            procedure,
            name: Name::of(route),
            id: id.map(|id| id.spelling),
            args: call.args.as_ref(),
            context,
        };
        let span = answered.span();
        let entered = span.as_ref().map(Span::enter);
        let max_reply = call.max_reply;
        let mut cx = TaskContext::from_waker(waker);
        let mut under_way = None;
        let outcome = answer(&mut **dialect, id, out, others.as_deref(), |body| {
            let mut running = route.start(&call)?;
            if route.run() != Run::Inline {
                let room = blocking.get_or_insert_with(|| Arc::new(Semaphore::new(*capacity)));
                running = placed(running, route.run(), *format, max_reply, room)?;
            }
            let polled = running.as_mut().poll(&mut cx, &mut Reply::new(body, *format, max_reply));
            if polled.is_pending() {
                under_way = Some(running);
            }
            polled
        });
        drop(entered);
        if let Poll::Ready(Err(fault)) = outcome {
            return self.refuse_in(span, id, procedure, &fault, out);
        }
        if let Some(running) = under_way {
            let id = id.map(CallId::keep);
            let (procedure, caller) = (procedure.into(), context.identity().clone());
            let trace = context.said_trace().cloned();
            slots.insert(
                place,
                Slot { running, id, procedure, caller, trace, deadline, span, opens: None, fed: false },
            );
        }
    }

    /// Starts a call of which more is said.
    #[cold]
    pub(super) fn start_said(
        &mut self,
        about: &About,
        id: Option<&CallId<'_>>,
        procedure: &str,
        args: Option<Payload<'_>>,
        out: &mut Outbox,
        turn: Turn<'_>,
    ) {
        let said = self.context.clone().with_about(about);
        let own = std::mem::replace(&mut self.context, said);
        (self.asked, self.internal) = (about.timeout.unwrap_or(Duration::MAX), about.internal);
        self.start(id, procedure, args, out, turn);
        (self.asked, self.internal) = (Duration::MAX, false);
        // it may have been the call by which the caller says who it is
        let known = self.context.identity().clone();
        self.context = own.with_identity(known);
    }

    /// Answers a call that was not worth a slot.
    pub(super) fn reply(
        &mut self,
        id: Option<&CallId<'_>>,
        procedure: &str,
        value: &impl serde::Serialize,
        out: &mut Outbox,
    ) {
        let Some(id) = id else { return };
        let reply = self.dialect.open(id, out);
        let written = Reply::new(out.body(), self.format, self.service.limits.max_reply).write(value);
        match written {
            Ok(()) => self.dialect.close(id, reply, out),
            Err(fault) => {
                out.discard(reply);
                self.refuse(Some(id), procedure, &fault, out);
            }
        }
    }
}

/// Lets `work` write the result of a call. When it is done the reply is in `out`;
/// when it is not, has failed or panicked, nothing is.
#[inline]
pub(super) fn answer(
    dialect: &mut dyn Dialect,
    id: Option<&CallId<'_>>,
    out: &mut Outbox,
    others: Option<&Shared>,
    work: impl FnOnce(&mut Vec<u8>) -> Poll<Result<(), Fault>>,
) -> Poll<Result<(), Fault>> {
    let mut frame = match id {
        Some(id) => dialect.open(id, out),
        None => out.open(0),
    };
    let outcome = catch_unwind(AssertUnwindSafe(|| work(out.body())));
    let outcome = outcome.unwrap_or_else(|panic| Poll::Ready(Err(panicked(panic))));
    if outcome.is_ready()
        && let Some(others) = others
        && others.is_dirty()
    {
        frame = out.put_ahead(frame, &mut others.state().out);
    }
    match (&outcome, id) {
        (Poll::Ready(Ok(())), Some(id)) => dialect.close(id, frame, out),
        _ => out.discard(frame),
    }
    outcome
}
