//! What a caller over HTTP is told when there is no answer.

use crate::peer::unanswered;
use http::{HeaderMap, StatusCode, Uri, header::LOCATION};
use http_body_util::LengthLimitError;
use std::error::Error;
use trunkline_core::{Fault, FaultKind};

/// The request did not get through.
pub(super) fn not_sent(error: hyper_util::client::legacy::Error) -> Fault {
    if !error.is_connect() {
        return unanswered().with_source(error);
    }
    // what hyper has to say of it is less than what the connector said
    let mut message = String::new();
    let mut said = error.source();
    while let Some(error) = said {
        message = if message.is_empty() { error.to_string() } else { format!("{message}: {error}") };
        said = error.source();
    }
    Fault::new(FaultKind::Unavailable, message).with_source(error)
}

/// The response began, and did not end as it should.
pub(super) fn no_answer(error: Box<dyn Error + Send + Sync>, limit: usize) -> Fault {
    if error.is::<LengthLimitError>() {
        let message = format!("the response is over {limit} bytes, the limit `max_message` of the client");
        return Fault::new(FaultKind::ReplyTooLarge, message);
    }
    unanswered().with_source(error)
}

/// The response holds no answer: what its status says.
pub(super) fn declined(status: StatusCode, headers: &HeaderMap, uri: &Uri) -> Fault {
    let kind = match status {
        StatusCode::UNAUTHORIZED => FaultKind::Unauthenticated,
        StatusCode::FORBIDDEN => FaultKind::Forbidden,
        StatusCode::TOO_MANY_REQUESTS => FaultKind::RateLimited,
        StatusCode::PAYLOAD_TOO_LARGE => FaultKind::RequestTooLarge,
        StatusCode::REQUEST_TIMEOUT | StatusCode::GATEWAY_TIMEOUT => FaultKind::DeadlineExceeded,
        StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE => FaultKind::Unavailable,
        _ if status.is_success() => FaultKind::InvalidReply,
        _ => FaultKind::Failed,
    };
    let elsewhere = headers.get(LOCATION).and_then(|location| location.to_str().ok());
    let message = match elsewhere.filter(|_| status.is_redirection()) {
        Some(location) => format!("{uri} answered with status {status}: it is at {location} now"),
        None if status.is_success() => {
            format!("{uri} answered with status {status}, but with no answer to the call")
        }
        None => format!("{uri} answered with status {status}"),
    };
    Fault::new(kind, message)
}
