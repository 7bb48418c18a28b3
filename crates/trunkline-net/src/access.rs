//! Who callers are and what they may do, as their connections ask for it.
//!
//! What is asked is user code: it may wait, and it may panic.

use crate::{conversation::panicked, service::Service};
use std::{
    borrow::Cow,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context as TaskContext, Poll, ready},
    time::Instant,
};
use trunkline_core::{
    Call, Connection, Context, Credentials, Details, Fault, Identity, OwnedPayload, Reply, Running, Security,
    security::{Authenticating, unauthenticated},
};

/// Whether a call may be made.
#[inline(never)]
pub(crate) fn admit(
    security: &dyn Security,
    call: &Call<'_>,
    procedure: &Details,
    now: Instant,
) -> Result<(), Fault> {
    if call.context.identity().has_expired(now) {
        return Err(expired());
    }
    catch_unwind(AssertUnwindSafe(|| security.authorize(call, procedure)))
        .unwrap_or_else(|panic| Err(panicked(panic)))
}

/// What is said to those who were known until a while ago.
#[cold]
pub(crate) fn expired() -> Fault {
    unauthenticated("the credentials have expired: authenticate again")
}

/// What a caller is told of a fault.
pub(crate) fn told<'f>(service: &Service, context: &Context, fault: &'f Fault) -> Cow<'f, Fault> {
    let Some(security) = &service.security else { return Cow::Borrowed(fault) };
    catch_unwind(AssertUnwindSafe(|| security.redact(fault, context)))
        .unwrap_or_else(|panic| Cow::Owned(panicked(panic)))
}

/// Somebody is finding out who the far side of a connection is.
pub(crate) struct Login {
    finding: Authenticating<'static>,
    found: Found,
}

/// Who it was found to be, when the [`Login`] is over: it may as well have failed.
pub(crate) type Found = Arc<OnceLock<Identity>>;

impl Login {
    pub(crate) fn new(
        security: Arc<dyn Security>,
        credentials: OwnedPayload,
        connection: Arc<Connection>,
    ) -> (Self, Found) {
        let found = Found::default();
        let finding =
            Box::pin(
                async move { security.authenticate(Credentials::Message(&credentials), &connection).await },
            );
        (Self { finding, found: found.clone() }, found)
    }
}

/// What the far side is told once it is known.
#[derive(serde::Serialize)]
pub(crate) struct Welcome<'a> {
    pub(crate) subject: Option<&'a str>,
}

impl Running for Login {
    fn poll(
        mut self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
        reply: &mut Reply<'_>,
    ) -> Poll<Result<(), Fault>> {
        let identity = ready!(self.finding.as_mut().poll(cx))?;
        reply.write(&Welcome { subject: identity.subject() })?;
        // the first and only time
        let _ = self.found.set(identity);
        Poll::Ready(Ok(()))
    }
}
