//! [`Carrier`]: the ways by which documents reach a service in this process.

use crate::{contact::Contact, demo, http_client::Request, wire::Wire};
use serde_json::Value;
use std::net::SocketAddr;
use trunkline::{
    Connection, Context, JsonRpc, Link, Service,
    framing::{ContentLength, Framing, Lines},
};
use trunkline_net::{exchange, ws::WebSocket};

/// A way by which documents reach a service.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Carrier {
    Lines,
    Headers,
    WebSocket,
    /// One document in, its answer out: what an HTTP body is.
    Exchange,
}

impl Carrier {
    pub(crate) const ALL: [Self; 4] = [Self::Lines, Self::Headers, Self::WebSocket, Self::Exchange];

    /// Whether a vector applies here that names transports, or none for all.
    pub(crate) fn carries(self, transports: &Value) -> bool {
        let mine: &[&str] = match self {
            Self::Lines => &["two-way", "stream", "lines"],
            Self::Headers => &["message", "two-way", "stream"],
            Self::WebSocket => &["message", "two-way", "websocket"],
            Self::Exchange => &["message", "one-way"],
        };
        transports.as_array().is_none_or(|named| {
            named.iter().any(|name| name.as_str().is_some_and(|name| mine.contains(&name)))
        })
    }

    /// A caller of `service`.
    pub(crate) fn caller(self, service: &Service) -> Caller {
        match self {
            Self::Lines => Caller::Connected(connect(service, Lines::default(), Wire::Lines)),
            Self::Headers => Caller::Connected(connect(service, ContentLength::default(), Wire::Headers)),
            Self::WebSocket => Caller::Connected(connect(service, WebSocket::server(), Wire::WebSocket)),
            Self::Exchange => Caller::Exchanging(service.clone()),
        }
    }
}

/// Serves one connection over memory, and gives the far end of it.
pub(crate) fn connect(service: &Service, framing: impl Framing + 'static, wire: Wire) -> Contact {
    let (here, there) = tokio::io::duplex(64 << 10);
    let link = Link::new(here, framing, Connection::new("in process", "jsonrpc"));
    let service = service.clone();
    tokio::spawn(async move { trunkline::serve(link, &service).await });
    Contact::new(there, wire)
}

/// The demo service with default settings.
pub(crate) fn demo_service() -> Service {
    Service::new(demo::router(), JsonRpc::default())
}

/// The demo service with what `option` of a vector asks for.
pub(crate) fn demo_service_with(option: &Value) -> Service {
    demo_service().in_language(language(option))
}

/// The language with what `option` of a vector asks for.
pub(crate) fn language(option: &Value) -> JsonRpc {
    let settings = option.as_object().into_iter().flatten();
    settings.fold(JsonRpc::default(), |language, (name, value)| match (name.as_str(), value.as_str()) {
        ("null_params", Some("reject")) => language.reject_null_params(),
        ("version", Some("any")) => language.any_version(),
        _ => panic!("no setting is known for {name}: {value}"),
    })
}

/// One who sends documents and gets replies.
pub(crate) enum Caller {
    Connected(Contact),
    Exchanging(Service),
    Posting { address: SocketAddr, status: Option<u16> },
}

impl Caller {
    /// A caller over HTTP.
    pub(crate) fn posting(address: SocketAddr) -> Self {
        Self::Posting { address, status: None }
    }

    /// Sends a document, and gives the replies to it, `replies` of them or more.
    pub(crate) async fn ask(&mut self, document: &[u8], replies: usize) -> Result<Vec<String>, String> {
        match self {
            Self::Connected(contact) => contact.ask(document, replies).await,
            Self::Exchanging(service) => {
                let answer = match document.len() > service.limits_in_force().max_message {
                    true => Some(exchange::oversize(service)),
                    false => exchange::answer(document, service, Context::local()).await,
                };
                let text =
                    |answer| String::from_utf8(answer).map_err(|_| "a reply that is not UTF-8".to_owned());
                answer.map(text).transpose().map(|text| text.into_iter().collect())
            }
            Self::Posting { address, status } => {
                let response = Request::post(document).send(*address).await?;
                *status = Some(response.status);
                Ok(if response.body.is_empty() { vec![] } else { vec![response.body] })
            }
        }
    }

    /// The status of the last reply, over HTTP.
    pub(crate) fn status(&self) -> Option<u16> {
        match self {
            Self::Posting { status, .. } => *status,
            _ => None,
        }
    }

    /// Ends what there is to end. Nothing may come that has not been asked for.
    pub(crate) async fn finish(self) -> Result<(), String> {
        match self {
            Self::Connected(contact) => contact.finish().await,
            Self::Exchanging(_) | Self::Posting { .. } => Ok(()),
        }
    }
}
