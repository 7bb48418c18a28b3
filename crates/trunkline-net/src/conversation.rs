//! [`Conversation`]: what both drivers do with what they hear: start calls,
//! drive them on, answer them.

use crate::{
    hooks::FaultReport,
    peer::{Slot, Slots, placed},
    service::Service,
};
use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    task::{Context as TaskContext, Poll, Waker},
    time::{Duration, Instant},
};
use trunkline_core::{
    BoxRunning, Call, CallId, Context, CowPayload, Dialect, Fault, FaultKind, Outbox, OwnedCallId,
    OwnedPayload, Payload, Reply, Route, Signal, handler::Run, router,
};

/// One far side's calls, from being heard to being answered.
pub(crate) struct Conversation {
    pub(crate) dialect: Box<dyn Dialect>,
    pub(crate) slots: Slots,
    service: Service,
    context: Context,
    /// Calls that wait for a free slot, in the order in which they came.
    parked: VecDeque<Parked>,
    /// Whether new calls are refused, because the server is shutting down.
    pub(crate) draining: bool,
    woken: Vec<usize>,
}

struct Parked {
    id: Option<OwnedCallId>,
    procedure: Box<str>,
    args: Option<OwnedPayload>,
}

/// The moment and the task on whose behalf something is done.
#[derive(Clone, Copy)]
pub(crate) struct Turn<'a> {
    pub(crate) now: Instant,
    pub(crate) task: &'a Waker,
}

impl Conversation {
    pub(crate) fn new(dialect: Box<dyn Dialect>, service: Service, context: Context) -> Self {
        // a batch is admitted whole, however little room there is
        let capacity = service.limits.max_in_flight.saturating_add(service.limits.max_batch);
        Self {
            dialect,
            slots: Slots::with_capacity(capacity),
            service,
            context,
            parked: VecDeque::new(),
            draining: false,
            woken: Vec::new(),
        }
    }

    /// Whether as many calls are under way as there may be.
    pub(crate) fn is_full(&self) -> bool {
        self.slots.len() >= self.service.limits.max_in_flight || !self.parked.is_empty()
    }

    /// Whether nothing is under way.
    pub(crate) fn is_idle(&self) -> bool {
        self.slots.is_empty() && self.parked.is_empty()
    }

    /// Acts on a signal, and gives back those that are the driver's business.
    #[inline]
    pub(crate) fn take<'f>(
        &mut self,
        signal: Signal<'f>,
        out: &mut Outbox,
        turn: Turn<'_>,
    ) -> Option<Signal<'f>> {
        match signal {
            Signal::Call { id, procedure, args } => self.call(Some(id), &procedure, args.as_ref(), out, turn),
            Signal::Notify { procedure, args } => self.call(None, &procedure, args.as_ref(), out, turn),
            Signal::Cancel { id } => self.cancel(id, out),
            other => return Some(other),
        }
        None
    }

    #[inline]
    fn call(
        &mut self,
        id: Option<CallId<'_>>,
        procedure: &str,
        args: Option<&CowPayload<'_>>,
        out: &mut Outbox,
        turn: Turn<'_>,
    ) {
        let args = args.map(CowPayload::borrow);
        if self.draining {
            let fault = Fault::new(FaultKind::Unavailable, "the server is shutting down");
            return self.refuse(id, procedure, &fault, out);
        }
        if self.parked.is_empty() {
            self.start(id, procedure, args, out, turn);
        } else {
            self.park(id, procedure, args, out);
        }
    }

    /// Puts a call off until a slot is free.
    pub(crate) fn park(
        &mut self,
        id: Option<CallId<'_>>,
        procedure: &str,
        args: Option<Payload<'_>>,
        out: &mut Outbox,
    ) {
        if self.parked.len() >= self.service.limits.max_in_flight {
            let limit = self.service.limits.max_in_flight;
            let fault = Fault::new(FaultKind::Unavailable, "Server is busy, try again later").with_data(
                format!("{limit} calls are under way and as many wait, the limit `max_in_flight`"),
            );
            return self.refuse(id, procedure, &fault, out);
        }
        self.parked.push_back(Parked {
            id: id.map(|id| id.keep()),
            procedure: procedure.into(),
            args: args.as_ref().map(Payload::to_owned),
        });
    }

    /// Parks what a signal asks for, and gives back those that are the driver's business.
    pub(crate) fn put_off<'f>(
        &mut self,
        signal: Signal<'f>,
        out: &mut Outbox,
        turn: Turn<'_>,
    ) -> Option<Signal<'f>> {
        match signal {
            Signal::Call { id, procedure, args } if !self.draining => {
                self.park(Some(id), &procedure, args.as_ref().map(CowPayload::borrow), out);
                None
            }
            Signal::Notify { procedure, args } if !self.draining => {
                self.park(None, &procedure, args.as_ref().map(CowPayload::borrow), out);
                None
            }
            other => self.take(other, out, turn),
        }
    }

    #[inline]
    fn start(
        &mut self,
        id: Option<CallId<'_>>,
        procedure: &str,
        args: Option<Payload<'_>>,
        out: &mut Outbox,
        turn: Turn<'_>,
    ) {
        let Self { dialect, slots, service, context, .. } = self;
        let Some(route) = service.router.find(procedure) else {
            return self.refuse(id, procedure, &router::unknown(procedure), out);
        };
        let Some((place, waker)) = slots.vacant(turn.task) else {
            return self.refuse(
                id,
                procedure,
                &Fault::new(FaultKind::Unavailable, "Server is busy, try again later"),
                out,
            );
        };
        let deadline = turn.now + route.timeout().unwrap_or(service.limits.call_timeout);
        let mut call = Call::new(procedure, args, context, route.states());
        call.deadline = Some(deadline);
        call.format = dialect.format();
        let span = tracing::debug_span!("call", procedure);
        let entered = span.enter();
        let mut running = match prepare(route, call, service.limits.max_reply) {
            Ok(running) => running,
            Err(fault) => return self.refuse(id, procedure, &fault, out),
        };
        let mut cx = TaskContext::from_waker(waker);
        let outcome = poll_into(&mut **dialect, id, &mut running, &mut cx, out, service.limits.max_reply);
        drop(entered);
        match outcome {
            Poll::Ready(Ok(())) => {}
            Poll::Ready(Err(fault)) => self.refuse(id, procedure, &fault, out),
            Poll::Pending => {
                let id = id.map(|id| id.keep());
                slots.insert(place, Slot { running, id, procedure: procedure.into(), deadline, span });
            }
        }
    }

    /// Polls the calls that want to be polled, until `max_unsent` bytes of
    /// answers wait.
    pub(crate) fn poll(&mut self, out: &mut Outbox, turn: Turn<'_>) {
        let mut woken = std::mem::take(&mut self.woken);
        self.slots.take_woken(&mut woken);
        for place in woken.drain(..) {
            if out.len() >= self.service.limits.max_unsent {
                self.slots.wake(place);
                continue;
            }
            self.poll_place(place, out);
        }
        self.woken = woken;
        self.unpark(out, turn);
    }

    fn poll_place(&mut self, place: usize, out: &mut Outbox) {
        let Some((slot, waker)) = self.slots.get(place) else { return };
        let mut cx = TaskContext::from_waker(waker);
        let outcome = {
            let _entered = slot.span.enter();
            let id = slot.id.as_ref().map(OwnedCallId::borrow);
            poll_into(&mut *self.dialect, id, &mut slot.running, &mut cx, out, self.service.limits.max_reply)
        };
        if let Poll::Ready(outcome) = outcome
            && let Some(slot) = self.slots.remove(place)
            && let Err(fault) = outcome
        {
            self.refuse(slot.id.as_ref().map(OwnedCallId::borrow), &slot.procedure, &fault, out);
        }
    }

    /// Starts calls that were put off, as far as there is room.
    fn unpark(&mut self, out: &mut Outbox, turn: Turn<'_>) {
        while self.slots.len() < self.service.limits.max_in_flight
            && out.len() < self.service.limits.max_unsent
            && let Some(parked) = self.parked.pop_front()
        {
            let Parked { id, procedure, args } = parked;
            let args = args.as_ref().map(OwnedPayload::borrow);
            self.start(id.as_ref().map(OwnedCallId::borrow), &procedure, args, out, turn);
        }
    }

    fn cancel(&mut self, id: CallId<'_>, out: &mut Outbox) {
        let is_it = |kept: &Option<OwnedCallId>| {
            kept.as_ref().is_some_and(|kept| kept.borrow().spelling == id.spelling)
        };
        let (id, procedure) = match self.slots.remove_where(|slot| is_it(&slot.id)) {
            Some(slot) => (slot.id, slot.procedure),
            None => match self.parked.iter().position(|parked| is_it(&parked.id)) {
                Some(at) => match self.parked.remove(at) {
                    Some(parked) => (parked.id, parked.procedure),
                    None => return,
                },
                None => return,
            },
        };
        let fault = Fault::new(FaultKind::Cancelled, "Request cancelled");
        self.refuse(id.as_ref().map(OwnedCallId::borrow), &procedure, &fault, out);
    }

    /// Ends the calls that have run for longer than they may.
    fn expire(&mut self, out: &mut Outbox, now: Instant) {
        for slot in self.slots.expire(now) {
            let fault = Fault::new(FaultKind::DeadlineExceeded, "Deadline exceeded").with_data(
                "the call ran for longer than it may: the procedure's timeout, or the limit `call_timeout`",
            );
            self.refuse(slot.id.as_ref().map(OwnedCallId::borrow), &slot.procedure, &fault, out);
        }
    }

    /// Ends the calls that have run out, if there may be any.
    pub(crate) fn expire_due(&mut self, out: &mut Outbox, now: Instant) {
        if self.slots.earliest().is_some_and(|at| at <= now) {
            self.expire(out, now);
        }
    }

    /// Drops all calls under way, which cancels them.
    pub(crate) fn clear(&mut self) {
        self.slots.clear();
        self.parked.clear();
    }

    #[cold]
    fn refuse(&mut self, id: Option<CallId<'_>>, procedure: &str, fault: &Fault, out: &mut Outbox) {
        tracing::debug!(procedure, kind = ?fault.kind(), notification = id.is_none(), "call failed");
        self.service.hooks.failed(&FaultReport::new(procedure, fault, &self.context));
        if let Some(id) = id {
            self.dialect.fault(id, fault, out);
        }
    }
}

/// Takes a call as far as its first poll.
#[inline]
fn prepare(route: &Route, call: Call<'_>, max_reply: usize) -> Result<BoxRunning, Fault> {
    let format = call.format;
    let running =
        catch_unwind(AssertUnwindSafe(|| route.start(call))).unwrap_or_else(|panic| Err(panicked(panic)))?;
    Ok(match route.run() {
        Run::Inline => running,
        run => placed(running, run, format, max_reply),
    })
}

/// Polls a call; when it is done its reply is in `out`, unless it failed.
#[inline]
fn poll_into(
    dialect: &mut dyn Dialect,
    id: Option<CallId<'_>>,
    running: &mut BoxRunning,
    cx: &mut TaskContext<'_>,
    out: &mut Outbox,
    max_reply: usize,
) -> Poll<Result<(), Fault>> {
    let frame = match id {
        Some(id) => dialect.open(id, out),
        None => out.open(0),
    };
    let format = dialect.format();
    let polled = catch_unwind(AssertUnwindSafe(|| {
        running.as_mut().poll(cx, &mut Reply::new(out.body(), format, max_reply))
    }));
    let outcome = polled.unwrap_or_else(|panic| Poll::Ready(Err(panicked(panic))));
    match (&outcome, id) {
        (Poll::Ready(Ok(())), Some(id)) => dialect.close(id, frame, out),
        _ => out.discard(frame),
    }
    outcome
}

#[cold]
fn panicked(panic: Box<dyn std::any::Any + Send>) -> Fault {
    let what =
        panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    let what = format!("the handler panicked: {}", what.unwrap_or("no message"));
    tracing::error!("{what}");
    Fault::internal(what)
}

/// The present, by the clock that tests can stop.
pub(crate) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// The earlier of times that may be there.
pub(crate) fn earliest(times: impl IntoIterator<Item = Option<Instant>>) -> Option<Instant> {
    times.into_iter().flatten().min()
}

/// A time ahead, as far as clocks go.
pub(crate) fn after(from: Instant, span: Duration) -> Option<Instant> {
    from.checked_add(span)
}
