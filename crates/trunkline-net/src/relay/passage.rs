//! [`Passage`]: one call of a peer by another, on its way.

use super::Parts;
use crate::{
    clock::{after, now},
    peer::{Listening, Peer, Subscription, begun},
};
use futures_util::{Stream, StreamExt};
use std::{sync::Arc, task::Context as TaskContext, time::Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use trunkline_core::{
    Call, Context, Extract, Fault, FaultKind, Limits, OwnedPayload, Session,
    relay::{CALL, CallingPeer, NOTIFY, Relayed, SUBSCRIBE, check_name, peer_busy, peer_gone, unknown_peer},
};

/// Items of a stream that wait at the server for a caller who is slow.
const ITEMS: usize = 256;

/// One call of a peer by another, as it comes in.
pub(super) struct Passage {
    context: Context,
    deadline: Option<Instant>,
}

/// The same, once it is known where it goes.
pub(super) struct Bound {
    to: Peer,
    said: Relayed,
    /// Until when the peer may answer, also if the caller does not wait for as long.
    deadline: Option<Instant>,
    /// What it takes up of what may be under way at the peer that is called.
    room: Arc<Room>,
    /// Room for items that the caller does not take.
    waiting: Arc<Semaphore>,
}

/// How much of what others have asked of a peer is under way.
struct Room {
    calls: Arc<Semaphore>,
    streams: Arc<Semaphore>,
}

/// Room for items of all streams of other peers that a caller does not take.
struct Waiting(Arc<Semaphore>);

impl Extract for Passage {
    fn extract(call: &Call<'_>) -> Result<Self, Fault> {
        Ok(Self { context: call.context_and_trace(), deadline: call.deadline })
    }
}

fn semaphore(permits: usize) -> Arc<Semaphore> {
    Arc::new(Semaphore::new(permits.min(Semaphore::MAX_PERMITS)))
}

impl Room {
    fn of(peer: &Peer, limits: &Limits) -> Arc<Self> {
        // one less than the peer itself may have under way: of peers that call each
        // other back for ever, one is refused before both wait for the other
        let calls = limits.max_in_flight.saturating_sub(1).max(1);
        peer.session()
            .get_or_insert_with(|| Self { calls: semaphore(calls), streams: semaphore(limits.max_streams) })
    }
}

impl Passage {
    /// Where it goes, if it may go there. What the caller says of itself is not passed on.
    pub(super) fn to(self, relay: &Parts, mut said: Relayed) -> Result<Bound, Fault> {
        check_name(&said.peer)?;
        if let Some(security) = &relay.security {
            security.may_send_to_peer(&said.peer, &said.method, &self.context)?;
        }
        let to = relay.peers.named(&said.peer).ok_or_else(|| unknown_peer(&said.peer))?;
        let caller = self.context.connection();
        let name = relay.peers.names_of(caller.id()).first().map(|name| name.to_string());
        said.from = Some(CallingPeer::new(name, self.context.identity().subject().map(str::to_owned)));
        let room = Room::of(&to, &relay.limits);
        let waiting = Session::of(caller).get_or_insert_with(|| Waiting(semaphore(relay.limits.max_reply)));
        // it is the same trace that goes on
        let to = to.in_trace(self.context.trace());
        let deadline = self.deadline.or_else(|| after(now(), relay.limits.call_timeout));
        Ok(Bound { to, said, deadline, room, waiting: waiting.0.clone() })
    }
}

impl Bound {
    pub(super) async fn call(mut self) -> Result<OwnedPayload, Fault> {
        let _room = self.take(&self.room.calls)?;
        let answer = async {
            let begin = |cx: &mut TaskContext<'_>| self.to.begin(CALL, &self.said, self.deadline, cx);
            let made = begun(self.deadline, begin).await?;
            // what has been sent is not kept until there is an answer
            self.said.params = None;
            made.await
        };
        answer.await.map_err(|fault| told(fault, &self.said.peer))
    }

    pub(super) fn notify(self) -> Result<(), Fault> {
        self.to.notify(NOTIFY, &self.said).map_err(|fault| told(fault, &self.said.peer))
    }

    pub(super) async fn subscribe(
        self,
    ) -> Result<impl Stream<Item = Result<OwnedPayload, Fault>> + use<>, Fault> {
        let opened = self.open().await;
        let peer = self.said.peer;
        let items = opened.map_err(|fault| told(fault, &peer))?;
        Ok(items.map(move |item| item.map_err(|fault| told(fault, &peer))))
    }

    async fn open(&self) -> Result<Subscription<OwnedPayload>, Fault> {
        // taken until the stream has ended, or the peer has answered a caller who no longer waits
        let takes = Some(Arc::new(self.take(&self.room.streams)?));
        let room = Some(self.waiting.clone());
        let opening = {
            let listening = Listening { max_waiting: ITEMS, room, takes, ..Listening::default() };
            let begin =
                |cx: &mut TaskContext<'_>| self.to.open(SUBSCRIBE, &self.said, &listening, self.deadline, cx);
            begun(self.deadline, begin).await?
        };
        opening.await
    }

    fn take(&self, room: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Fault> {
        room.clone().try_acquire_owned().map_err(|_| peer_busy(&self.said.peer))
    }
}

/// What the caller is told of a fault: what the peer said, or that it is gone. A
/// fault of this kind cannot have come from it.
fn told(fault: Fault, peer: &str) -> Fault {
    match fault.kind() {
        FaultKind::Disconnected => peer_gone(peer),
        _ => fault,
    }
}
