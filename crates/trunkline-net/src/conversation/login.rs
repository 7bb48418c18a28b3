//! Callers that say who they are while they are connected.

use super::{Conversation, Parked, Turn, after, busy};
use crate::{
    access::{Login, Welcome},
    peer::Slot,
    telling::call_span,
};
use trunkline_core::{CallId, Fault, Identity, Outbox, Payload, Session, router};

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
        self.become_known(Identity::anonymous());
        let Some(credentials) = args else {
            self.reply(id, &Welcome { subject: None }, out);
            return Ok(());
        };
        let (login, found) = Login::new(security, credentials.to_owned(), self.context.connection().clone());
        let (place, waker) = self.slots.vacant(turn.task).ok_or_else(busy)?;
        // it is polled with all others that want to be, in this very turn
        waker.wake_by_ref();
        self.parked.push_front(Parked::Login(found));
        let slot = Slot {
            running: Box::pin(login),
            id: id.map(CallId::keep),
            procedure: procedure.into(),
            deadline: after(turn.now, self.service.limits.call_timeout),
            span: call_span(procedure, &self.context),
            opens: None,
        };
        self.slots.insert(place, slot);
        Ok(())
    }

    /// From now on calls are this one's.
    pub(super) fn become_known(&mut self, identity: Identity) {
        Session::of(self.context.connection()).set_identity(identity.clone());
        self.context = self.context.clone().with_identity(identity);
    }
}
