//! Who callers are and what they may do, as their connections ask for it.
//!
//! What is asked is user code: it may wait, and it may panic.

use crate::{clock::now, conversation::panicked_in};
use futures_util::FutureExt;
use std::{
    borrow::Cow,
    panic::{AssertUnwindSafe, catch_unwind},
    time::{Duration, Instant},
};
use tokio::time::timeout;
use trunkline_core::{
    Call, Connection, Context, Credentials, Details, Fault, FaultKind, Identity, Security,
    security::unauthenticated,
};

/// Who shows these credentials, found out in time.
pub(crate) async fn authenticate(
    security: &dyn Security,
    credentials: Credentials<'_>,
    on: &Connection,
    time: Duration,
) -> Result<Identity, Fault> {
    // the call itself may panic, too
    let finding = AssertUnwindSafe(async { security.authenticate(credentials, on).await });
    match timeout(time, finding.catch_unwind()).await {
        Ok(Ok(found)) => still(found?, now()),
        Ok(Err(panic)) => Err(panicked_in("what finds out who callers are", panic)),
        Err(_) => Err(Fault::new(
            FaultKind::DeadlineExceeded,
            "it was not found out who you are within the limit `call_timeout`",
        )),
    }
}

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
        .unwrap_or_else(|panic| Err(panicked_in("what decides who may call", panic)))
}

/// Whether a far end may have a name.
pub(crate) fn may_register(security: &dyn Security, name: &str, context: &Context) -> Result<(), Fault> {
    catch_unwind(AssertUnwindSafe(|| security.may_register_peer(name, context)))
        .unwrap_or_else(|panic| Err(panicked_in("what decides who may have a name", panic)))
}

/// What is said to those who were known until a while ago.
#[cold]
pub(crate) fn expired() -> Fault {
    unauthenticated("the credentials have expired: authenticate again")
}

/// Whoever was found to be at the far side, unless that has ended already.
pub(crate) fn still(identity: Identity, now: Instant) -> Result<Identity, Fault> {
    if identity.has_expired(now) { Err(expired()) } else { Ok(identity) }
}

/// What is said to whoever opened a stream, once the connection is somebody else's.
#[cold]
pub(crate) fn left() -> Fault {
    unauthenticated("whoever opened this stream is no longer the one who is known on this connection")
}

/// What a caller is told of a fault.
pub(crate) fn told<'f>(
    security: Option<&dyn Security>,
    context: &Context,
    fault: &'f Fault,
) -> Cow<'f, Fault> {
    let Some(security) = security else { return Cow::Borrowed(fault) };
    catch_unwind(AssertUnwindSafe(|| security.redact(fault, context)))
        .unwrap_or_else(|panic| Cow::Owned(panicked_in("what decides what callers are told", panic)))
}
