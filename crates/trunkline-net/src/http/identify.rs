//! [`identify`]: who sends a request, before anything of it is done.

use super::reply::{Reply, text};
use crate::{access, conversation::panicked, service::Service};
use futures_util::FutureExt;
use http::{Extensions, HeaderValue, StatusCode, header::WWW_AUTHENTICATE};
use std::{panic::AssertUnwindSafe, sync::Arc};
use tokio::time::timeout;
use trunkline_core::{Connection, Context, Credentials, Fault, FaultKind, Security};

/// The connection of a request with whoever sends it, if that is known; or the
/// refusal of the request. For services that have a security, and those only.
///
/// # Errors
///
/// Fails with the reply to a request whose credentials are not accepted.
pub(super) async fn identify(
    service: &Service,
    connection: Connection,
    extensions: &Extensions,
) -> Result<Connection, Reply> {
    let Some(security) = &service.security else { return Ok(connection) };
    let found = {
        let credentials = Credentials::Request { headers: connection.headers(), extensions };
        // the call itself may panic, too
        let finding = AssertUnwindSafe(async { security.authenticate(credentials, &connection).await });
        timeout(service.limits.call_timeout, finding.catch_unwind()).await
    };
    let fault = match found {
        Ok(Ok(Ok(identity))) => return Ok(connection.with_identity(identity)),
        Ok(Ok(Err(fault))) => fault,
        Ok(Err(panic)) => panicked(panic),
        Err(_) => Fault::new(
            FaultKind::DeadlineExceeded,
            "it was not found out who you are within the limit `call_timeout`",
        ),
    };
    let context = Context::new(Arc::new(connection), Extensions::new());
    let told = access::told(service, &context, &fault);
    tracing::debug!(kind = ?fault.kind(), "a request was refused for its credentials");
    Err(refusal(&told, &**security))
}

/// What is answered to a request whose credentials are not accepted.
fn refusal(fault: &Fault, security: &dyn Security) -> Reply {
    let status = match fault.kind() {
        FaultKind::Unauthenticated => StatusCode::UNAUTHORIZED,
        FaultKind::Forbidden => StatusCode::FORBIDDEN,
        FaultKind::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        FaultKind::Unavailable | FaultKind::DeadlineExceeded => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    let mut reply = text(status, fault.message().to_owned().into_bytes());
    if status == StatusCode::UNAUTHORIZED {
        // which this status calls for (RFC 9110, section 15.5.2)
        let challenge = HeaderValue::from_static(security.challenge());
        reply.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    }
    reply
}
