//! [`identify`]: who sends a request, before anything of it is done.

use super::reply::{Reply, text};
use crate::{access, conversation::report, service::Service};
use http::{
    Extensions, HeaderMap, HeaderValue, StatusCode,
    header::{AUTHORIZATION, COOKIE, WWW_AUTHENTICATE},
};
use std::sync::Arc;
use trunkline_core::{
    Connection, Context, Credentials, Fault, FaultKind, Identity, Security,
    security::{AUTHENTICATE, unauthenticated},
};

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
    let fault = match find(service, &**security, &connection, extensions).await {
        Ok(identity) => return Ok(connection.with_identity(identity)),
        Err(fault) => fault,
    };
    let context = Context::new(Arc::new(connection), Extensions::new());
    report(&service.hooks, &context, AUTHENTICATE, &fault, false);
    Err(refusal(&access::told(Some(&**security), &context, &fault), &**security))
}

/// Marks what is not to be printed, wherever the headers go.
pub(super) fn hide_credentials(headers: &mut HeaderMap) {
    for name in [AUTHORIZATION, COOKIE] {
        if let http::header::Entry::Occupied(mut values) = headers.entry(name) {
            values.iter_mut().for_each(|value| value.set_sensitive(true));
        }
    }
}

async fn find(
    service: &Service,
    security: &dyn Security,
    connection: &Connection,
    extensions: &Extensions,
) -> Result<Identity, Fault> {
    let headers = connection.headers();
    if headers.get_all(AUTHORIZATION).iter().nth(1).is_some() {
        return Err(unauthenticated("there is more than one header `Authorization`"));
    }
    let credentials = Credentials::Request { headers, extensions };
    access::authenticate(security, credentials, connection, service.limits.call_timeout).await
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
        match HeaderValue::from_str(security.challenge()) {
            Ok(challenge) => drop(reply.headers_mut().insert(WWW_AUTHENTICATE, challenge)),
            Err(error) => tracing::error!(%error, "what `Security::challenge` gives is no header"),
        }
    }
    reply
}
