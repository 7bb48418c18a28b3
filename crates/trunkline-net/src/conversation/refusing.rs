//! Calls and streams that fail: what is reported, and what whoever made them is told.

use super::Conversation;
use crate::{
    access,
    hooks::{FaultReport, Hooks},
    peer::{Slot, drop_caught},
    service::Service,
    streams::OpenStream,
    telling::{AnsweredHere, Name, Shown, failed, is_told},
};
use std::borrow::Cow;
use tracing::{Span, span::Entered};
use trunkline_core::{CallId, Context, Fault, FaultKind, Identity, Outbox, OwnedCallId};

impl Conversation {
    /// Ends a call that was under way, and tells whoever made it.
    #[cold]
    pub(super) fn refuse_slot(&mut self, slot: Slot, fault: &Fault, out: &mut Outbox) {
        let Slot { running, id, procedure, caller, trace, span, .. } = slot;
        drop_caught(running, Some(&procedure));
        let id = id.as_ref().map(OwnedCallId::borrow);
        let _entered = self.tell_failed(span.as_ref(), id.as_ref(), fault);
        let context = made_by(&self.context, &caller).into_owned().with_trace(trace);
        report(&self.service.hooks, &context, &procedure, fault, id.is_none());
        if let Some(id) = &id {
            let told = access::told(self.service.security.as_deref(), &context, fault);
            self.dialect.fault(id, &told, out);
        }
    }

    /// Refuses what has not come so far as to have a span.
    #[cold]
    pub(crate) fn refuse(
        &mut self,
        id: Option<&CallId<'_>>,
        procedure: &str,
        fault: &Fault,
        out: &mut Outbox,
    ) {
        let span = match is_told() {
            true => {
                let route = self.service.router.find(procedure);
                let is_known = route.is_some_and(|route| route.fallback().is_none());
                let name = if is_known { Name::Known } else { Name::Other };
                let id = id.map(|id| id.spelling);
                AnsweredHere { procedure, name, id, args: None, context: &self.context }.span()
            }
            false => None,
        };
        self.refuse_in(span, id, procedure, fault, out);
    }

    #[cold]
    pub(super) fn refuse_in(
        &mut self,
        span: Option<Span>,
        id: Option<&CallId<'_>>,
        procedure: &str,
        fault: &Fault,
        out: &mut Outbox,
    ) {
        let _entered = self.tell_failed(span.as_ref(), id, fault);
        report(&self.service.hooks, &self.context, procedure, fault, id.is_none());
        if let Some(id) = id {
            let told = access::told(self.service.security.as_deref(), &self.context, fault);
            self.dialect.fault(id, &told, out);
        }
    }

    /// Tells the span of a call that it has failed, and enters it.
    fn tell_failed<'s>(
        &self,
        span: Option<&'s Span>,
        id: Option<&CallId<'_>>,
        fault: &Fault,
    ) -> Option<Entered<'s>> {
        let span = span?;
        failed(span, fault, self.dialect.code(id, fault));
        Some(span.enter())
    }
}

/// The context of what `caller` did, also if somebody else is known by now.
pub(super) fn made_by<'c>(context: &'c Context, caller: &Identity) -> Cow<'c, Context> {
    match context.identity() == caller {
        true => Cow::Borrowed(context),
        false => Cow::Owned(context.clone().with_identity(caller.clone())),
    }
}

/// Reports a stream that broke off; what whoever opened it is told.
#[cold]
pub(super) fn tell(service: &Service, context: &Context, stream: &OpenStream, fault: &Fault) -> Fault {
    let context = made_by(context, &stream.caller).into_owned().with_trace(stream.trace.clone());
    let _entered = stream.span.as_ref().map(Span::enter);
    report(&service.hooks, &context, &stream.procedure, fault, false);
    access::told(service.security.as_deref(), &context, fault).into_owned()
}

/// Tells those who keep an eye on the program that something failed.
#[cold]
pub(crate) fn report(hooks: &Hooks, context: &Context, procedure: &str, fault: &Fault, notification: bool) {
    tracing::debug!(rpc.method = %Shown(procedure), kind = ?fault.kind(), notification, "call failed");
    hooks.failed(&FaultReport::new(procedure, fault, context));
}

/// What is said of what cannot go on because the program is about to end.
#[cold]
pub(super) fn shutting_down() -> Fault {
    Fault::new(FaultKind::Unavailable, "the server is shutting down")
}

/// The same of a call that has not begun, be it that it came too late or was not heard.
#[cold]
pub(crate) fn not_run() -> Fault {
    shutting_down().with_data("the call has not been run, and may be made elsewhere")
}

/// What is said of a call for which there is no room.
#[cold]
pub(crate) fn busy() -> Fault {
    Fault::new(FaultKind::Unavailable, "Server is busy, try again later")
}

/// What becomes of a call whose handler panicked.
#[cold]
pub(crate) fn panicked(panic: Box<dyn std::any::Any + Send>) -> Fault {
    panicked_in("the handler", panic)
}

/// What becomes of a call in which user code panicked.
#[cold]
pub(crate) fn panicked_in(who: &str, panic: Box<dyn std::any::Any + Send>) -> Fault {
    let fault = Fault::panicked_in(who, &*panic);
    tracing::error!("{}", std::error::Error::source(&fault).map(ToString::to_string).unwrap_or_default());
    fault
}
