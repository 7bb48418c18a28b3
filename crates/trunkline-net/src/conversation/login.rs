//! Callers that say who they are while they are connected.

use super::{Conversation, Parked, Turn, busy, panicked_in};
use crate::{
    access,
    clock::{after, now},
    peer::Slot,
    telling::{AnsweredHere, Name},
};
use futures_util::FutureExt;
use std::{
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context as TaskContext, Poll, ready},
};
use trunkline_core::{
    CallId, Connection, Credentials, Fault, FaultKind, Identity, Outbox, OwnedPayload, Payload, Reply,
    Running, Security, router, security::Authenticating, session,
};

/// How often in a row the far side of a connection may fail to show who it is:
/// passwords are not to be guessed by the thousand.
const MOST_FAILED: u8 = 10;

impl Conversation {
    /// Begins to find out who the far side is. Until that is known, and for ever if
    /// it fails, it is nobody: what was said of somebody else is not to be done
    /// under the name of whoever was there before.
    pub(super) fn authenticate(
        &mut self,
        id: Option<&CallId<'_>>,
        procedure: &str,
        args: Option<Payload<'_>>,
        out: &mut Outbox,
        turn: Turn<'_>,
    ) -> Result<(), Fault> {
        let security = self.service.security.clone().ok_or_else(|| router::unknown(procedure))?;
        let nobody = Identity::anonymous();
        self.become_known(nobody.clone());
        let Some(credentials) = args else {
            self.leave_to(&nobody, out);
            self.reply(id, procedure, &Welcome { subject: None }, out);
            return Ok(());
        };
        if self.failed_logins >= MOST_FAILED {
            self.leave_to(&nobody, out);
            return Err(too_often());
        }
        let Some((place, waker)) = self.slots.vacant(turn.task) else {
            self.leave_to(&nobody, out);
            return Err(busy());
        };
        let (login, found) = Login::new(security, credentials.to_owned(), self.context.connection().clone());
        // it is polled with all others that want to be, in this very turn
        waker.wake_by_ref();
        self.parked.push_front(Parked::Login(found));
        let id_spelled = id.map(|id| id.spelling);
        let answered =
            AnsweredHere { procedure, name: Name::Known, id: id_spelled, args: None, context: &self.context };
        let slot = Slot {
            running: Box::pin(login),
            id: id.map(CallId::keep),
            procedure: procedure.into(),
            caller: Identity::anonymous(),
            trace: self.context.said_trace().cloned(),
            deadline: after(turn.now, self.service.limits.call_timeout),
            span: answered.span(),
            opens: None,
            fed: false,
        };
        self.slots.insert(place, slot);
        Ok(())
    }

    /// A login is over: it is known who the far side is, or it is nobody.
    pub(super) fn settle(&mut self, found: Option<Identity>, out: &mut Outbox) {
        self.failed_logins = match &found {
            Some(_) => 0,
            None => self.failed_logins.saturating_add(1),
        };
        let identity = found.unwrap_or_default();
        self.become_known(identity.clone());
        self.leave_to(&identity, out);
    }

    /// From now on calls are this one's.
    fn become_known(&mut self, identity: Identity) {
        session::set_identity(self.context.connection(), identity.clone());
        self.context = self.context.clone().with_identity(identity);
    }

    /// Streams that are open, or about to be, and calls that take one, go on if they are
    /// those of whoever is known now, for as long as that is so. Those of others are
    /// broken off: what was for one is not to be heard by another, and what another
    /// sends is not to be done in the name of the one. So it is with the names by which
    /// others call.
    fn leave_to(&mut self, identity: &Identity, out: &mut Outbox) {
        let is_left = |caller: &Identity| caller.is_left_for(identity);
        let lasts = |slot: &Slot| slot.opens.is_some() || slot.fed;
        while let Some(slot) = self.slots.remove_where(|slot| lasts(slot) && is_left(&slot.caller)) {
            self.refuse_slot(slot, &access::left(), out);
        }
        self.break_off(is_left, access::left, out);
        self.leave_names();
        if identity.is_anonymous() {
            return;
        }
        self.slots.change(|slot| {
            if lasts(slot) && slot.caller.is_same_as(identity) {
                slot.caller = identity.clone();
            }
        });
        if let Some(streams) = &mut self.streams {
            streams.renew(identity);
        }
    }

    /// Gives back the names that whoever is known now may not take.
    fn leave_names(&self) {
        let (Some(security), peers) = (&self.service.security, &self.service.peers) else { return };
        let id = self.context.connection().id();
        for name in peers.names_of(id) {
            if access::may_register(&**security, &name, &self.context).is_err() {
                peers.unregister(id, &name);
            }
        }
    }
}

#[cold]
fn too_often() -> Fault {
    Fault::new(FaultKind::RateLimited, "Too many failed attempts to authenticate").with_data(format!(
        "{MOST_FAILED} in a row have failed on this connection, on which no more are made"
    ))
}

/// Somebody is finding out who the far side of a connection is.
struct Login {
    finding: Authenticating<'static>,
    found: Found,
}

/// Who it was found to be, when the [`Login`] is over: it may as well have failed.
pub(super) type Found = Arc<OnceLock<Identity>>;

impl Login {
    fn new(
        security: Arc<dyn Security>,
        credentials: OwnedPayload,
        connection: Arc<Connection>,
    ) -> (Self, Found) {
        let found = Found::default();
        let finding =
            async move { security.authenticate(Credentials::Message(&credentials), &connection).await };
        let finding = AssertUnwindSafe(finding).catch_unwind().map(|found| {
            found.unwrap_or_else(|panic| Err(panicked_in("what finds out who callers are", panic)))
        });
        (Self { finding: Box::pin(finding), found: found.clone() }, found)
    }
}

/// What the far side is told once it is known.
#[derive(serde::Serialize)]
struct Welcome<'a> {
    subject: Option<&'a str>,
}

impl Running for Login {
    fn poll(
        mut self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
        reply: &mut Reply<'_>,
    ) -> Poll<Result<(), Fault>> {
        let identity = ready!(self.finding.as_mut().poll(cx))?;
        let identity = access::still(identity, now())?;
        reply.write(&Welcome { subject: identity.subject() })?;
        // the first and only time
        let _ = self.found.set(identity);
        Poll::Ready(Ok(()))
    }
}
