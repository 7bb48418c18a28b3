//! Streams that the far side sends with its calls.

use super::{Conversation, MOST_CALLS, Parked, Turn, after, busy, is_it, shutting_down};
use crate::{
    feeds::{At, Claim, Feeds, Heard},
    peer::Slot,
};
use trunkline_core::{CallId, Fault, FaultKind, Feed, Outbox, OwnedCallId, Payload};

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
        match feeds.hear(call, outcome.clone()) {
            Heard::Fine => {}
            Heard::Progress(place, timeout) => {
                if let Some((slot, _)) = self.slots.get(place) {
                    slot.deadline = after(turn.now, timeout);
                }
            }
            Heard::Overrun(at, fault) => {
                feeds.forget(call);
                self.end_overrun(call, at, &fault, out, turn);
            }
        }
    }

    /// Ends a call whose caller sends more than there is room for.
    #[cold]
    fn end_overrun(&mut self, call: &str, at: At, fault: &Fault, out: &mut Outbox, turn: Turn<'_>) {
        let (id, procedure) = match at {
            At::Slot(place) => match self.slots.remove(place).map(Slot::end) {
                Some(ended) => ended,
                None => return,
            },
            At::Parked => {
                let is_parked =
                    |parked: &Parked| matches!(parked, Parked::Call { id: kept, .. } if is_it(kept, call));
                match self.parked.iter().position(is_parked).and_then(|at| self.parked.remove(at)) {
                    Some(Parked::Call { id, procedure, .. }) => (id, procedure),
                    _ => return,
                }
            }
            At::Stream(number) => {
                if let Some(streams) = &mut self.streams {
                    streams.break_off_one(number, fault, &mut *self.dialect, out);
                }
                return;
            }
        };
        // there may be room now for what waits
        turn.task.wake_by_ref();
        self.refuse_kept(id.as_ref(), &procedure, fault, out);
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
