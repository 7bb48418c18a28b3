//! Streams that the far side sends with its calls.

use super::{Conversation, MOST_CALLS, Parked, Turn, busy, is_it, shutting_down, tell};
use crate::{
    access,
    feeds::{At, Claim, Feeds, Heard},
    service::Service,
};
use trunkline_core::{Call, CallId, Fault, FaultKind, Feed, Outbox, OwnedCallId, OwnedPayload, Payload};

/// How many of the longest messages may wait as items for handlers to take them.
const MESSAGES: usize = 4;

impl Conversation {
    /// Makes room for the items that follow a call, which is to be started later.
    pub(super) fn expect(&mut self, id: &CallId<'_>) -> Result<(), Fault> {
        self.room_for_feed(id)?.expect(id)
    }

    /// What a call that takes a stream is given, as it is started.
    pub(super) fn claim(&mut self, id: &CallId<'_>) -> Result<(Feed, Claim), Fault> {
        match &mut self.feeds {
            Some(feeds) if feeds.expects(id) => feeds.start(id),
            _ => self.room_for_feed(id)?.start(id),
        }
    }

    fn room_for_feed(&mut self, id: &CallId<'_>) -> Result<&mut Feeds, Fault> {
        self.dialect.admit_feed(id)?;
        if self.open_streams() >= self.most_streams() {
            return Err(self.too_many_streams());
        }
        // who hears only one message has none to hear items in
        let shared = self.others.clone().ok_or_else(busy)?;
        let most_waiting = self.service.limits.max_message.saturating_mul(MESSAGES);
        Ok(self.feeds.get_or_insert_with(|| Box::new(Feeds::new(most_waiting, shared))))
    }

    /// Streams in either direction.
    pub(super) fn open_streams(&self) -> usize {
        let given = self.streams.as_ref().map_or(0, |streams| streams.len());
        given + self.feeds.as_ref().map_or(0, |feeds| feeds.live())
    }

    /// As many streams as may be open.
    pub(super) fn most_streams(&self) -> usize {
        self.service.limits.max_streams.min(MOST_CALLS)
    }

    #[cold]
    pub(super) fn too_many_streams(&self) -> Fault {
        let most = self.most_streams();
        busy().with_data(format!("{most} streams of this connection are open, the limit `max_streams`"))
    }

    /// Hears what comes next of a stream.
    #[cold]
    pub(crate) fn feed(
        &mut self,
        call: &str,
        outcome: &Result<Option<Payload<'_>>, Fault>,
        out: &mut Outbox,
        turn: Turn<'_>,
    ) {
        let Some(feeds) = &mut self.feeds else { return };
        match feeds.hear(call, outcome.clone(), turn.now) {
            Heard::Fine => {}
            Heard::InSlot(place) => {
                if self.slots.get(place).is_some_and(|(slot, _)| slot.caller.has_expired(turn.now)) {
                    self.end_fed(call, At::Slot(place), &access::expired(), out, turn);
                }
            }
            Heard::Overrun(at, fault) => {
                self.end_fed(call, at, &fault, out, turn);
            }
        }
    }

    /// Gives calls whose streams have got on more time.
    pub(super) fn extend_fed(&mut self) {
        for (place, until) in self.feeds.iter().flat_map(|feeds| feeds.deadlines()) {
            if let Some((slot, _)) = self.slots.get(place) {
                slot.deadline = slot.deadline.zip(until).map(|(at, until)| at.max(until));
            }
        }
    }

    /// Ends a call whose caller sends more than there is room for, or may send nothing
    /// any more.
    #[cold]
    fn end_fed(&mut self, call: &str, at: At, fault: &Fault, out: &mut Outbox, turn: Turn<'_>) {
        if let Some(feeds) = &mut self.feeds {
            feeds.forget(call);
        }
        match at {
            At::Slot(place) => match self.slots.remove(place) {
                Some(slot) => self.refuse_slot(slot, fault, out),
                None => return,
            },
            At::Parked => {
                let is_it = |parked: &Parked| matches!(parked, Parked::Call { id, .. } if is_it(id, call));
                let Some(at) = self.parked.iter().position(is_it) else { return };
                if self.is_login_awaited() {
                    // it is not known yet whether its caller may know of it
                    if let Some(Parked::Call { unfed, .. }) = self.parked.get_mut(at) {
                        *unfed = Some(Box::new(fault.clone()));
                    }
                    return;
                }
                if let Some(Parked::Call { id, procedure, args, .. }) = self.parked.remove(at) {
                    let (id, args) =
                        (id.as_ref().map(OwnedCallId::borrow), args.as_ref().map(OwnedPayload::borrow));
                    self.refuse_unfed(id.as_ref(), &procedure, args, fault, out, turn);
                }
            }
            At::Stream(number) => {
                if let Some(streams) = &mut self.streams {
                    let (service, context) = (&self.service, &self.context);
                    streams.break_off_one(number, &mut *self.dialect, out, |stream| {
                        tell(service, context, stream, fault)
                    });
                }
                return;
            }
        }
        // there may be room now for what waits
        turn.task.wake_by_ref();
    }

    /// Refuses a call that was put off and for whose stream there was no room. Who may
    /// not call at all is told that.
    #[cold]
    pub(super) fn refuse_unfed(
        &mut self,
        id: Option<&CallId<'_>>,
        procedure: &str,
        args: Option<Payload<'_>>,
        fault: &Fault,
        out: &mut Outbox,
        turn: Turn<'_>,
    ) {
        let Service { router, security, .. } = &self.service;
        let refused = router.find(procedure).zip(security.as_ref()).and_then(|(route, security)| {
            let mut call = Call::new(procedure, args, &self.context, route.states());
            call.fallback = route.fallback();
            access::admit(&**security, &call, route.details(), turn.now).err()
        });
        self.refuse(id, procedure, refused.as_ref().unwrap_or(fault), out);
    }

    /// A call is refused before it is started: there is nothing to wait for any more.
    #[cold]
    pub(super) fn unexpect(&mut self, id: Option<&CallId<'_>>) {
        if let (Some(feeds), Some(id)) = (&mut self.feeds, id)
            && feeds.expects(id)
        {
            feeds.forget(id.spelling);
        }
    }

    /// A call that was started with a stream is in this slot now.
    pub(super) fn fed_in_slot(&mut self, id: &CallId<'_>, place: usize, timeout: std::time::Duration) {
        if let Some(feeds) = &mut self.feeds {
            feeds.moved(id, At::Slot(place));
            feeds.patient(id, timeout);
        }
    }

    /// A call that was started with a stream has come to one.
    pub(super) fn fed_stream(&mut self, id: &OwnedCallId, number: u64) {
        if let Some(feeds) = &mut self.feeds {
            feeds.moved(&id.borrow(), At::Stream(number));
        }
    }

    /// Breaks off the streams of a far side that can say no more of them.
    pub(super) fn break_off_feeds(&self) {
        if let Some(feeds) = &self.feeds {
            feeds.break_off(&Fault::new(
                FaultKind::Disconnected,
                "the caller has ended its direction of the connection before its stream",
            ));
        }
    }

    /// Breaks off the streams that are still coming, because the program is about to end.
    pub(super) fn drain_feeds(&self) {
        if let Some(feeds) = &self.feeds {
            feeds.break_off(&shutting_down());
        }
    }
}
