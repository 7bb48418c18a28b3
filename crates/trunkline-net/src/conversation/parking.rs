//! Calls that wait for a free slot, or until it is known who makes them.

use super::{Conversation, Turn, busy, login::Found};
use std::sync::{Arc, OnceLock};
use trunkline_core::{About, CallId, CowPayload, Fault, Outbox, OwnedCallId, OwnedPayload, Payload, Signal};

/// What waits in its place among those that came.
pub(super) enum Parked {
    Call {
        id: Option<OwnedCallId>,
        procedure: Box<str>,
        args: Option<OwnedPayload>,
        about: Option<Box<About>>,
        /// Why there is no room for the stream that it takes, if there is none.
        unfed: Option<Box<Fault>>,
    },
    /// It is being found out who the far side is: what comes after this is called
    /// by whoever that is.
    Login(Found),
}

impl Conversation {
    /// Whether it is being found out who the far side is.
    pub(super) fn is_login_awaited(&self) -> bool {
        matches!(self.parked.front(), Some(Parked::Login(_)))
    }

    /// Whether calls that come may be put off, because it is being found out who makes them.
    pub(crate) fn may_put_off(&self) -> bool {
        self.is_login_awaited() && self.parked.len() <= self.service.limits.max_in_flight
    }

    /// Puts a call off until a slot is free.
    pub(crate) fn park(
        &mut self,
        id: Option<&CallId<'_>>,
        procedure: &str,
        args: Option<Payload<'_>>,
        about: Option<&About>,
        out: &mut Outbox,
        turn: Turn<'_>,
    ) {
        // a batch is admitted whole, also the part of it that waits for a login
        let limit = match self.parked.front() {
            Some(Parked::Login(_)) => self.capacity,
            _ => self.service.limits.max_in_flight,
        };
        if self.parked.len() >= limit {
            let fault = busy().with_data(format!(
                "{limit} calls are under way and as many wait, the limit `max_in_flight`"
            ));
            return self.refuse(id, procedure, &fault, out);
        }
        let fed = id.filter(|_| self.service.router.takes_stream(procedure));
        let unfed = fed.and_then(|id| self.expect(id).err());
        if let Some(fault) = unfed.as_ref().filter(|_| !self.is_login_awaited()) {
            return self.refuse_unfed(id, procedure, args, fault, out, turn);
        }
        self.parked.push_back(Parked::Call {
            id: id.map(CallId::keep),
            procedure: procedure.into(),
            args: args.as_ref().map(Payload::to_owned),
            about: about.cloned().map(Box::new),
            unfed: unfed.map(Box::new),
        });
    }

    /// Parks what a signal asks for, unless it is the driver's business; whether it did.
    pub(crate) fn put_off(&mut self, signal: &Signal<'_>, out: &mut Outbox, turn: Turn<'_>) -> bool {
        let (id, procedure, args, about) = match signal {
            Signal::Call { id, procedure, args, about } if !self.draining => {
                (Some(id), procedure, args, about)
            }
            Signal::Notify { procedure, args, about } if !self.draining => (None, procedure, args, about),
            other => return self.take(other, out, turn),
        };
        let args = args.as_ref().map(CowPayload::borrow);
        self.park(id, procedure, args, about.as_deref(), out, turn);
        true
    }

    /// Starts calls that were put off, as far as there is room.
    pub(super) fn unpark(&mut self, out: &mut Outbox, most: usize, turn: Turn<'_>) {
        while let Some(first) = self.parked.front() {
            match first {
                // the login holds it too
                Parked::Login(found) if Arc::strong_count(found) > 1 => return,
                Parked::Call { .. } if self.has_most_calls() || out.len() >= most => {
                    return;
                }
                _ => {}
            }
            match self.parked.pop_front() {
                Some(Parked::Login(mut found)) => {
                    let identity = Arc::get_mut(&mut found).and_then(OnceLock::take);
                    self.settle(identity, out);
                }
                Some(Parked::Call { id, procedure, args, about, unfed }) => {
                    let id = id.as_ref().map(OwnedCallId::borrow);
                    let args = args.as_ref().map(OwnedPayload::borrow);
                    if let Some(fault) = unfed {
                        self.refuse_unfed(id.as_ref(), &procedure, args, &fault, out, turn);
                        continue;
                    }
                    match about {
                        None => self.start(id.as_ref(), &procedure, args, out, turn),
                        Some(about) => self.start_said(&about, id.as_ref(), &procedure, args, out, turn),
                    }
                }
                None => return,
            }
        }
    }
}
